"""The lines of `claude -p --output-format stream-json`, observed on Claude Code 2.1.

What decides is `is_error` and `terminal_reason` of the result, never its `subtype`: with the API down it reads
"success". A refusal comes as a tool's result that is an error, or as `permission_denied`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coordinator.transcripts.activity import LONGEST, Activity, Ending, Usage, trouble_of
from coordinator.transcripts.plain import first

KINDS = ("system", "assistant", "user", "result", "rate_limit_event")

_MOST = 1e15

_OURS_TO_MEND = (400, 404, 413, 422)
"""Statuses of the API that the same request would meet again: the session's fault, not the model's."""


def read_record(record: Mapping[str, Any]) -> Activity:
    """One line of the stream. Whatever has an unexpected shape tells nothing."""
    readers = {"system": _system, "assistant": _assistant, "user": _user, "result": _result, "rate_limit_event": _limit}
    return readers[record["type"]](record)


def _system(record: Mapping[str, Any]) -> Activity:
    session = first(record, ("session_id",))
    match record.get("subtype"):
        case "init":
            return Activity(f"session begins with {first(record, ('model',))}".removesuffix(" with "), session=session)
        case "api_retry":
            why = record.get("error_status") or record.get("error") or "no answer"
            text = f"the model refuses ({why}); retry {record.get('attempt')} of {record.get('max_retries')}"
            return Activity(text, session=session, waits=True, trouble=Ending.UNAVAILABLE)
        case "permission_denied":
            reason = first(record, ("message", "decision_reason"))
            return Activity(f"refused: {reason}"[:LONGEST], session=session, denial=reason)
        case "informational":
            return Activity(first(record, ("content",))[:LONGEST], session=session)
    return Activity(session=session)


def _assistant(record: Mapping[str, Any]) -> Activity:
    told, files, acts = [], [], False
    for block in _blocks(record):
        if block.get("type") == "tool_use":
            acts = True
            given = _object(block.get("input"))
            name = first(block, ("name",))
            path = first(given, ("file_path", "notebook_path"))
            told.append(
                f"{name}: {first(given, ('command', 'file_path', 'notebook_path', 'pattern', 'url', 'prompt'))}"
            )
            files += [path] if path and name in ("Write", "Edit", "MultiEdit", "NotebookEdit") else []
        else:
            told.append(first(block, ("text",)))
    text = "\n".join(part for part in told if part)
    return Activity(text[:LONGEST], session=first(record, ("session_id",)), files=tuple(files), acts=acts)


def _user(record: Mapping[str, Any]) -> Activity:
    told, denial = [], ""
    for block in _blocks(record):
        said = _said(block)
        if block.get("is_error") is True:
            refused = "hook error" in said or "blocked" in said.lower()
            denial = denial or (said if refused else "")
            told.append(f"{'refused' if refused else 'error'}: {said}")
        elif record.get("isSynthetic") is True:
            told.append(said)
    return Activity("\n".join(told)[:LONGEST], session=first(record, ("session_id",)), denial=denial)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _said(block: Mapping[str, Any]) -> str:
    content = block.get("content")
    if isinstance(content, list):
        return " ".join(first(part, ("text",)) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else first(block, ("text",))


def _blocks(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = _object(record.get("message")).get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _result(record: Mapping[str, Any]) -> Activity:
    errors = record.get("errors")
    said = [one for one in errors if isinstance(one, str)] if isinstance(errors, list) else []
    text = first(record, ("result",)) or "; ".join(said) or first(record, ("terminal_reason", "subtype"))
    trouble = _trouble(record, text) if record.get("is_error") is True else None
    return Activity(
        text[:LONGEST], session=first(record, ("session_id",)), usage=_usage(record), final=True, trouble=trouble
    )


def _trouble(record: Mapping[str, Any], text: str) -> Ending:
    if record.get("terminal_reason") == "api_error":
        return Ending.FAILED if record.get("api_error_status") in _OURS_TO_MEND else Ending.UNAVAILABLE
    found = trouble_of(text)
    # Any other end is the session's own (turns, budget, a hook), whatever words it uses.
    return found if found is Ending.LOST else Ending.FAILED


def _usage(record: Mapping[str, Any]) -> Usage:
    known = _object(record.get("usage"))
    cached = _number(known.get("cache_read_input_tokens"))
    read = _number(known.get("input_tokens")) + _number(known.get("cache_creation_input_tokens")) + cached
    dollars = record.get("total_cost_usd")
    return Usage(
        int(read), int(cached), int(_number(known.get("output_tokens"))),
        float(_number(dollars)) if dollars is not None else None,
    )  # fmt: skip


def _limit(record: Mapping[str, Any]) -> Activity:
    info = _object(record.get("rate_limit_info"))
    if info.get("status") != "rejected":
        return Activity()
    return Activity("the usage limit is reached", waits=True, until=_number(info.get("resetsAt")))


def _number(value: object) -> float:
    # JSON knows NaN and Infinity, and neither is below anything.
    return value if isinstance(value, int | float) and abs(value) < _MOST else 0
