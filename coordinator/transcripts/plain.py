"""JSON lines of programs that are not known better, and plain text.

Programs differ in the words they use for the same thing, so the common ones are known: `type` or `event`, `text`,
`message`, `result` or `content`, `session_id`, `files` or `path`. Whatever is no JSON object is text for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from coordinator.transcripts.activity import LONGEST, Activity, trouble_of

_TEXT = ("text", "message", "result", "content", "response", "error")
_SESSION = ("session_id", "sessionID", "session", "thread_id")
_FAILED = ("error", "failed")
_LAST = ("result", "done")


def read_text(line: str) -> Activity:
    """A line of text."""
    return Activity(text=line.strip()[:LONGEST])


def read_record(record: Mapping[str, Any]) -> Activity:
    """A JSON object."""
    kind = record.get("type") or record.get("event")
    text = first(record, _TEXT)[:LONGEST]
    return Activity(
        text=text,
        session=first(record, _SESSION),
        files=_files(record),
        final=kind in _LAST,
        trouble=trouble_of(text) if kind in _FAILED or record.get("is_error") is True else None,
    )


def first(record: Mapping[str, Any], keys: Iterable[str]) -> str:
    """The first of `keys` that holds text."""
    found = (record.get(key) for key in keys)
    return next((value.strip() for value in found if isinstance(value, str) and value.strip()), "")


def _files(record: Mapping[str, Any]) -> tuple[str, ...]:
    named = record.get("files")
    if not isinstance(named, list):
        named = [record.get("path") or record.get("file")]
    return tuple(path for path in named if isinstance(path, str) and path)
