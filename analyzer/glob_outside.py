"""A path that some patterns match and others do not: what a list with negations comes down to.

All patterns are run at once over a path that is spelt one character at a time, each as the set of places in it that
may be reached (the subset construction, on the fly). A breadth-first search over these sets finds the shortest path
that all of the wanted patterns match and none of the unwanted. Characters that no token tells apart are one.

The search is exact up to MOST_STATES sets, far more than patterns written by hand come to; beyond, `Unclear`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from analyzer.glob_syntax import ANYTHING, GLOBSTAR, LAST, STAR, Glob, Ranges

MOST_STATES = 20_000
Place = tuple[int, int]
"""Segment, token; token -1 is inside a segment that `**` has taken."""
Places = frozenset[Place]


class UnclearError(Exception):
    """The search was given up."""


def shortest_outside(wanted: Sequence[Glob], unwanted: Sequence[Glob]) -> str | None:
    """A shortest path that all of `wanted` and none of `unwanted` match, None without one. May raise UnclearError."""
    globs = (*wanted, *unwanted)
    letters = _letters(globs)
    runs = [_Run(glob) for glob in globs]
    start = tuple(run.start for run in runs)
    level: list[tuple[tuple[Places, ...], str]] = [(start, "")]
    seen = {start}
    while level:
        following: list[tuple[tuple[Places, ...], str]] = []
        for state, text in level:
            at_end = tuple(run.close(places) for run, places in zip(runs, state, strict=True))
            if text and _agrees(runs, at_end, len(wanted)) and not text.endswith("/"):
                return text
            steps: list[tuple[tuple[Places, ...], str]] = [(at_end, "/")] if text and not text.endswith("/") else []
            steps += [(tuple(r.step(places, c) for r, places in zip(runs, state, strict=True)), c) for c in letters]
            for after, letter in steps:
                # A slash may lead to the same sets as no slash, but then nothing is gained by it.
                if after not in seen and all(after[: len(wanted)]):
                    seen.add(after)
                    following.append((after, text + letter))
        if len(seen) > MOST_STATES:
            raise UnclearError
        level = following
    return None


def _agrees(runs: Sequence[_Run], ends: Sequence[Places], wanted: int) -> bool:
    met = [run.is_over(places) for run, places in zip(runs, ends, strict=True)]
    return all(met[:wanted]) and not any(met[wanted:])


class _Run:
    """One pattern as an automaton over the characters of a path."""

    def __init__(self, glob: Glob) -> None:
        self.segments = glob.segments
        self.start = frozenset(self._opened(0))
        self.step = cache(self._step)

    def _opened(self, segment: int) -> Iterator[Place]:
        """The places at the beginning of a segment of the path."""
        while segment < len(self.segments) and self.segments[segment] == GLOBSTAR:
            yield segment, -1
            segment += 1
        yield from self._slid(segment, 0)

    def _slid(self, segment: int, token: int) -> Iterator[Place]:
        """A place and those behind the stars that stand there."""
        yield segment, token
        tokens = self.segments[segment] if segment < len(self.segments) else ()
        while token < len(tokens) and tokens[token] == STAR:
            token += 1
            yield segment, token

    def _step(self, places: Places, letter: str) -> Places:
        found: set[Place] = set()
        for segment, token in places:
            if token == -1:
                found.add((segment, -1))
            elif segment < len(self.segments) and token < len(self.segments[segment]):
                wants = self.segments[segment][token]
                if wants == STAR:
                    found.update(self._slid(segment, token))
                elif any(low <= ord(letter) <= high for low, high in wants):
                    found.update(self._slid(segment, token + 1))
        return frozenset(found)

    def close(self, places: Places) -> Places:
        """The places after the end of a segment of the path."""
        found: set[Place] = set()
        for segment, token in places:
            if token == -1:
                found.update(self._opened(segment))
            elif segment < len(self.segments) and token == len(self.segments[segment]):
                found.update(self._opened(segment + 1))
        return frozenset(found)

    def is_over(self, places: Places) -> bool:
        return (len(self.segments), 0) in places


def _letters(globs: Sequence[Glob]) -> list[str]:
    """One character for each set of characters that no token tells apart."""
    tokens: set[Ranges] = {token for glob in globs for segment in glob.segments for token in segment} - {STAR}
    edges = {edge for token in (*tokens, ANYTHING) for low, high in token for edge in (low, high + 1)}
    cuts = sorted(edges - {LAST + 1})
    found = []
    for low, end in zip(cuts, (*cuts[1:], LAST + 1), strict=True):
        if low != ord("/"):
            found.append(next((nice for nice in "xa0" if low <= ord(nice) < end), chr(low)))
    return sorted(found, key=lambda char: (char not in "xa0", char))
