"""A slot handed to an agent.

The claim is one transaction in the ledger: idle -> leased, with the lease. Only then is the tree touched, and
little of it: a prepared slot that stands on the wanted base with the wanted view needs one new branch, 3 ms.
Afterwards git is asked where it really is; tools that skipped this had agents working in each other's folders.
A slot that fails is set aside with the reason and the next one is tried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from resources.state.leases import Lease
from resources.system.errors import Failure, NotNow
from resources.system.git import git, resolve
from resources.worktrees import sparse
from resources.worktrees.checkout import start_branch, telling_disk_full, verify
from resources.worktrees.ports import range_is_free
from resources.worktrees.proof import proven
from resources.worktrees.slots import Held, Slot, branch_of, branches_of, by_affinity, next_number, ref_part, who_holds
from resources.worktrees.view import View, same_view
from resources.worktrees.yard import Yard

_NOT_THE_SLOTS_FAULT = {"branch-in-the-way", "disk-full", "database-unreachable", "no-ports", "setup-not-approved"}
"""Failures that the next slot would meet as well."""


@dataclass(frozen=True)
class Wish:
    """What is asked for: the issue and its agent, the base (a commit), the view, the purpose, a slot liked best."""

    issue: str
    agent: str
    base: str
    view: View
    purpose: str
    prefer: str


def acquire(yard: Yard, wish: Wish) -> Held:
    """Lease the best idle slot for the wish and make it ready.

    Raises NotNow("pool-full") naming who holds what, Failure("no-such-commit"), or what keeps every slot
    from being used (a full disk, a database server that does not answer, a branch named `agent`).
    """
    wish = replace(wish, base=commit_of(yard, wish.base))
    while True:
        claimed = yard.records.claim(
            lambda idle: by_affinity(idle, wish.view, wish.base, wish.prefer), wish.purpose, wish.agent, wish.issue
        )
        if claimed is None:
            raise _pool_full(yard, wish.purpose)
        slot, lease = claimed
        try:
            with yard.slot_lock(slot.name), telling_disk_full(slot.path):
                # Read again: a refresh may have moved the slot between the claim and the lock.
                return _make_ready(yard, yard.records.slot(slot.name) or slot, lease, wish)
        except Failure as failure:
            _set_aside(yard, slot, lease, f"{failure.what} {failure.why}".strip())
            if failure.reference in _NOT_THE_SLOTS_FAULT:
                raise
        except BaseException:
            _set_aside(yard, slot, lease, "interrupted while it was handed out")
            raise


def commit_of(yard: Yard, base: str) -> str:
    """The commit id that `base` names: slots are keyed by it, never by a spelling. Raises Failure("no-such-commit")."""
    if any(slot.base == base for slot in yard.records.slots()):
        return base  # the usual case: it is a commit id that slots stand on already, and git need not be asked
    found = resolve(yard.repository.root, base)
    if found is None:
        raise Failure("no-such-commit", f"{base} names no commit of this repository", mend="git log --oneline")
    return found


def _make_ready(yard: Yard, slot: Slot, lease: Lease, wish: Wish) -> Held:
    if not slot.path.is_dir():
        raise Failure("slot-missing", f"the folder of {slot.name} is gone", why=str(slot.path))
    database = slot.database if slot.base == wish.base else yard.move_base(slot, wish.base)
    if yard.databases and not yard.databases.ready(slot.name):
        # Nobody starts a server for slots that stand idle; after a crash of the system it has to be made anew.
        database = yard.database(slot.name, slot.path)
    view = _show(yard, slot, lease, wish)
    branch = "" if slot.purpose == "gate" else _start(yard, slot, wish.issue)
    verify(slot.path, branch, wish.base)
    ports = slot.ports if range_is_free(slot.ports) else yard.other_ports()
    ready = yard.records.prepared(slot, base=wish.base, view=view, database=database, ports=ports)
    held = replace(ready, state="leased")
    environment = yard.environment(held, fence=lease.fence, issue=wish.issue, agent=wish.agent)
    return Held(held, lease, branch, wish.base, environment)


def _show(yard: Yard, slot: Slot, lease: Lease, wish: Wish) -> View:
    now = View.of(slot.view)
    if not same_view(now, wish.view):
        shown = sparse.swap(slot.path, wish.view)
    elif slot.base != wish.base:
        shown = sparse.count(slot.path, now)
    else:
        return now  # the usual case: prepared, and proven when it was
    variables = yard.environment(slot, fence=lease.fence, issue=wish.issue, agent=wish.agent)
    return proven(yard, slot, shown, wish.base, variables)


def _start(yard: Yard, slot: Slot, issue: str) -> str:
    branch = branch_of(slot.name, issue, 1)
    if start_branch(slot.path, branch):
        return branch
    # Numbered on from the branches that earlier attempts left: the slot is ours, so nobody takes the number meanwhile.
    prefix = f"refs/heads/{branches_of(slot.name)}{ref_part(issue)}/"
    attempt = next_number(git(yard.repository.root, "for-each-ref", "--format=%(refname)", prefix, read=True).lines)
    branch = branch_of(slot.name, issue, attempt)
    if not start_branch(slot.path, branch):
        raise Failure("branch-in-the-way", f"{branch} is there already", mend="agent-coord doctor --fix")
    return branch


def _set_aside(yard: Yard, slot: Slot, lease: Lease, why: str) -> None:
    yard.records.move(slot, "leased", "quarantine", why, ending=lease)
    yard.log(f"{slot.name} is set aside: {why}")


def _pool_full(yard: Yard, purpose: str) -> NotNow:
    held = who_holds(yard.records.slots(purpose), list(yard.records.leases().values()))
    return NotNow(
        "pool-full",
        f"no {purpose} slot is free",
        why=held,
        mend="wait for one to be released, or agent-coord pool scale-up 1",
    )
