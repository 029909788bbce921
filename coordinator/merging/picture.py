"""What the planner is told: the ledger's entries and trials, and git's base branch, as one `Queue`.

Tips are counted back from the newest commit of the base branch along its first parents: 0 is the tip, -3 the commit
with three landings on top. A commit there that no entry landed is somebody else's, and may have changed anything it
touches. A trial whose tip is not on that line any more (the branch was rewritten) tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.globs import PatternSet
from coordinator.merging.belief import chance
from coordinator.merging.changes import EVERYTHING, Change, Landed, Mode, Queue, Trial
from coordinator.merging.order import Entry
from coordinator.merging.trials import Run
from resources.state.store import Snapshot
from resources.system.crossing import own_fork
from resources.system.git import changed_files, git
from resources.system.repository import Repository

REACH = 500
"""How many commits of the base branch are looked back at; a trial that is older tells nothing."""


Clashes = frozenset[tuple[int, int]]
"""Pairs of entries that git cannot merge."""


@dataclass(frozen=True)
class Seen:
    """What stands in the ledger at one moment: entries in landing order, what they stand on, and the trials."""

    entries: Sequence[Entry]
    on: Mapping[int, tuple[int, ...]]
    runs: Sequence[Run]


@dataclass
class Line:
    """The base branch's newest commits, and which entry each of them landed (0: none). Read again when it moves."""

    repository: Repository
    mode: Mode
    targets: Mapping[str, Sequence[str]]
    commits: list[str] = field(default_factory=list)
    _landed: dict[str, tuple[int, frozenset[str]]] = field(default_factory=dict)
    _of_tip: dict[str, frozenset[str]] = field(default_factory=dict)

    def read(self, tip: str) -> None:
        """Look at the branch as it is now."""
        if not self.commits or self.commits[0] != tip:
            newest = ("rev-list", "--first-parent", f"--max-count={REACH}")
            self.commits = git(self.repository.root, *newest, "--end-of-options", tip, read=True).lines

    def queue(self, snapshot: Snapshot, seen: Seen, clashes: Clashes, workers: int) -> Queue:
        """Everything together."""
        runs = seen.runs
        told = self.trials(runs)
        verdicts = [row["state"] == "landed" for row in reversed(snapshot.all("landings-judged"))]
        return Queue(
            waiting=tuple(self.change(entry, seen.on.get(entry.id, ())) for entry in seen.entries),
            trials=tuple(told),
            landed=tuple(self.landed(snapshot, told)),
            clashes=clashes,
            workers=workers,
            mode=self.mode,
            chance=chance(verdicts),
        )

    def trials(self, runs: Sequence[Run]) -> list[Trial]:
        """The runs that stand on this line, as the planner sees them."""
        place = {commit: where for where, commit in enumerate(self.commits)}
        return [
            Trial(run.id, -place[run.tip], run.members, run.passed, run.about, run.whole)
            for run in runs
            if run.tip in place
        ]

    def landed(self, snapshot: Snapshot, trials: Sequence[Trial]) -> list[Landed]:
        """What came onto the branch since the oldest of the trials."""
        depth = -min((trial.tip for trial in trials), default=0)
        found = []
        for where, commit in enumerate(self.commits[:depth]):
            if commit not in self._landed:
                row = snapshot.one("landing-of-merge", merged=commit)
                touched = self._touched(f"{commit}^", commit) if self.mode is not Mode.EXACT else EVERYTHING
                self._landed[commit] = (row["id"] if row else 0, touched)
            number, touched = self._landed[commit]
            found.append(Landed(number, touched, -where))
        return found

    def change(self, entry: Entry, on: tuple[int, ...] = ()) -> Change:
        """An entry as the planner sees it; `on` are those that it stands on."""
        if self.mode is Mode.EXACT or not self.targets:
            return Change(entry.id, on=on)
        if entry.tip not in self._of_tip:
            base = own_fork(self.repository.root, self.commits[0], entry.tip).commit
            self._of_tip[entry.tip] = self._touched(base, entry.tip) if base else EVERYTHING
        return Change(entry.id, self._of_tip[entry.tip], on)

    def _touched(self, old: str, new: str) -> frozenset[str]:
        return targets_of(changed_files(self.repository.root, old, new), self.targets)


def targets_of(paths: Sequence[str], targets: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The targets whose outcome depends on one of `paths`; all of them when a path belongs to none."""
    sets = {name: PatternSet(patterns) for name, patterns in targets.items()}
    found: set[str] = set()
    for path in paths:
        of_path = {name for name, patterns in sets.items() if patterns.match(path)}
        if not of_path:
            return EVERYTHING
        found |= of_path
    return frozenset(found) or EVERYTHING
