"""How many gates this machine runs at once without their getting in each other's way: pure.

Nobody knows it beforehand: a suite that uses every core gains nothing from a second worker and loses latency, one
that waits for a database gains much. So it is measured on the runs that happen anyway: with T(n) the median time of
a green gate while n run, n gates at once are worth n * T(1) / T(n) workers. Another worker is added as long as the
last one was worth at least half of itself, and what has not been measured yet is tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

ENOUGH = 3
"""Runs that make a measurement."""

WORTH = 0.5
"""What an added worker must gain, in workers."""


def useful_workers(timed: Mapping[int, Sequence[float]], most: int) -> int:
    """How many workers to use, at most `most`. `timed` are seconds of green runs by how many ran at once."""
    alone = _typical(timed, 1)
    if alone is None:
        return min(2, most)
    gained = 1.0
    for count in range(2, most + 1):
        typical = _typical(timed, count)
        if typical is None:
            return count
        gain = count * alone / typical
        if gain - gained < WORTH:
            return count - 1
        gained = gain
    return most


def _typical(timed: Mapping[int, Sequence[float]], count: int) -> float | None:
    seconds = timed.get(count, ())
    return max(median(seconds), 1e-3) if len(seconds) >= ENOUGH else None
