"""Whether a red trial may be held against the change that it points at.

A person may have put something red on the base branch; then every change is red on top of it, and none is to blame. So
a change is bounced only when the check has passed what it was tried on, with the others of its trial or without them.
Where nobody has judged that, the base branch itself is judged first, once for each commit that people put there. While
it is red, what was red on it is set aside and the rest of the queue goes on, so that whatever mends it can land. No
slot and no coordinator waits for that: people have to look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from coordinator.bootstrap import Project
from coordinator.gate import review
from coordinator.gate.checks import SET_UP, Verdict
from coordinator.merging import trials
from coordinator.merging.changes import Mode
from coordinator.merging.gates import Gates
from coordinator.merging.judging import Judging
from coordinator.merging.land import build
from coordinator.merging.order import Entry
from coordinator.merging.register import Register
from coordinator.merging.rulings import Ruling
from coordinator.merging.trials import Run
from coordinator.tasks.lifecycle import Outcome
from resources.system.commits import content_of, paths_between


@dataclass
class Blame:
    """Asks for one project."""

    project: Project
    gates: Gates
    judging: Judging
    register: Register
    title: Callable[[str], str]
    aside: dict[int, str] = field(default_factory=dict)
    """The entries that wait until somebody has mended the base branch, with why, as of the last `begin`."""
    _base: str = ""
    _told: set[object] = field(default_factory=set)

    def begin(self, base: str) -> None:
        """Another look, at the commit `base`."""
        self._base = base
        self.aside.clear()

    def stuck(self, entries: Sequence[Entry], base: str) -> bool:
        """Whether nothing can be done about any of the entries before the base branch leaves the commit `base`."""
        return base == self._base and all(entry.id in self.aside for entry in entries)

    def parked(self, entries: Sequence[Entry], on: Mapping[int, Sequence[int]]) -> list[Ruling]:
        """What was set aside, and what stands on it, keeps its place in the queue and gives back its slot."""
        for entry in entries:
            if any(parent in self.aside for parent in on.get(entry.id, ())):
                self.aside.setdefault(entry.id, f"it stands on work that waits until {self.project.base} is green")
        new = [one for one in entries if one.fence and one.id in self.aside and (one.id, self._base) not in self._told]
        self._told |= {(one.id, self._base) for one in new}
        return [Ruling(one.issue, Outcome.LOOK, self.aside[one.id]) for one in new]

    def is_fair(self, entry: Entry, run: Run, base: str, workers: int) -> bool:
        """Whether `run` was red because of the entry; when that is not known, what would tell is seen to."""
        verdict = self.judging.verdict(run.tree, run.gate)
        red = verdict.failed.name if verdict and verdict.failed else ""
        # A reviewer speaks of the change alone.
        if red == review.NAME or self._was_landed(run.tip) or self._passed(self._without(entry, run), run.gate):
            return True
        bare = self.judging.verdict(content_of(self.project.repository.root, run.tip), run.gate)
        if bare is not None and (bare.passed or _passes(bare, red)):
            return True
        if run.tip != base:
            with self.project.ledger.write() as tx:
                trials.void(tx, run.id, "the base branch, which has moved since, was not known to be green")
        elif bare is not None:
            self._set_aside(entry, base, bare)
        elif self.judging.benches.running < workers:
            why = f"was red; whether {self.project.base} itself is red is being found out"
            self.register.move([entry], "queued", why)
            self.judging.bare(base, self.gates.choice(paths_between(self.project.repository.root, base, run.tree)))
        return False

    def _was_landed(self, tip: str) -> bool:
        """Whether the queue itself has put the base branch there, which it does with what has passed as a whole.

        Of what landed together only the last tree has passed; somebody may have put the base branch back to another.
        """
        with self.project.ledger.read() as snapshot:
            row = snapshot.one("landing-of-merge", merged=tip)
        if row is None or self.project.config.merge.mode == Mode.LANES:
            return False
        tree = content_of(self.project.repository.root, tip)
        return any(self._passed(tree, key) for key in self.gates.keys)

    def _without(self, entry: Entry, run: Run) -> str:
        """The tree of a trial without the entry; "" when the entry was alone, or the others cannot be merged alone."""
        with self.project.ledger.read() as snapshot:
            rows = [snapshot.one("landing", id=number) for number in run.members if number != entry.id]
        others: Sequence[Entry] = [Entry.of(row) for row in rows if row is not None]
        candidate = build(self.project.repository, run.tip, others, self.title) if others else None
        return candidate.tree if candidate is not None and candidate.stuck is None else ""

    def _passed(self, tree: str, key: str) -> bool:
        verdict = self.judging.verdict(tree, key) if tree else None
        return verdict is not None and verdict.passed

    def _set_aside(self, entry: Entry, base: str, bare: Verdict) -> None:
        said = f"{self.project.base} itself is red at {base[:10]} ({bare.why})"
        if base not in self._told:
            self._told.add(base)
            self.project.say(f"{said}: nobody is blamed for it, and what mends it can land")
            with self.project.ledger.write() as tx:
                tx.event("base.red", commit=base, why=bare.why)
        self.aside[entry.id] = f"{said}; it is tried again when that has changed"
        self.register.move([entry], "queued", self.aside[entry.id])


def _passes(bare: Verdict, check: str) -> bool:
    """Whether the check has passed where another one was red; a database that could be made is not told of."""
    said = {one.name: one.passed for one in bare.results}
    return said.get(check, check == SET_UP and SET_UP not in said)
