"""`beads.db` -> Issues: the SQLite form of a tracker (`bd` up to 0.49, `br`), read without either program.

The schema grew with every version: a table or column that is not there means "nothing said", one that we do not know
is ignored. Rows become the records that an export would have held, and `beads` reads those: one place decides what
a value means.

Invariants. The file is opened read-only and never as immutable, so that a writer's journal counts; SQLite may leave
its own empty `-wal` and `-shm` beside it, as after every reader. All tables are read in one transaction. A broken
database raises Failure("unreadable"): half a backlog would make blocked work look ready.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from analyzer.backlog.beads import Reading, read_records
from resources.system.errors import Failure

MAGIC = b"SQLite format 3\0"
PATIENCE = 5.0
"""Seconds to wait for a writer that holds the database."""

_FIELDS = (
    "id", "title", "description", "design", "acceptance_criteria", "notes", "status", "priority", "issue_type",
    "assignee", "created_at", "updated_at", "started_at", "closed_at", "defer_until", "estimated_minutes", "pinned",
    "ephemeral", "is_template", "metadata",
)  # fmt: skip
_MARKS = ("pinned", "ephemeral", "is_template")
_EDGE_FIELDS = ("issue_id", "depends_on_id", "type", "metadata")

Row = dict[str, Any]


def is_database(path: Path) -> bool:
    """Whether the file is an SQLite database."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_database(path: Path, name: str) -> Reading:
    """The issues in the database at `path`; `name` is what a place in it is called by (`name:id`).

    Raises Failure("unreadable") when it is broken, locked for longer than `PATIENCE`, or not a tracker.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
            connection.text_factory = lambda raw: raw.decode(errors="replace")
            connection.execute("BEGIN")
            if not _columns(connection, "issues"):
                raise sqlite3.DatabaseError("it has no table of issues")
            issues = list(_rows(connection, "issues", _FIELDS))
            edges = _by_issue(_rows(connection, "dependencies", _EDGE_FIELDS))
            labels = _by_issue(_rows(connection, "labels", ("issue_id", "label")))
    # SQLite quotes what is damaged in its own complaint, and Python reads that as text.
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        raise Failure("unreadable", f"cannot read {path}", why=str(error)) from error
    return read_records(((f"{name}:{row.get('id')}", _record(row, edges, labels)) for row in issues), name)


def _columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    return frozenset(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))


def _rows(connection: sqlite3.Connection, table: str, fields: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a table with those of the fields that it has; what is null or empty is left out."""
    present = [field for field in fields if field in _columns(connection, table)]
    if not present:
        return
    query = f"SELECT {', '.join(present)} FROM {table}"  # noqa: S608 -- both are the constants above
    for row in connection.execute(query):
        yield {field: value for field, value in zip(present, row, strict=True) if value is not None and value != ""}


def _by_issue(rows: Iterator[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row.get("issue_id", "")), []).append(row)
    return found


def _record(row: Row, edges: Mapping[str, list[Row]], labels: Mapping[str, list[Row]]) -> Row:
    """The row as an export would write it."""
    name = str(row.get("id", ""))
    record = row | {mark: row[mark] == 1 for mark in _MARKS if mark in row}
    if isinstance(row.get("metadata"), str):
        record["metadata"] = _parsed(row["metadata"])
    if name in edges:
        record["dependencies"] = edges[name]
    if name in labels:
        record["labels"] = [str(label.get("label", "")) for label in labels[name]]
    return record


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {}
