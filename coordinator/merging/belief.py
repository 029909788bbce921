"""How likely a change passes, and how many to try at once: pure.

With one worker, trying several changes together and halving what turns out red costs fewer trials than one each, as
long as most pass (group testing; Dorfman 1943, the recursion below is the usual one with inference: when the first
half of a red group is green, the red is in the second). Above a failure rate of 0.38 no grouping gains anything
(Ungar 1960); below a gain of a tenth it is not worth that one red change delays its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

PRIOR = 0.85
"""The chance that is assumed before anything was judged."""

WEIGHT = 0.98
"""How much of the estimate stays with each new verdict."""

LARGEST = 8
"""No group is larger: from here on the gain is small and the latency is not."""

WORTH = 0.9
"""Trials per change above which grouping is left alone."""


def chance(verdicts: Iterable[bool], prior: float = PRIOR) -> float:
    """The exponential average of verdicts on single changes, oldest first."""
    estimate = prior
    for passed in verdicts:
        estimate = WEIGHT * estimate + (1 - WEIGHT) * passed
    return estimate


def group_size(passes: float) -> int:
    """How many changes one worker tries together when each passes with probability `passes`; 1: one at a time."""
    return _group_size(round(passes, 2))


@cache
def _group_size(passes: float) -> int:
    costs = {number: _fresh(number, passes) / number for number in range(1, LARGEST + 1)}
    best = min(costs.values())
    # Beyond this the gain is a few trials in a hundred, and everybody in a red group waits for the halving.
    return min(number for number, cost in costs.items() if cost <= best * 1.05) if best <= WORTH else 1


def _fresh(number: int, passes: float) -> float:
    # Expected trials to settle `number` changes of which nothing is known.
    if number <= 0:
        return 0.0
    return 1.0 + (1 - passes**number) * _red(number, passes)


@cache
def _red(number: int, passes: float) -> float:
    # The same for a group that is known to be red. One change alone is settled by that.
    if number == 1 or passes == 1:
        return 0.0
    half = number // 2
    red = (1 - passes**half) / (1 - passes**number)
    first = red * (_red(half, passes) + _fresh(number - half, passes))
    return 1.0 + first + (1 - red) * _red(number - half, passes)


def suspect(passes: float, suspects: int) -> float:
    """The chance that a change passes when it and `suspects` - 1 others are known not to pass all together."""
    together = passes**suspects
    return (passes - together) / (1 - together) if together < 1 else 0.0
