"""The lines of `codex exec --json`, observed on codex-cli 0.163.

A command or patch that a hook refuses leaves no item: it is told on standard error alone, which is why that is read
too. With the network down it says "Reconnecting" for ever, so such lines are no sign of life.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from coordinator.transcripts.activity import LONGEST, Activity, Ending, Usage, trouble_of
from coordinator.transcripts.plain import first

KINDS = ("thread.", "turn.", "item.")

_NETWORK = re.compile(
    r"stream disconnected|error sending request|waiting for network|connection (refused|failed|reset)"
)
_REFUSED = re.compile(r"blocked by PreToolUse hook: (?P<why>.+)")


def read_record(record: Mapping[str, Any]) -> Activity:
    """One line of the stream. Whatever has an unexpected shape tells nothing."""
    match record["type"]:
        case "thread.started":
            return Activity("session begins", session=first(record, ("thread_id",)))
        case "turn.completed":
            return Activity("the turn is over", usage=_usage(record), final=True)
        case "turn.failed":
            error = record.get("error")
            text = first(error, ("message",)) if isinstance(error, dict) else ""
            return Activity(text[:LONGEST], final=True, trouble=_trouble(text))
        case "error":
            return _error(first(record, ("message",)))
    item = record.get("item")
    return _item(item, begun=record["type"] == "item.started") if isinstance(item, dict) else Activity()


def read_text(line: str) -> Activity | None:
    """A line of standard error: a refusal, or that a session is not known; None for any other line."""
    if line.startswith("Error: ") and trouble_of(line) is Ending.LOST:
        # A stack trace follows, which is no later word.
        return Activity(line.strip()[:LONGEST], final=True, trouble=Ending.LOST)
    found = _REFUSED.search(line)
    return Activity(f"refused: {found['why']}"[:LONGEST], denial=found["why"][:LONGEST]) if found else None


def _error(text: str) -> Activity:
    waits = text.startswith("Reconnecting")
    return Activity(text[:LONGEST], waits=waits, trouble=Ending.UNAVAILABLE if waits else _trouble(text))


def _trouble(text: str) -> Ending:
    found = trouble_of(text)
    return Ending.UNAVAILABLE if found is Ending.FAILED and _NETWORK.search(text) else found


def _item(item: Mapping[str, Any], *, begun: bool) -> Activity:
    kind = item.get("type")
    if kind == "command_execution":
        return _command(item, begun)
    if kind == "file_change":
        files = _files(item)
        return Activity(f"edits {', '.join(files)}" if begun else "", files=files, acts=True)
    if kind == "mcp_tool_call":
        return Activity(f"{item.get('server')}.{item.get('tool')}" if begun else "", acts=True)
    return Activity(first(item, ("text", "message", "query"))[:LONGEST])


def _command(item: Mapping[str, Any], begun: bool) -> Activity:
    if begun:
        return Activity(f"Bash: {first(item, ('command',))}"[:LONGEST], acts=True)
    code = item.get("exit_code")
    said = first(item, ("aggregated_output",)).splitlines()
    return Activity(f"ended with {code}: {said[-1] if said else ''}"[:LONGEST] if code else "", acts=True)


def _files(item: Mapping[str, Any]) -> tuple[str, ...]:
    changes = item.get("changes")
    rows = [row for row in changes if isinstance(row, dict)] if isinstance(changes, list) else []
    return tuple(path for row in rows if (path := first(row, ("path",))))


def _usage(record: Mapping[str, Any]) -> Usage:
    counts = record.get("usage")
    known = {key: value for key, value in counts.items() if isinstance(value, int)} if isinstance(counts, dict) else {}
    return Usage(known.get("input_tokens", 0), known.get("cached_input_tokens", 0), known.get("output_tokens", 0))
