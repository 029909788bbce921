"""What must hold after every step of the model check, whatever was killed.

1. What the queue has put on main is green, and the gate has said so of that tree.
2. Nobody lands twice, what the ledger calls landed is on main, and nothing of anybody is there who has not landed.
3. Whoever was bounced by the gate is red on top of others that are green without him.
4. Stacked work lands after what it stands on, and holds no path but those that its own commits touch.
5. No tree is judged again once the gate has spoken about it, and no more trials run than there are workers.
6. What somebody took off main does not come back with the work of others.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from benchmarks.queue_authors import Authors
from benchmarks.queue_trees import Trees
from coordinator.bootstrap import Project
from coordinator.mail import reservations
from coordinator.mail.reservations import Reservation
from coordinator.merging import queue
from coordinator.merging.gates import Gates
from coordinator.merging.land import build
from coordinator.merging.rewritten import SEEN
from resources.state.store import Snapshot


class Promises:
    """The promises of one world, and what has been seen of it."""

    def __init__(self, trees: Trees, authors: Authors, first: str) -> None:
        self._trees = trees
        self._authors = authors
        self._checked: set[int] = set()
        self._bringing: set[str] = set()
        self._unseen: set[str] = set()
        self._tip = ""
        self._landed: dict[str, int] = {}
        self.by_hand = {first}
        """Where people have put main."""
        self.there: set[str] = set()
        """All commits that are on main."""
        self.dropped: set[str] = set()
        """Commits that were on main, and that the queue knows of."""
        self.off: set[str] = set()
        """Issues that somebody took off main."""
        self.landed, self.stacked = 0, 0
        """How many have landed, and how many of those had begun on unlanded work."""

    def rewound(self, project: Project, new: str) -> None:
        """Somebody is about to put main back to `new`."""
        gone = self.there - self._trees.beyond(new, ())
        with project.ledger.read() as snapshot:
            seen = snapshot.one("meta-get", key=SEEN)
        known = self._trees.beyond(seen["value"], ()) if seen else set()
        self.dropped |= gone & known
        self._unseen |= gone - known
        self.off |= {self._trees.look(one).issue for one in gone} - {""}

    def wanted(self, entry: queue.Entry) -> None:
        """A person lets an entry land with all that it brings."""
        self.dropped -= self._trees.beyond(entry.tip, ())
        self._bringing.add(entry.issue)

    def look(self, project: Project) -> str:
        """The promise that is broken, "" when all hold."""
        tip = project.base_tip()
        with project.ledger.read() as snapshot:
            entries = queue.history(snapshot)
            held = reservations.live(snapshot)
            verdict = snapshot.one("verdict", tree=self._trees.tree(tip), gate=Gates(project.config).keys[0])
        if tip != self._tip and (broken := self._moved(tip, bool(verdict and verdict["passed"]))):
            return broken
        for entry in entries:
            if entry.state == "landed" and entry.issue not in self._landed and entry.issue not in self.off:
                return f"{entry.issue} has not landed"
            if entry.state == "bounced" and entry.id not in self._checked:
                self._checked.add(entry.id)
                if broken := self._bounced(project, entry):
                    return broken
        alien = [one for one in held if self._is_alien(one)]
        return f"{alien[0].issue} holds {alien[0].pattern}, which it never touched" if alien else ""

    def _is_alien(self, one: Reservation) -> bool:
        if one.pattern in self._authors.paths[one.issue] or one.issue in self._bringing:
            return False
        work = self._authors.works.get(one.issue)
        return work is None or not self._trees.beyond(work.head, ()) & self._unseen

    def _moved(self, tip: str, judged: bool) -> str:
        trees, line = self._trees, self._trees.first_parents(tip)
        new = trees.beyond(tip, self.there)
        self._tip = tip
        self.there = self.there | new if trees.look(tip).parents and line[1] in self.there else trees.beyond(tip, ())
        landed = [issue for commit in reversed(line) if (issue := trees.look(commit).issue)]
        self._landed = {issue: place for place, issue in enumerate(landed)}
        if len(landed) != len(self._landed):
            return "somebody landed twice"
        if tip not in self.by_hand and not (judged and trees.is_green(trees.tree(tip))):
            return f"main stands on {tip}, which is red or which nobody has judged"
        if back := new & self.dropped:
            return f"{sorted(back)[0]} was taken off main and has come back"
        return self._whose(new)

    def _whose(self, new: Collection[str]) -> str:
        for commit in new:
            issue = self._authors.made.get(commit, "")
            if issue and issue not in self._landed and issue not in self.off:
                return f"{issue} has not landed, and its commit {commit} is on main"
        for issue, place in self._landed.items():
            work = self._authors.works.get(issue)
            if work is None or work.head not in new:
                continue
            self.landed, self.stacked = self.landed + 1, self.stacked + bool(work.stack)
            for parent in work.stack:
                if parent not in self.off and self._landed.get(parent, len(self._landed)) > place:
                    return f"{issue} landed before {parent}, which it stands on"
        return ""

    def _bounced(self, project: Project, entry: queue.Entry) -> str:
        if not entry.blamed:
            return ""
        with project.ledger.read() as snapshot:
            row = snapshot.one("trial", id=entry.blamed) or {}
            members = [_entry(snapshot, one) for one in json.loads(row["members"]) if one != entry.id]
        others = build(project.repository, row["tip"], members, str)
        if self._trees.is_green(row["tree"]):
            return f"{entry.issue} bounced for a green trial"
        return "" if self._trees.is_green(others.tree) else f"{entry.issue} was blamed for others"


def _entry(snapshot: Snapshot, number: int) -> queue.Entry:
    row = snapshot.one("landing", id=number)
    assert row is not None, "entries are never deleted"
    return queue.Entry.of(row)
