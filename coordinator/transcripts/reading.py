"""A line of any program, told by its shape: one reader for the supervisor, the status and the logs.

A log is read years after it was written and without its configuration, so the reader never asks which program
printed it. It never raises: agents print garbage, halves of lines and JSON of every kind.
"""

from __future__ import annotations

import json
from typing import Any

from coordinator.transcripts import claude, codex, plain
from coordinator.transcripts.activity import Activity


def read_line(line: str) -> Activity:
    """What one line of output tells; never raises."""
    record = _record(line)
    if record is None:
        return codex.read_text(line) or plain.read_text(line)
    kind = record.get("type")
    if isinstance(kind, str):
        if kind in claude.KINDS and "session_id" in record:
            return claude.read_record(record)
        if kind.startswith(codex.KINDS) or (kind == "error" and set(record) == {"type", "message"}):
            return codex.read_record(record)
    return plain.read_record(record)


def _record(line: str) -> dict[str, Any] | None:
    # Cheap first: most lines of plain programs are no JSON.
    if not line.lstrip().startswith("{"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
