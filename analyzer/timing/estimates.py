"""How long an issue will keep an agent busy, in seconds.

Its own `estimated_minutes` where it has them. Else what the tracker's closed issues teach, by kind and by length of
text, if at least eight of them bear it out:
  * the median of their own estimates;
  * else the default, scaled: the median time from creation to closing in the class over that of all closed issues.
    Most of such a time is waiting, so it says which work is longer, not how long it is, and no class may differ from
    the default by more than a factor of two.
Else the default. Learned times are rounded to five minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from analyzer.backlog.issues import Issue

FEWEST = 8
"""Closed issues that a class needs to say anything."""
SHORTEST, LONGEST = 60.0, 30 * 86400.0
"""Closings outside of this are clerical: closed as created, or forgotten."""
MOST_SCALE = 2.0
ROUND = 300.0
LONG_TEXT, SHORT_TEXT = 1500, 300
"""Characters."""
Class = tuple[str, str]
"""Kind and size."""


@dataclass(frozen=True)
class Estimates:
    """What was learned: seconds by class; `default` for the others."""

    default: float
    learned: Mapping[Class, float] = field(default_factory=dict)

    def seconds(self, issue: Issue) -> float:
        """The work in an issue."""
        if issue.estimated_minutes:
            return issue.estimated_minutes * 60.0
        return self.learned.get(_class(issue), self.default) if self.learned else self.default


def learn(issues: Iterable[Issue], default: float) -> Estimates:
    """The estimates that the closed issues bear out."""
    stated: dict[Class, list[float]] = {}
    taken: dict[Class, list[float]] = {}
    for issue in issues:
        if issue.estimated_minutes:
            stated.setdefault(_class(issue), []).append(issue.estimated_minutes * 60.0)
        elif SHORTEST <= (seconds := _until_closed(issue)) <= LONGEST:
            taken.setdefault(_class(issue), []).append(seconds)
    every = [seconds for group in taken.values() for seconds in group]
    usual = median(every) if every else 0.0
    learned = {name: _scaled(median(group) / usual, default) for name, group in taken.items() if len(group) >= FEWEST}
    learned |= {name: _rounded(median(group)) for name, group in stated.items() if len(group) >= FEWEST}
    return Estimates(default, learned)


def _until_closed(issue: Issue) -> float:
    """Seconds from creation to closing, 0 where that is not told."""
    if issue.is_open or issue.created is None or issue.closed is None:
        return 0.0
    return issue.closed - issue.created


def _class(issue: Issue) -> Class:
    size = len(issue.title) + len(issue.description) + len(issue.design) + len(issue.acceptance) + len(issue.notes)
    return issue.kind, "long" if size > LONG_TEXT else "short" if size < SHORT_TEXT else ""


def _scaled(ratio: float, default: float) -> float:
    return _rounded(default * min(MOST_SCALE, max(1 / MOST_SCALE, ratio)))


def _rounded(seconds: float) -> float:
    return max(ROUND, ROUND * round(seconds / ROUND))
