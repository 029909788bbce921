"""Path patterns: which paths they match, and whether two of them share one.

Reservations and scopes are patterns; two agents may work side by side only when no path matches both, so the
question "do these two patterns meet?" must be answered exactly, with a path as the proof. Matching the text of
one pattern with the other, as lock servers often do, misses a third of the true overlaps.

Decisions. Patterns are anchored at the root of the repository. `**` is a whole segment and takes any number of
segments, none included, so `src/**` covers `src` too. `*`, `?` and classes stay inside one segment, dotfiles
included. Braces are expanded first, at most 256 ways. There is no backslash escape: `[*]` is a plain star (`escape`
writes that). Texts are compared in Unicode NFC. Only a list of patterns has negations (`PatternSet`); what it matches
and whether it meets a pattern are exact, up to the size that `glob_outside` names, beyond which it errs by meeting.

Method. A pattern is a list of segments, a segment a list of tokens (sets of code points, or a star). Two lists
meet if a dynamic program over both reaches the two ends; the same program decides segments and tokens. It keeps
the shortest witness, builds no automaton and costs the product of the two lengths.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from analyzer.glob_cover import covers
from analyzer.glob_outside import UnclearError, shortest_outside
from analyzer.glob_syntax import ANYTHING, GLOBSTAR, STAR, Glob, Ranges, Segment, bad_pattern, common, read_pattern

_MAGIC = re.compile(r"[*?[{]")


def normalise(pattern: str) -> str:
    """The pattern as we keep it: NFC, no `./` or `//`, a trailing `/` written as `/**`.

    Raises Failure `bad-pattern` when it is empty, absolute, climbs with `..`, has an unclosed class or brace,
    or expands to more than 256 patterns.
    """
    text = unicodedata.normalize("NFC", pattern)
    if not text or any(ord(char) < 32 for char in text):
        raise bad_pattern(pattern, "it is empty or holds a control character")
    if text.startswith("/"):
        raise bad_pattern(pattern, "it is absolute; patterns start at the root of the repository")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise bad_pattern(pattern, "it climbs out with `..`")
    if text.endswith("/") or not parts:
        parts.append("**")
    cleaned = "/".join(parts)
    read_pattern(cleaned)
    return cleaned


def escape(path: str) -> str:
    """A pattern that matches this very path, whatever characters its name has (`app/[id].ts`)."""
    plain = _MAGIC.sub(r"[\g<0>]", path) if _MAGIC.search(path) else path
    return f"[!]{plain[1:]}" if plain.startswith("!") else plain


def is_literal(pattern: str) -> bool:
    """True when the pattern can match one path only (a folder so named does not count as its files)."""
    globs = read_pattern(pattern)
    return len(globs) == 1 and globs[0].literal is not None


def matches(pattern: str, path: str) -> bool:
    """Whether the pattern covers the path (relative to the root, `/` between segments)."""
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    return any(covers(glob, path) for glob in read_pattern(pattern))


def intersect(a: str, b: str) -> str | None:
    """A short path that both patterns match; None when there is none."""
    return _least(_meet(x, y) for x in read_pattern(a) for y in read_pattern(b))


class PatternSet:
    """Patterns indexed by their literal prefix: one path is looked up in as many steps as it has segments.

    `!pattern` takes out of the set what patterns *before* it brought in, and a later one may bring it in again: the
    last that matches a path decides. (Unlike in a .gitignore, a file may be brought in again whose folder is out.)
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._by_prefix: dict[str, list[tuple[Glob, str]]] = {}
        self._taken_out: list[Glob] = []
        self._later: dict[Glob, int] = {}
        for pattern in patterns:
            if pattern.startswith("!"):
                self._taken_out += read_pattern(pattern[1:])
                continue
            for glob in read_pattern(pattern):
                self._by_prefix.setdefault(glob.prefix, []).append((glob, pattern))
                self._later[glob] = len(self._taken_out)
        self._prefixes = sorted(self._by_prefix)

    def match(self, path: str) -> str | None:
        """A pattern that covers the path, or None."""
        return next(self.matching(path), None)

    def overlaps(self, pattern: str) -> tuple[str, str] | None:
        """A pattern of the set that meets this one and a path that both cover, or None."""
        return next(self.meeting(pattern), None)

    def matching(self, path: str) -> Iterator[str]:
        """Every pattern that covers the path; one with braces may come more than once."""
        if not path.isascii():
            path = unicodedata.normalize("NFC", path)
        for prefix in _ancestors(path):
            for glob, pattern in self._by_prefix.get(prefix, ()):
                if covers(glob, path) and not any(covers(out, path) for out in self._outs(glob)):
                    yield pattern

    def _outs(self, glob: Glob) -> list[Glob]:
        """What later negations take out of it; a pattern that is given twice counts where it stands last."""
        return self._taken_out[self._later[glob] :] if self._taken_out else []

    def meeting(self, pattern: str) -> Iterator[tuple[str, str]]:
        """Every pattern of the set that meets this one, with a witness; one with braces may come more than once."""
        for mine in read_pattern(pattern):
            for glob, other in self._near(mine.prefix):
                witness = _meet_outside(mine, glob, self._outs(glob))
                if witness is not None:
                    yield other, witness

    def _near(self, prefix: str) -> Iterator[tuple[Glob, str]]:
        """Only patterns whose literal prefix lies above or below this one can meet it."""
        for above in _ancestors(prefix):
            yield from self._by_prefix.get(above, ())
        start = f"{prefix}/" if prefix else ""
        for at in range(bisect_left(self._prefixes, start), len(self._prefixes)):
            key = self._prefixes[at]
            if not key.startswith(start):
                return
            if key:
                yield from self._by_prefix[key]


def _ancestors(path: str) -> Iterator[str]:
    """`a/b` gives the empty prefix, `a`, `a/b`."""
    yield ""
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)
    if path:
        yield path


def _holds(token: Ranges, char: str) -> bool:
    code = ord(char)
    return any(low <= code <= high for low, high in token)


def _meet(a: Glob, b: Glob) -> str | None:
    if a.literal is not None:
        return a.literal if covers(b, a.literal) else None
    if b.literal is not None:
        return b.literal if covers(a, b.literal) else None
    if not _nested(a.prefix, b.prefix) or a.outline.is_apart(b.outline):
        return None
    in_folder = _meet_folder(a, b) or _meet_folder(b, a)
    if in_folder:
        return in_folder
    names = _product(a.segments, b.segments, GLOBSTAR, _shared_name, (STAR,))
    return None if names is None else "/".join(names) or "x"


def _meet_outside(a: Glob, b: Glob, outs: Sequence[Glob]) -> str | None:
    """What `_meet` finds, outside of others. Where that is too long to work out they are not counted."""
    witness = _meet(a, b)
    if witness is None or not any(covers(out, witness) for out in outs):
        return witness
    try:
        return shortest_outside((a, b), outs)
    except UnclearError:
        return witness


def _meet_folder(folder: Glob, other: Glob) -> str | None:
    """The least path for the commonest pairs, without the product: a whole folder, and a name at any depth."""
    if not folder.whole_folder:
        return None
    if folder.prefix and covers(other, folder.prefix):
        return folder.prefix
    if len(other.segments) == 2 and other.segments[0] == GLOBSTAR != other.segments[1]:
        name = _shared_name(other.segments[1], (STAR,))
        return f"{folder.prefix}/{name}" if folder.prefix else name
    return None


@lru_cache(maxsize=1 << 14)
def _shared_name(a: Segment, b: Segment) -> str | None:
    """A segment that both match; only stars match the empty text, and no segment is empty."""
    chars = _product(a, b, STAR, _shared_char, ANYTHING)
    return None if chars is None else "".join(chars) or "x"


@lru_cache(maxsize=1 << 12)
def _shared_char(a: Ranges, b: Ranges) -> str | None:
    if a == b and len(a) == 1 and a[0][0] == a[0][1]:
        return chr(a[0][0])
    both = common(a, b)
    if not both:
        return None
    for nice in "xa0":
        if _holds(both, nice):
            return nice
    return chr(both[0][0])


def _nested(a: str, b: str) -> bool:
    return not a or not b or f"{a}/".startswith(f"{b}/") or f"{b}/".startswith(f"{a}/")


def _product(
    a: Sequence[Any], b: Sequence[Any], star: object, meet: Callable[[Any, Any], str | None], free: object
) -> tuple[str, ...] | None:
    """The least list that both lists with stars match. `free` is what a star stands for, one item at a time."""
    for end in (0, -1) if a and b else ():
        # Most pairs differ in their first or their last item, and then there is nothing to work out.
        if a[end] != star != b[end] and meet(a[end], b[end]) is None:
            return None
    below: list[tuple[str, ...] | None] = []
    for left in (None, *reversed(a)):
        row: list[tuple[str, ...] | None] = [None] * (len(b) + 1)
        for j in range(len(b), -1, -1):
            right = b[j] if j < len(b) else None
            ways = [below[j] if left == star else None, row[j + 1] if right == star else None]
            if left is not None and right is not None and not left == right == star:
                item = meet(free if left == star else left, free if right == star else right)
                rest = row if left == star else below
                ways.append(_after(item, rest[j if right == star else j + 1]))
            row[j] = () if left is None and right is None else _least(ways)
        below = row
    return below[0]


def _after(item: str | None, rest: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if item is None or rest is None else (item, *rest)


def _least(found: Iterable[Any]) -> Any:
    """The shortest of what was found, the first in order among equals; each part of a path costs a slash besides."""
    there = [one for one in found if one is not None]
    return (
        min(there, key=lambda one: (sum(map(len, one)) + len(one), one))
        if len(there) > 1
        else there[0]
        if there
        else None
    )
