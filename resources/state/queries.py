"""SQL lives in `.sql` files; each statement has a name and a line that says what it is for.

A file is a sequence of `-- name: NAME` headers, each followed by one statement that ends in `;`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_HEADER = re.compile(r"^-- name: (\S+)$", re.MULTILINE)


@cache
def statements() -> dict[str, str]:
    """Every named statement. Raises ValueError when two bear one name."""
    found: dict[str, str] = {}
    for file in sorted((_FOLDER / "queries").glob("*.sql")):
        parts = _HEADER.split(file.read_text())[1:]
        for name, statement in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"{file.name}: a second statement named {name}")
            found[name] = statement.strip()
    return found


def schema() -> str:
    """The statements that make an empty ledger."""
    return (_FOLDER / "schema.sql").read_text()
