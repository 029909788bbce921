"""A slot taken back: saved first, cleaned second, and set aside whenever anything is not as it should be.

Repeatable at every point: whoever finds a slot in the middle of this runs the same steps again. What cannot be
saved (a repository inside the slot, a full disk) is never cleaned; the slot then waits in quarantine with the
reason, and everything in it stays.
"""

from __future__ import annotations

from dataclasses import replace

from resources.state.leases import Lease
from resources.system.errors import Failure
from resources.system.git import dirty_files
from resources.worktrees import sparse
from resources.worktrees.checkout import clean_to, standing, telling_disk_full, trouble, unhide
from resources.worktrees.clones import collect, forget_branches
from resources.worktrees.own_config import regain
from resources.worktrees.saving import Work, delete_branches, issue_branches, save_slot
from resources.worktrees.slots import Released, Slot
from resources.worktrees.view import View
from resources.worktrees.yard import Yard


def release(yard: Yard, lease: Lease, *, keep: bool) -> Released:
    """End a lease and take its slot back. Raises Failure("stale-lease") when the lease no longer stands."""
    slot = yard.records.slot(lease.resource)
    if slot is None:
        raise _stale(lease)
    with yard.slot_lock(slot.name):
        if not yard.records.holds(lease):
            raise _stale(lease)
        refs, why = restore(yard, slot, lease.issue, keep=keep)
        new = "quarantine" if why else "idle"
        if not yard.records.move(slot, "leased", new, why, ending=lease):
            raise _stale(lease)
    for ref in refs:
        yard.log(f"work of {lease.agent} for {lease.issue} is saved: {ref}")
    if why:
        yard.log(f"{slot.name} is set aside: {why}")
    return Released(refs[0] if refs else None, why or None)


def _stale(lease: Lease) -> Failure:
    return Failure(
        "stale-lease",
        f"lease {lease.fence} on {lease.resource} has ended; nothing was changed",
        why="it was released, or taken back because its holder was gone",
        mend="agent-coord status",
    )


def restore(
    yard: Yard, slot: Slot, issue: str, *, keep: bool = False, fresh_database: bool = True
) -> tuple[list[str], str]:
    """Save what is in a slot, then make it clean, detached at the current base, with a fresh database.

    Returns the refs that hold saved work, and why the slot cannot be used ("" when it can). The caller holds the
    slot's lock and has made sure that nobody works in it; the state in the ledger is the caller's to change.
    """
    refs: list[str] = []
    try:
        with telling_disk_full(slot.path):
            if slot.path.is_dir():
                regain_slot(yard, slot)
            why = trouble(slot.path, yard.repository.common) or _save(yard, slot, _work(yard, slot, issue, keep), refs)
            if not why and fresh_database:
                _prepare(yard, slot)
    except Failure as failure:
        why = f"{failure.what} {failure.why}".strip()
    return refs, why


def regain_slot(yard: Yard, slot: Slot, *, at_work: bool = False) -> None:
    """`own_config.regain`, and the log is told what was taken out."""
    foreign = regain(yard.repository, slot.path, at_work=at_work)
    if foreign:
        yard.log(f"{slot.name}: git's settings there are as we made them again, without {', '.join(foreign)[:500]}")


def _work(yard: Yard, slot: Slot, issue: str, keep: bool) -> Work:
    work = Work(yard.repository, slot.name, issue, slot.base, yard.base_branch())
    staying = frozenset(yard.records.waiting_branches())
    return replace(work, keep=staying | frozenset(issue_branches(work) if keep else ()))


def _save(yard: Yard, slot: Slot, work: Work, refs: list[str]) -> str:
    # In a gate slot nobody works: what checks leave beside the commit that they judge is their output.
    if slot.purpose != "gate" or standing(slot.path).commit != slot.base:
        unhide(slot.path, everything=not sparse.is_sparse(slot.path))
        dirty = dirty_files(slot.path)
        nested = [path for path in dirty if path.endswith("/")]
        if nested:
            return f"it holds a git repository of its own ({nested[0]}); move it out, then agent-coord doctor --fix"
        collect(yard.repository, slot.path)
        refs += save_slot(work, slot.path, dirty=bool(dirty))
    clean_to(slot.path, yard.base())
    forget_branches(yard.repository, slot.path)
    delete_branches(work)
    return ""


def _prepare(yard: Yard, slot: Slot) -> None:
    database = yard.database(slot.name, slot.path, fresh=True)
    view = _shown(slot)
    yard.records.prepared(slot, base=yard.base(), view=view, database=database, ports=slot.ports)


def _shown(slot: Slot) -> View:
    # A database that needed hidden migrations may have opened the whole tree.
    now = View.of(slot.view) if sparse.is_sparse(slot.path) else View.full(0)
    try:
        return sparse.count(slot.path, now)
    except Failure as failure:
        if failure.reference != "view-not-applied":
            raise
        return sparse.apply(slot.path, now)  # somebody was killed while the view was changed
