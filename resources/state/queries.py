"""SQL lives in `.sql` files: the named statements in `queries/`, the versions of the schema in `versions/`.

A file of `queries/` is a sequence of `-- name: NAME` headers, each followed by one statement that ends in `;`.
`versions/001-ledger.sql` makes an empty ledger; every later file brings a ledger of the version before to its own
number. A file that was once released is never edited: a change of the schema is a new file.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from sqlite3 import complete_statement

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


@cache
def versions() -> tuple[tuple[str, ...], ...]:
    """The statements of each version of the schema, the first version first."""
    files = sorted((_FOLDER / "versions").glob("*.sql"))
    for place, file in enumerate(files, 1):
        if int(file.name[:3]) != place:
            raise ValueError(f"{file.name}: the schema has no version {place}, or two of them")
    return tuple(tuple(_split(file.read_text())) for file in files)


def _split(script: str) -> list[str]:
    """The single statements of a script, because sqlite3 runs a whole script only outside of a transaction."""
    found, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if complete_statement(pending):
            found.append(pending.strip())
            pending = ""
    return found
