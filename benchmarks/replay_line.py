"""The landing queue of a played replay: the product's own planner, git's merges in memory, a gate that always passes.

Every picked change is whole, so what the gate would say is known; what it costs is its time. Work that does not merge
is given back before it is tried, and so is what stands on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.building import Built, git
from benchmarks.yardsticks import pose
from coordinator.merging import plan as queue
from coordinator.merging.belief import chance
from coordinator.merging.changes import EVERYTHING, Change, Landed, Queue, Start, Trial
from coordinator.merging.stack import Finished, below, depth
from resources.system.git import merge_tree


@dataclass(frozen=True)
class Piece:
    """Finished work: its commit, the paths that it changes, the issues that it stands on, its urgency."""

    issue: str
    tip: str
    paths: frozenset[str]
    on: tuple[str, ...] = ()
    priority: int = 2


@dataclass(frozen=True)
class Landing:
    """An issue that has landed: the main branch after it, the paths that changed."""

    issue: str
    main: str
    paths: frozenset[str]


@dataclass
class PlayedLine:
    """The queue and the main branch, from event to event."""

    built: Built
    main: str
    now: float = 0.0
    pieces: dict[int, Piece] = field(default_factory=dict)
    """Entry -> the piece that waits."""
    landings: list[Landing] = field(default_factory=list)
    ends: dict[int, float] = field(default_factory=dict)
    """Trial -> when its gate ends."""
    _queued: int = 0
    _runs: int = 0
    _trials: dict[int, Trial] = field(default_factory=dict)
    _landed: list[Landed] = field(default_factory=list)
    _verdicts: list[bool] = field(default_factory=list)
    _known: dict[frozenset[str], bool] = field(default_factory=dict)

    def put(self, piece: Piece) -> None:
        """Queue finished work."""
        self._queued += 1
        self.pieces[self._queued] = piece

    @property
    def waiting(self) -> set[str]:
        """The issues whose work waits."""
        return {piece.issue for piece in self.pieces.values()}

    def finished(self) -> list[Finished]:
        """The work that waits, in landing order, as what may be built on."""
        on = self._on()
        return [
            Finished(self.pieces[one].issue, self.pieces[one].tip, depth(one, on), self.pieces[one].paths)
            for one in self._order(on)
        ]

    def end_gates(self, now: float) -> None:
        """The time is `now`: gates that end are green."""
        self.now = now
        for number in [one for one, end in self.ends.items() if end <= now]:
            self._trials[number] = replace(self._trials[number], passed=True)
            del self.ends[number]

    def settle(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Do what the planner says until it says nothing more; the issues that are given back, with their conflicts."""
        while True:
            yield from self._drop_clashing()
            step = queue.plan(self._queue())
            for number in step.stop:
                self.ends.pop(number, None)
                del self._trials[number]
            for member in (one for landing in step.land for one in landing.members):
                self._land(member)
            for start in step.start:
                self._try(start)
            if not step.land:
                return

    def _drop_clashing(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for number, piece in list(self.pieces.items()):
            merge = merge_tree(self.built.root, self.main, piece.tip)
            if not merge.clean and number in self.pieces:
                del self.pieces[number]
                self._verdicts.append(False)
                yield piece.issue, merge.conflicts

    def drop(self, issue: str) -> None:
        """The work for an issue does not land: what it stands on is gone."""
        self.pieces = {number: piece for number, piece in self.pieces.items() if piece.issue != issue}

    def _on(self) -> dict[int, tuple[int, ...]]:
        entry_of = {piece.issue: number for number, piece in self.pieces.items()}
        return {
            number: tuple(entry_of[one] for one in piece.on if one in entry_of) for number, piece in self.pieces.items()
        }

    def _order(self, on: dict[int, tuple[int, ...]]) -> Sequence[int]:
        urgent = sorted(self.pieces, key=lambda number: (self.pieces[number].priority, number))
        return list(dict.fromkeys(one for number in urgent for one in (*below(number, on), number)))

    def _queue(self) -> Queue:
        on = self._on()
        order = self._order(on)
        clashes = frozenset(
            (min(one, other), max(one, other))
            for place, one in enumerate(order)
            for other in order[:place]
            if self._clash(self.pieces[one].tip, self.pieces[other].tip)
        )
        self._trials = {
            number: trial
            for number, trial in self._trials.items()
            if number in self.ends or {*order} & {*trial.members}
        }
        return Queue(
            tuple(Change(number, on=on[number]) for number in order), tuple(self._trials.values()), tuple(self._landed),
            len(self._landed), clashes, 1, chance=chance(self._verdicts),
        )  # fmt: skip

    def _clash(self, one: str, other: str) -> bool:
        pair = frozenset((one, other))
        if pair not in self._known:
            self._known[pair] = not merge_tree(self.built.root, one, other).clean
        return self._known[pair]

    def _try(self, start: Start) -> None:
        self._runs += 1
        self._trials[self._runs] = Trial(self._runs, len(self._landed), start.members, None, start.about, start.whole)
        self.ends[self._runs] = self.now + 1.0

    def _land(self, number: int) -> None:
        piece = self.pieces.pop(number)
        merge = merge_tree(self.built.root, self.main, piece.tip)
        old, self.main = self.main, pose(self.built, merge.tree, self.main, piece.tip)
        self._landed.append(Landed(number, EVERYTHING, len(self._landed) + 1))
        self._verdicts.append(True)
        self.landings.append(Landing(piece.issue, self.main, changed(self.built, old, self.main)))


def changed(built: Built, old: str, new: str) -> frozenset[str]:
    """The paths that differ between two commits."""
    return frozenset(path for path in git(built.root, "diff", "--name-only", "-z", old, new).split("\0") if path)
