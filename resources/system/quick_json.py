"""JSON read without the package `json`, whose import (with `re`) costs a hook a quarter of its 25 ms.

The scanner in C is the same one that `json` uses; where an interpreter has none, `json` does it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself costs 5 ms
if TYPE_CHECKING:
    from typing import Any

try:
    from _json import make_scanner
except ImportError:
    make_scanner = None


class _Plain:
    """What the scanner asks of a decoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str] = {}  # noqa: RUF012 -- the scanner's own, emptied by it after each call


def read_json(text: str | bytes) -> Any:
    """The value that a JSON text stands for. Raises ValueError when it is none."""
    content = text.decode() if isinstance(text, bytes) else text
    if make_scanner is None:
        import json

        return json.loads(content)
    content = content.strip(" \t\r\n")
    plain: Any = _Plain()
    try:
        value, end = make_scanner(plain)(content, 0)
    except StopIteration as stop:
        raise ValueError(f"no value at character {stop.value}") from None
    if end != len(content):
        raise ValueError(f"something follows at character {end}")
    return value
