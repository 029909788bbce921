"""What crashes and hands left behind, put in order. Every command may run this; it repeats without harm.

Only what certainly has no owner is touched: rows in state `making` while we hold the pool's lock, leases whose
owner's process is gone and whose agent runs no more, folders and registrations that bear our mark. Work is saved
before a slot is cleaned, and what cannot be understood goes to quarantine, where the next repair looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from resources.state.leases import Lease, owner_is_dead
from resources.system.errors import Failure, NotNow
from resources.system.process import ProcessId, is_alive
from resources.worktrees.clones import clones
from resources.worktrees.making import build, take_back
from resources.worktrees.registry import LOCK_REASON, registered, relink, remove, rename_back, renamed
from resources.worktrees.returning import release, restore
from resources.worktrees.slots import Slot, parse_name
from resources.worktrees.trash import empty
from resources.worktrees.view import View
from resources.worktrees.yard import Yard

Step = Callable[[Yard], Iterator[str]]


def repair(yard: Yard) -> list[str]:
    """Put the pool in order; returns a sentence for each thing done. [] when another process is at the pool."""
    return _take(
        yard, _half_made, _renamed, _orphaned_leases, _leaseless, _missing, _quarantined, _unknown, _trash
    )  # fmt: skip


def repair_rows(yard: Yard) -> list[str]:
    """Only what the ledger itself tells of: slots half made, slots given out to nobody. As `repair` otherwise."""
    return _take(yard, _half_made, _leaseless)


def _take(yard: Yard, *steps: Step) -> list[str]:
    try:
        with yard.pool_lock(wait=0):
            done = [sentence for step in steps for sentence in step(yard)]
            yard.stock_up()  # what was killed while it made or dropped a database is cleared there
            return done
    except NotNow:
        return []


def _renamed(yard: Yard) -> Iterator[str]:
    for path, home in renamed(yard.repository, yard.folder).items():
        if rename_back(path, home):
            yield f"{home.name} had been renamed to {path.name} and has its name again"


def _half_made(yard: Yard) -> Iterator[str]:
    for slot in _in_state(yard, "making"):
        try:
            take_back(yard, slot)
        except Failure as failure:
            yield f"{slot.name} was left half made and could not be removed: {failure.what}"
        else:
            yield f"{slot.name} was left half made and was removed"


def _orphaned_leases(yard: Yard) -> Iterator[str]:
    for lease in yard.records.leases().values():
        if not owner_is_dead(lease.owner) or _agent_runs(yard, lease):
            continue
        if yard.records.slot(lease.resource) is None:
            yard.records.end(lease)
            yield f"the lease of {lease.agent} on {lease.resource}, which is no slot any more, was ended"
            continue
        try:
            done = release(yard, lease, keep=False)
        except Failure as failure:
            yield f"{lease.resource} could not be taken back from {lease.agent}: {failure.what}"
            continue
        saved = f", its work is saved in {done.saved_ref}" if done.saved_ref else ""
        aside = f"; it is set aside: {done.quarantined}" if done.quarantined else ""
        yield f"{lease.resource} was taken back from {lease.agent}, whose process is gone{saved}{aside}"


def _agent_runs(yard: Yard, lease: Lease) -> bool:
    process = yard.records.agent_of(lease)
    pid, start = process.get("pid"), process.get("start")
    return isinstance(pid, int) and isinstance(start, str) and is_alive(ProcessId(pid, start))


def _leaseless(yard: Yard) -> Iterator[str]:
    for slot in yard.records.set_aside_leaseless():
        yield f"{slot.name} was given out without a lease and is in quarantine"


def _missing(yard: Yard) -> Iterator[str]:
    for slot in _in_state(yard, "idle", "quarantine"):
        if slot.path.exists() or not yard.records.move(slot, slot.state, "making", "its folder was gone"):
            continue
        remove(yard.repository, slot.path)
        try:
            build(yard, [replace(slot, state="making")], yard.base())
        except Failure as failure:
            yield f"the folder of {slot.name} was gone and could not be made anew: {failure.what}"
        else:
            yield f"the folder of {slot.name} was gone and was made anew"


def _quarantined(yard: Yard) -> Iterator[str]:
    for slot in _in_state(yard, "quarantine"):
        with yard.slot_lock(slot.name):
            relink(yard.repository, slot.path)
            refs, why = restore(yard, slot, "quarantine")
            if why or not yard.records.move(slot, "quarantine", "idle"):
                continue
        saved = f"; what was in it is saved in {', '.join(refs)}" if refs else ""
        yield f"{slot.name} was in quarantine ({slot.note}) and is in use again{saved}"


def _unknown(yard: Yard) -> Iterator[str]:
    known = {slot.path for slot in yard.records.slots()}
    ours = dict.fromkeys(clones(yard.repository, yard.folder), LOCK_REASON)
    for path, lock in (registered(yard.repository) | ours).items():
        named = parse_name(path.name)
        if path.parent != yard.folder or path in known or named is None or lock != LOCK_REASON:
            continue
        if path.exists():
            slot = Slot(path.name, named[1], named[0], path, "making", "", View.full(0).to_json(), "", (0, 0), "")
            yard.records.adopt(slot, "the ledger did not know it")
            yield f"{path.name} is a worktree of ours that the ledger did not know; it is in quarantine"
        else:
            remove(yard.repository, path)
            yield f"the registration of {path.name}, whose folder is gone, was removed"


def _trash(yard: Yard) -> Iterator[str]:
    for name in empty(yard.repository.state, yard.folder):
        yield f"{name} was deleted"


def _in_state(yard: Yard, *states: str) -> list[Slot]:
    return [slot for slot in yard.records.slots() if slot.state in states]
