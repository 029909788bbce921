"""Whether one brace-free pattern covers one path, in time that grows with the path and never explodes.

A plain pattern (at most one `**`, at most two stars in a name) becomes one regular expression for the whole path. The
others are matched segment by segment, where nothing is tried again that cannot succeed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from analyzer.glob_syntax import GLOBSTAR, STAR, Glob, Segment


def covers(glob: Glob, path: str) -> bool:
    """Whether the pattern matches the path (NFC, relative, no empty segments)."""
    if glob.literal is not None:
        return path == glob.literal
    if glob.whole_folder:
        return not glob.prefix or path == glob.prefix or path.startswith(f"{glob.prefix}/")
    whole = _path_regex(glob)
    return whole.fullmatch(path) is not None if whole else _accepts(glob.segments, path.split("/"))


@lru_cache(maxsize=1 << 12)
def _path_regex(glob: Glob) -> re.Pattern[str] | None:
    """One expression for a pattern so plain that trying again costs nothing, None for the others."""
    ends_open = glob.segments[-1] == GLOBSTAR or glob.segments.count(GLOBSTAR) > 1
    if ends_open or any(segment.count(STAR) > 2 for segment in glob.segments):
        return None
    texts = ("(?:.*/)?" if segment == GLOBSTAR else "[^/]*".join(_chunks(segment)) + "/" for segment in glob.segments)
    return re.compile("".join(texts).removesuffix("/"), re.DOTALL)


def _fits(segment: Segment, name: str) -> bool:
    return _segment_regex(segment).fullmatch(name) is not None


@lru_cache(maxsize=1 << 12)
def _segment_regex(segment: Segment) -> re.Pattern[str]:
    """Atomic groups: what follows a star is taken where it first fits and never tried again, so time stays linear."""
    head, *chunks = _chunks(segment)
    if not chunks:
        return re.compile(head, re.DOTALL)
    inner = "".join(f"(?>.*?{chunk})" for chunk in chunks[:-1] if chunk)
    return re.compile(f"{head}{inner}.*{chunks[-1]}", re.DOTALL)


def _chunks(segment: Segment) -> list[str]:
    """The regular expressions between the stars."""
    found = [""]
    for token in segment:
        if token == STAR:
            found.append("")
        else:
            ranges = "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in token)
            found[-1] += f"[{ranges}]"
    return found


def _accepts(segments: Sequence[Segment], names: Sequence[str]) -> bool:
    """After a `**` the leftmost fit is never worse than a later one, so one place to go back to is enough."""
    at = segment = 0
    back: tuple[int, int] | None = None
    while at < len(names):
        if segment < len(segments) and segments[segment] == GLOBSTAR:
            segment += 1
            back = (segment, at)
        elif segment < len(segments) and _fits(segments[segment], names[at]):
            segment, at = segment + 1, at + 1
        elif back is not None:
            back = (back[0], back[1] + 1)
            segment, at = back
        else:
            return False
    return all(left == GLOBSTAR for left in segments[segment:])
