"""What the past of a repository says about meetings: rare files, how often issues met, how broad they were.

Two issues that share a rare file will meet there; sharing the file that every issue touches says little about them,
and much about the repository. So rarity is asked of the last issues that commits name (of the commits, where they name
none), and the rate at which neighbours in time met is the level from which every pair is judged. Young repositories
meet more: there are fewer files to go round.

Change logs, read-me files, licences and versions do not count: everybody touches them, and their merges are mechanical.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from math import log, log1p

from analyzer.scopes.history import History

RECENT, LAST = 50, 10
"""Past issues that rarity is asked of, and those whose size is the breadth of the day."""
LOOKED_BACK, NEIGHBOURS = 150, 15
"""Past issues whose meetings are counted, and how many of those after each are compared with it."""
DOUBT = 20.0
"""Pairs that the usual rate is thought to have been seen in before any was."""
USUAL = 0.2
"""How often two issues meet where nothing is known: the mean of fifteen public repositories."""
TRIVIAL = ("changelog", "readme", "license", "version")

Files = frozenset[str]


class Habits:
    """A history, asked about meetings."""

    def __init__(self, history: History) -> None:
        self._history = history

    @cached_property
    def _worked(self) -> list[Files]:
        history = self._history
        known = [solid(history.files_of(issue)) for issue in history.named_issues[-LOOKED_BACK:]]
        if not known:
            end = len(history)
            known = [solid(history.files_at(number)) for number in range(max(0, end - LOOKED_BACK), end)]
        return [files for files in known if files]

    @cached_property
    def _recent(self) -> Sequence[Files]:
        return self._worked[-RECENT:]

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(path for files in self._recent for path in files)

    def rarity(self, path: str) -> float:
        """How much it tells that two issues share the path: the logarithm of how few recent issues touched it."""
        return log((len(self._recent) + 1) / (self._counts[path] + 0.5))

    def wanted(self, path: str) -> float:
        """The share of the recent issues that touched the path."""
        return self._counts[path] / max(1, len(self._recent))

    def met(self, files: Collection[str]) -> float:
        """The share of the recent issues that work on these files would have met."""
        own = solid(files)
        return sum(not own.isdisjoint(other) for other in self._recent) / max(1, len(self._recent))

    @cached_property
    def age(self) -> float:
        """The logarithm of the number of commits."""
        return log1p(len(self._history))

    @cached_property
    def breadth(self) -> float:
        """The mean logarithm of how many files each of the last issues touched."""
        last = self._worked[-LAST:]
        return sum(log1p(len(files)) for files in last) / len(last) if last else log(4)

    @cached_property
    def usual(self) -> float:
        """The log odds that two issues close in time met, drawn to the usual rate where few were seen."""
        met = seen = 0
        for place, files in enumerate(self._worked):
            after = self._worked[place + 1 : place + 1 + NEIGHBOURS]
            met += sum(not files.isdisjoint(other) for other in after)
            seen += len(after)
        rate = (met + DOUBT * USUAL) / (seen + DOUBT)
        return log(rate / (1 - rate))


def solid(files: Iterable[str]) -> Files:
    """The files in which a meeting matters."""
    return frozenset(path for path in files if not path.rpartition("/")[2].lower().startswith(TRIVIAL))
