"""What becomes of an entry, written down: its row, the event, and the ruling for the coordinator.

Each write names the state that it expects; an entry that somebody else has moved on meanwhile is left alone, and then
there is no ruling either.
"""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.bootstrap import Project
from coordinator.merging import queue
from coordinator.merging.land import Merged
from coordinator.merging.order import Entry
from coordinator.merging.rulings import Ruling
from coordinator.tasks.lifecycle import Outcome
from resources.state import leases
from resources.state.store import Transaction


class Register:
    """The queue's entries in the ledger of a project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def landed(self, parts: Sequence[Merged]) -> list[Ruling]:
        """The base branch contains these now."""
        rulings = []
        with self._project.ledger.write() as tx:
            for part in parts:
                # What was queued again after it had landed came there by the same commit, which the first one keeps.
                again = part.commit and tx.one("landing-of-merge", merged=part.commit)
                if queue.move(tx, part.entry, "landed", merged="" if again else part.commit):
                    self.event(tx, "landing.landed", part.entry, merged=part.commit)
                    rulings.append(Ruling(part.entry.issue, Outcome.LANDED, f"landed on {self._project.base}"))
        return rulings

    def bounced(self, entry: Entry, ruling: Ruling, blamed: int = 0) -> list[Ruling]:
        """The entry goes back to its author; `blamed` is the trial that it failed."""
        with self._project.ledger.write() as tx:
            if not queue.move(tx, entry, "bounced", ruling.why, blamed=blamed):
                return []
            self.event(tx, "landing.bounced", entry, why=ruling.why)
        return [ruling]

    def look(self, entry: Entry, why: str) -> list[Ruling]:
        """A person must look at the entry first."""
        with self._project.ledger.write() as tx:
            if not queue.move(tx, entry, "look", why):
                return []
            self.event(tx, "landing.look", entry, why=why)
        return [Ruling(entry.issue, Outcome.LOOK, f"a person must look: {why}")]

    def withdraw(self, entry: Entry) -> None:
        """The claim under which the entry was queued has ended."""
        self.move([entry], "withdrawn", "its claim has ended")

    def move(self, entries: Sequence[Entry], state: str, why: str = "") -> None:
        """Take entries that are not there yet to `state`."""
        moving = [entry for entry in entries if entry.state != state or entry.why != why]
        if moving:
            with self._project.ledger.write() as tx:
                for entry in moving:
                    queue.move(tx, entry, state, why)

    def is_claimed(self, entry: Entry) -> bool:
        """Whether the claim under which the entry was queued still stands."""
        with self._project.ledger.read() as snapshot:
            return entry.fence == 0 or leases.is_valid(snapshot, entry.fence)

    def event(self, tx: Transaction, kind: str, entry: Entry, **data: object) -> None:
        """Log what is done about an entry."""
        task = tx.one("task", issue=entry.issue) or {"slot": "", "agent": "", "attempt": 0}
        tx.event(kind, issue=entry.issue, slot=task["slot"], agent=task["agent"], attempt=task["attempt"], **data)
