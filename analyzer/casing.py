"""One spelling for all names that a file system takes for the same: the key of a path or of a pattern. Pure, and light.

Where git's `core.ignoreCase` is set (macOS and Windows as they come), `SRC/a.py` is the file `src/a.py`, and a name in
another Unicode form is the same name too. Everything that compares paths compares their keys there, and the paths
themselves everywhere else. The key is Unicode's canonical caseless form (UAX 15, definition D145 of the core standard),
which tells apart no two names that such a file system takes for one; a few that it tells apart (`ß` and `ss`) it does
not, and then asks for more than it must. A class of characters (`[A-Z]`) takes in both cases of its ASCII letters.
"""

from __future__ import annotations


def key(path: str) -> str:
    """The key of a path: two paths with one key are one file there."""
    if path.isascii():
        return path.lower()
    from unicodedata import normalize

    return normalize("NFC", normalize("NFD", normalize("NFD", path).casefold()).casefold())


def pattern_key(pattern: str) -> str:
    """The pattern that matches the keys of the paths that the pattern means there."""
    if "[" not in pattern:
        return key(pattern)
    from analyzer.glob_syntax import class_end

    found, at = "", 0
    while (opens := pattern.find("[", at)) >= 0 and (closes := class_end(pattern, opens)) > 0:
        found += key(pattern[at:opens]) + _both_cases(pattern[opens + 1 : closes])
        at = closes + 1
    return found + key(pattern[at:])


def _both_cases(signs: str) -> str:
    """A class with the small letters of its capitals, which stand last, but before a `-` that means itself."""
    listed = signs[1:] if signs[0] in "!^" and len(signs) > 1 else signs
    capitals = (code for code in range(ord("A"), ord("Z") + 1) if _holds(listed, code))
    small = "".join(chr(code + 32) for code in capitals if not _holds(listed, code + 32))
    return f"[{signs[:-1]}{small}-]" if small and signs.endswith("-") else f"[{signs}{small}]"


def _holds(signs: str, code: int) -> bool:
    at = 0
    while at < len(signs):
        last = at + 2 if signs[at + 1 : at + 2] == "-" and at + 2 < len(signs) else at
        if ord(signs[at]) <= code <= ord(signs[last]):
            return True
        at = last + 1
    return False
