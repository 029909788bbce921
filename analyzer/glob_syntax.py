"""How a path pattern is read: braces expanded, segments and tokens as sets of code points.

A pattern becomes one `Glob` for each way its braces can be read; a Glob is a tuple of segments, a segment a tuple
of tokens, a token a sorted tuple of code-point ranges (never `/`). Two marks stand apart: the empty token is the
star inside a segment, the empty segment is `**`. The functions of `globs` work on these values alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise, takewhile
from typing import NamedTuple

from resources.system.errors import Failure

MOST_EXPANSIONS = 256
_WILD = re.compile(r"[*?\[]")
LAST = 0x10FFFF
DEEPEST = 1 << 30
"""Segments of a path that `**` may stand in."""
Ranges = tuple[tuple[int, int], ...]
Segment = tuple[Ranges, ...]
STAR: Ranges = ()
ANYTHING: Ranges = ((1, 46), (48, LAST))
GLOBSTAR: Segment = ()


@dataclass(frozen=True, eq=False)
class Glob:
    """One brace-free pattern. `read_pattern` makes each once, so that it can be a key by its identity."""

    parts: tuple[str, ...]
    """Its segments as they were written."""
    prefix: str
    """Its leading literal segments, joined."""
    literal: str | None
    """The one path it matches, when it can match one only."""
    whole_folder: bool
    """It is `prefix/**`."""
    tokens: tuple[Segment, ...] | None = None
    """Its segments, where they had to be read."""

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Its segments as tokens. Of plain paths, which most patterns are, hardly anybody asks for them."""
        return _segments(self.parts, "") if self.tokens is None else self.tokens

    @cached_property
    def outline(self) -> Outline:
        """What every path that it covers looks like."""
        fixed = sum(segment != GLOBSTAR for segment in self.segments)
        front, back = (_fixed_edges(side) for side in (self.segments, reversed(self.segments)))
        return Outline(fixed, fixed if fixed == len(self.segments) else DEEPEST, front, back)


Edges = tuple[str, str]
"""The plain text that a segment begins with and ends with."""


class Outline(NamedTuple):
    """How many segments a path has, and the edges of those whose place is known from the front, or from the back."""

    fewest: int
    most: int
    front: tuple[Edges, ...]
    back: tuple[Edges, ...]

    def is_apart(self, other: Outline) -> bool:
        """True only when no path fits both; found out without any product."""
        if self.fewest > other.most or other.fewest > self.most:
            return True
        return _differ(self.back, other.back) or _differ(self.front, other.front)


def _differ(mine: tuple[Edges, ...], theirs: tuple[Edges, ...]) -> bool:
    for (head, tail), (other_head, other_tail) in zip(mine, theirs, strict=False):
        if not (head.startswith(other_head) or other_head.startswith(head)):
            return True
        if not (tail.endswith(other_tail) or other_tail.endswith(tail)):
            return True
    return False


def _fixed_edges(segments: Iterable[Segment]) -> tuple[Edges, ...]:
    """The edges of the segments before the first `**`."""
    return tuple(map(_edges, takewhile(bool, segments)))


@lru_cache(maxsize=1 << 14)
def _edges(segment: Segment) -> Edges:
    head, tail = (
        "".join(chr(token[0][0]) for token in takewhile(_is_plain, side)) for side in (segment, segment[::-1])
    )
    return head, tail[::-1]


def _is_plain(token: Ranges) -> bool:
    return len(token) == 1 and token[0][0] == token[0][1]


def bad_pattern(pattern: str, why: str) -> Failure:
    """The refusal of a pattern, with what to write instead."""
    mend = "write it relative to the root of the repository, e.g. src/**, docs/*.md or {a,b}.py"
    return Failure("bad-pattern", f"the pattern {pattern!r} cannot be used", why=why, mend=mend)


@lru_cache(maxsize=1 << 16)
def read_pattern(pattern: str) -> tuple[Glob, ...]:
    """Every brace-free reading of the pattern. Raises Failure `bad-pattern`."""
    return tuple(_parse(text, pattern) for text in _expand(pattern))


def _expand(pattern: str) -> list[str]:
    """All brace-free readings of the pattern; `{x}` without a comma is plain text, as in a shell."""
    done: list[str] = []
    waiting = [(pattern, 0)]
    while waiting:
        text, start = waiting.pop()
        found = _first_brace(text, start, pattern)
        if found is None:
            done.append(text)
        elif len(found[1]) == 1:
            waiting.append((text, found[0] + 1))
        else:
            opens, choices, closes = found
            waiting.extend((text[:opens] + one + text[closes + 1 :], opens) for one in reversed(choices))
        if len(done) + len(waiting) > MOST_EXPANSIONS:
            raise bad_pattern(pattern, f"its braces stand for more than {MOST_EXPANSIONS} patterns")
    return done


def _first_brace(text: str, start: int, pattern: str) -> tuple[int, list[str], int] | None:
    """Where the first brace opens, what it offers, where it closes."""
    depth, opens, cuts = 0, -1, [-1]
    for at, char in _braces(text, start, pattern):
        if char == "{":
            depth += 1
            if depth == 1:
                opens, cuts = at, [at]
        elif depth == 1:
            cuts.append(at)
            if char == "}":
                return opens, [text[a + 1 : b] for a, b in pairwise(cuts)], at
        elif char == "}" and depth:
            depth -= 1
    if depth:
        raise bad_pattern(pattern, "a brace is not closed")
    return None


def _braces(text: str, start: int, pattern: str) -> Iterator[tuple[int, str]]:
    """The braces and commas of the text; inside a class they are plain characters."""
    at = start
    while at < len(text):
        if text[at] == "[":
            at = _class_end(text, at, pattern)
        elif text[at] in "{,}":
            yield at, text[at]
        at += 1


def class_end(text: str, start: int) -> int:
    """Where the class that opens at `start` closes, -1 where it does not. `[]a]` holds a `]`, `[!]` a plain `!`."""
    negated = text[start + 1 : start + 2] in ("!", "^") and text[start + 2 : start + 3] != "]"
    end = text.find("]", start + (3 if negated else 2))
    return end if "/" not in text[start:end] else -1


def _class_end(text: str, start: int, pattern: str) -> int:
    end = class_end(text, start)
    if end < 0:
        raise bad_pattern(pattern, "a character class is not closed")
    return end


def _parse(text: str, pattern: str) -> Glob:
    parts = tuple(part for part in text.split("/") if part)
    if not _WILD.search(text):
        path = "/".join(parts)
        return Glob(parts, path, path, whole_folder=False)
    segments = _segments(parts, pattern)
    plain: list[str] = []
    for segment in segments:
        name = _literal(segment)
        if name is None:
            break
        plain.append(name)
    prefix = "/".join(plain)
    literal = prefix if len(plain) == len(segments) else None
    return Glob(parts, prefix, literal, whole_folder=segments[len(plain) :] == (GLOBSTAR,), tokens=segments)


def _segments(parts: Iterable[str], pattern: str) -> tuple[Segment, ...]:
    return tuple(GLOBSTAR if part == "**" else _tokens(part, pattern) for part in parts)


def _tokens(part: str, pattern: str) -> Segment:
    found: list[Ranges] = []
    at = 0
    while at < len(part):
        char = part[at]
        if char == "*":
            if not found or found[-1] != STAR:
                found.append(STAR)
        elif char == "?":
            found.append(ANYTHING)
        elif char == "[":
            end = _class_end(part, at, pattern)
            found.append(_class(part[at + 1 : end], pattern))
            at = end
        else:
            found.append(((ord(char), ord(char)),))
        at += 1
    return tuple(found)


def _class(body: str, pattern: str) -> Ranges:
    negated = body[0] in "!^" and len(body) > 1
    body = body[1:] if negated else body
    ranges: list[tuple[int, int]] = []
    at = 0
    while at < len(body):
        last = at + 2 if body[at + 1 : at + 2] == "-" and at + 2 < len(body) else at
        ranges.append((ord(body[at]), ord(body[last])))
        at = last + 1
    kept = common(ANYTHING, _gaps(sorted(ranges)) if negated else tuple(sorted(ranges)))
    if not kept or any(low > high for low, high in ranges):
        raise bad_pattern(pattern, f"the class [{body}] matches nothing")
    return kept


def _gaps(ranges: Sequence[tuple[int, int]]) -> Ranges:
    gaps, free = [], 1
    for low, high in ranges:
        if low > free:
            gaps.append((free, low - 1))
        free = max(free, high + 1)
    return (*gaps, (free, LAST))


def common(a: Ranges, b: Ranges) -> Ranges:
    """The characters that both tokens match."""
    both = ((max(x[0], y[0]), min(x[1], y[1])) for x in a for y in b)
    return tuple(sorted(pair for pair in both if pair[0] <= pair[1]))


def _literal(segment: Segment) -> str | None:
    if segment == GLOBSTAR or not all(map(_is_plain, segment)):
        return None
    return "".join(chr(token[0][0]) for token in segment)
