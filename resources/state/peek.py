"""A look into the ledger for the hooks, which have 25 ms for everything: no dataclass, no pathlib, no gate.

Only named statements are run and only on a read-only connection, which never checkpoints; whoever is about to
write opens the ledger itself. Statements come from the same files as everybody's.
"""

from __future__ import annotations

import os

try:
    from _sqlite3 import Error, connect  # the package around it imports datetime, for conversions that nobody asks for
except ImportError:
    from sqlite3 import Error, connect

TYPE_CHECKING = False  # typing itself costs 5 ms
if TYPE_CHECKING:
    from typing import Any

    from resources.state.store import Row

_QUERIES = os.path.join(os.path.dirname(__file__), "queries")


def statement(file: str, name: str) -> str:
    """The text of one named statement. Raises KeyError when the file has none of that name."""
    with open(os.path.join(_QUERIES, file)) as stream:
        parts = stream.read().split("-- name: ")
    found = {head: text for head, _, text in (part.partition("\n") for part in parts)}
    return found[name]


__all__ = ["Error", "peek", "statement"]


def peek(folder: str, file: str, names: tuple[str, ...], values: dict[str, Any]) -> list[list[Row]]:
    """The rows of each named statement of queries/`file` in the ledger of `folder`, of one moment. Raises Error."""
    place = os.path.join(folder, "ledger.sqlite3")
    quoted = place.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = connect(f"file:{quoted}?mode=ro", uri=True, timeout=5, isolation_level=None)
    try:
        connection.execute("BEGIN")
        return [_rows(connection.execute(statement(file, name), values)) for name in names]
    finally:
        connection.close()


def _rows(cursor: Any) -> list[Row]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
