"""What the output of a program means when it prints JSON lines, or plain text.

Programs differ in the words they use for the same thing, so the common ones are known: `type` or
`event`, `text`, `message`, `result` or `content`, `session_id`, `files` or `path`. Whatever is no JSON
object is text for people.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from coordinator.agents.adapter import Activity, Ending

LONGEST = 2000
"""Characters of a line that are kept as its text."""
_TEXT = ("text", "message", "result", "content", "error")
_SESSION = ("session_id", "session", "thread_id")
_FAILED = ("error", "failed", "turn.failed")


def activity(line: str) -> Activity:
    """What one line of output tells; never raises."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, Mapping):
        return Activity(text=line.strip()[:LONGEST])
    kind = record.get("type") or record.get("event")
    return Activity(
        text=_first(record, _TEXT)[:LONGEST],
        session=_first(record, _SESSION),
        files=_files(record),
        failed=kind in _FAILED or record.get("is_error") is True,
    )


def ending(code: int, last: Activity) -> Ending:
    """0 is done unless the program's last word was that it failed; a signal is stopped; the rest is failed."""
    if code < 0:
        return Ending.STOPPED
    return Ending.DONE if code == 0 and not last.failed else Ending.FAILED


def _first(record: Mapping[str, Any], keys: Iterable[str]) -> str:
    found = (record.get(key) for key in keys)
    return next((value.strip() for value in found if isinstance(value, str) and value.strip()), "")


def _files(record: Mapping[str, Any]) -> tuple[str, ...]:
    named = record.get("files")
    if not isinstance(named, list):
        named = [record.get("path") or record.get("file")]
    return tuple(path for path in named if isinstance(path, str) and path)
