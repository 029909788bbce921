"""How a path pattern is read: braces expanded, segments and tokens as sets of code points.

A pattern becomes one `Glob` for each way its braces can be read; a Glob is a tuple of segments, a segment a tuple
of tokens, a token a sorted tuple of code-point ranges (never `/`). Two marks stand apart: the empty token is the
star inside a segment, the empty segment is `**`. The functions of `globs` work on these values alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from resources.system.errors import Failure

MOST_EXPANSIONS = 256
LAST = 0x10FFFF
Ranges = tuple[tuple[int, int], ...]
Segment = tuple[Ranges, ...]
STAR: Ranges = ()
ANYTHING: Ranges = ((1, 46), (48, LAST))
GLOBSTAR: Segment = ()


@dataclass(frozen=True, eq=False)
class Glob:
    """One brace-free pattern. `read_pattern` makes each once, so that it can be a key by its identity."""

    prefix: str
    """Its leading literal segments, joined."""
    segments: tuple[Segment, ...]
    literal: str | None
    """The one path it matches, when it can match one only."""
    whole_folder: bool
    """It is `prefix/**`."""


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


def _class_end(text: str, start: int, pattern: str) -> int:
    first = start + 2 if text[start + 1 : start + 2] in ("!", "^") else start + 1
    end = text.find("]", first + 1)
    if end < 0 or "/" in text[start:end]:
        raise bad_pattern(pattern, "a character class is not closed")
    return end


def _parse(text: str, pattern: str) -> Glob:
    parts = [part for part in text.split("/") if part]
    segments = tuple(GLOBSTAR if part == "**" else _tokens(part, pattern) for part in parts)
    plain: list[str] = []
    for segment in segments:
        name = _literal(segment)
        if name is None:
            break
        plain.append(name)
    prefix = "/".join(plain)
    literal = prefix if len(plain) == len(segments) else None
    return Glob(prefix, segments, literal, segments[len(plain) :] == (GLOBSTAR,))


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
    if segment == GLOBSTAR or any(len(token) != 1 or token[0][0] != token[0][1] for token in segment):
        return None
    return "".join(chr(token[0][0]) for token in segment)
