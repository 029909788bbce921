"""The pool: the one door through which slots are made, lent, taken back, refreshed and removed.

A slot is prepared ahead (checked out, furnished with a database, ports and copied files) and then handed out in
milliseconds. What it shows is decided by the caller (a `View`), which issue it serves by the coordinator; the
pool knows neither issues nor imports. The main checkout is never touched.

Each part is a module of its own: `making` (grow, shrink), `lending` (acquire), `returning` (release), `saving`
(work into refs), `repairs`; `slots` and `view` decide, `checkout`, `sparse` and `copies` do. One `Pool` serves
one thread, like the ledger that it is given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from resources.settings import PoolSettings
from resources.state.leases import Lease
from resources.state.store import Ledger
from resources.system.clock import wall
from resources.system.errors import Failure
from resources.system.git import dirty_files, tracked_files
from resources.system.repository import Repository
from resources.worktrees import clones, lending, making, repairs, returning, setup, sizing, sparse
from resources.worktrees.records import Records
from resources.worktrees.slots import Held, Released, Slot
from resources.worktrees.trash import empty
from resources.worktrees.view import View, widen
from resources.worktrees.yard import Databases, Yard

__all__ = ["Held", "Pool", "Released", "Slot", "View"]


_DELETING = 60.0
"""Seconds that the removal of all slots waits for their files to be off the disk."""


def _say_nothing(_: str) -> None:
    return


class Pool:
    """A repository's slots. `databases` None: slots have no database; `log` is told what a user may want to know."""

    def __init__(
        self,
        repository: Repository,
        ledger: Ledger,
        settings: PoolSettings,
        databases: Databases | None,
        log: Callable[[str], None] = _say_nothing,
    ) -> None:
        self._yard = Yard(repository, Records(ledger), settings, databases, log)

    def slots(self, purpose: str = "work") -> list[Slot]:
        """The slots of one purpose ("work" or "gate"), in order of number."""
        return self._yard.records.slots(purpose)

    def grow(self, count: int, purpose: str = "work") -> list[Slot]:
        """Make `count` prepared slots, or as many as the maximum leaves room for; returns the new ones.

        Raises NotNow("pool-at-maximum") when there is room for none; Failure (disk-full, setup-failed, no-base, ...)
        when one cannot be made: it is taken back, its finished siblings stay.
        """
        return making.grow(self._yard, count, purpose)

    def shrink(self, count: int, *, force_all: bool = False) -> list[str]:
        """Remove up to `count` idle work slots, highest number first; returns their names.

        The configured minimum stays, unless `force_all`.
        """
        return making.shrink(self._yard, count, floor=0 if force_all else self._yard.settings.minimum)

    def acquire(
        self, issue: str, agent: str, *, base: str, view: View | None = None, purpose: str = "work", prefer: str = ""
    ) -> Held:
        """Lease a slot to `agent` for `issue`: at the commit `base`, showing `view` (None: everything).

        A work slot is on a new branch `agent/<slot>/<issue>/<n>`, a gate slot detached. A slot that already has the
        view and the base is taken first, then the one named by `prefer`. Raises NotNow("pool-full") naming who holds
        what, Failure("no-such-commit"), Failure("branch-in-the-way"), Failure("disk-full").
        """
        wish = lending.Wish(issue, agent, base, view or View.full(0), purpose, prefer)
        return lending.acquire(self._yard, wish)

    def release(self, lease: Lease, *, keep: bool = False) -> Released:
        """Take a slot back: save its work, clean it, give it a fresh database, end the lease.

        Uncommitted files and commits that are neither landed nor in another ref of ours are saved under
        `refs/agent-coord/saved/<issue>/`; the slot's branches are deleted then, unless they wait to land. With `keep`
        they all stay, and only uncommitted files need a ref. Raises Failure("stale-lease"), changing nothing.
        """
        return returning.release(self._yard, lease, keep=keep)

    def collect(self, slot: Slot) -> None:
        """Bring a slot's branches into the main repository, where they can land; they are there in a worktree.

        What git is told in the slot is put back first. Raises Failure("slot-astray").
        """
        self.regain(slot)
        clones.collect(self._yard.repository, slot.path)

    def regain(self, slot: Slot) -> None:
        """Put back what git is told in a slot where an agent has worked. Raises Failure("slot-astray")."""
        if not slot.is_berth:  # a shared checkout is its user's
            returning.regain_slot(self._yard, slot, at_work=True)

    def uncommitted(self, slot: Slot) -> list[str]:
        """The paths that whoever works in a slot has changed and not committed."""
        return dirty_files(slot.path)

    def refresh(self, base: str) -> None:
        """Take every idle slot to the commit `base`; leased ones are left alone, strange ones set aside.

        Raises Failure("no-such-commit").
        """
        commit = lending.commit_of(self._yard, base)
        for slot in self._yard.records.slots():
            if slot.state == "idle" and slot.base != commit:
                self._refresh(slot.name, commit)

    def _refresh(self, name: str, base: str) -> None:
        with self._yard.slot_lock(name):
            slot = self._yard.records.slot(name)
            if slot is None or slot.state != "idle":
                return
            try:
                _require_clean(slot)
                database = self._yard.move_base(slot, base)
                view = sparse.count(slot.path, View.of(slot.view))
                self._yard.records.prepared(slot, base=base, view=view, database=database, ports=slot.ports)
            except Failure as failure:
                self._yard.records.move(slot, "idle", "quarantine", f"{failure.what} {failure.why}".strip())
                self._yard.log(f"{name} is set aside: {failure.what}")

    def show(self, name: str, view: View) -> Slot:
        """Make a slot show another view, leased or not; changed files stay visible. Returns the slot as it now is.

        Raises Failure("no-such-slot"), Failure("view-not-applied").
        """
        with self._yard.slot_lock(name):
            slot = self._slot(name)
            shown = sparse.apply(slot.path, view)
            return self._yard.records.prepared(
                slot, base=slot.base, view=shown, database=slot.database, ports=slot.ports
            )

    def widen(self, name: str, patterns: Iterable[str]) -> Slot:
        """Make a slot show `patterns` as well. Raises as `show` does."""
        slot = self._slot(name)
        return self.show(name, widen(View.of(slot.view), patterns, tracked_files(slot.path)))

    def _slot(self, name: str) -> Slot:
        slot = self._yard.records.slot(name)
        if slot is None:
            raise Failure("no-such-slot", f"there is no slot {name}", mend="agent-coord pool status")
        return slot

    def repair(self) -> list[str]:
        """Put in order what crashes left; returns a sentence for each thing done. See `repairs`."""
        return repairs.repair(self._yard)

    def approve(self) -> list[str]:
        """Let the configured commands run in slots, as they are now; returns them. A changed one asks again."""
        return setup.approve(self._yard.records, self._yard.settings)

    def wanted_change(self, waiting: int, *, over: bool) -> int:
        """By how many slots the pool should grow, or (below 0) shrink, when `waiting` issues could start at once.

        `over`: a limit is critical. A decision only: `grow` and `shrink` act on it.
        """
        load = os.getloadavg()[0] / (os.cpu_count() or 1)
        demand = sizing.Demand(waiting, load, over, self._yard.records.idle_since(), wall())
        return sizing.change(self.slots(), demand, self._yard.settings)

    def repair_rows(self) -> list[str]:
        """Take down slots that were left half made, set aside those that are given out to nobody; in sentences."""
        return repairs.repair_rows(self._yard)

    def environment(self, slot: Slot, lease: Lease, issue: str, agent: str) -> dict[str, str]:
        """The variables for a process that works in the slot under the lease: AGENT_COORD_*, PORT, the database's."""
        return self._yard.environment(slot, fence=lease.fence, issue=issue, agent=agent)

    def remove_all(self) -> list[str]:
        """Remove every idle slot with its database; returns their names. Others stay, and the log says so."""
        gone = [name for purpose in ("work", "gate") for name in self._remove(purpose)]
        empty(self._yard.repository.state, self._yard.folder, wait=_DELETING)
        for slot in self._yard.records.slots():
            self._yard.log(f"{slot.name} stays: it is {slot.state} {slot.note}".rstrip())
        return gone

    def _remove(self, purpose: str) -> list[str]:
        return making.shrink(self._yard, len(self.slots(purpose)), floor=0, purpose=purpose)


def _require_clean(slot: Slot) -> None:
    if changed := dirty_files(slot.path):
        raise Failure("slot-not-clean", f"files in it were changed while it was idle: {', '.join(changed[:5])}")
