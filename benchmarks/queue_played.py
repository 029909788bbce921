"""What the model check plays: the gate, and a coordinator's death in the middle of its writes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.queue_trees import Trees
from coordinator.gate.bench import Subject
from coordinator.gate.checks import CheckResult, Verdict
from coordinator.merging.benches import Ended
from resources.state.leases import Lease
from resources.state.sqlite import SqliteLedger


class Killed(BaseException):
    """The coordinator has died."""


class Frail(SqliteLedger):
    """A ledger whose user dies before or after one of its writes."""

    writes_left = -1
    before = True

    @contextmanager
    def write(self) -> Generator[Any]:
        if self.writes_left == 0 and self.before:
            raise Killed
        with super().write() as tx:
            yield tx
        if self.writes_left == 0:
            raise Killed
        self.writes_left -= 1


class Played:
    """The gate as a rule about trees; trials end when the schedule says so."""

    def __init__(self, trees: Trees, known: Callable[[str], bool | None]) -> None:
        self._trees = trees
        self._known = known
        self.trials: dict[int, str] = {}
        self._over: list[Ended] = []

    @property
    def running(self) -> int:
        return len(self.trials)

    @property
    def leases(self) -> list[Lease]:
        return []

    def judge(self, trial: int, subject: Subject) -> None:
        tree = self.trials[trial] = self._trees.tree(subject.commit)
        if self._known(tree) is not None:
            raise AssertionError(f"tree {tree} is judged again")

    def stop(self, trial: int) -> None:
        self.trials.pop(trial, None)

    def ended(self) -> Iterator[Ended]:
        yield from self._over
        self._over.clear()

    def close(self) -> None:
        self.trials.clear()

    def end(self, trial: int) -> None:
        """The gate of a trial ends."""
        tree = self.trials.pop(trial)
        passed = self._trees.is_green(tree)
        result = CheckResult("rule", passed, 0 if passed else 1, 1.0, "", "")
        self._over.append(Ended(trial, Verdict(passed, (result,)), -1))
