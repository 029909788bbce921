"""The words of the tracker dialects: what a field may be called, and what its values mean to us.

Each function reads one field of a record whose keys are snake_case and returns a value that always has the type
promised; what was odd goes to `note(what, did)`. Absent and null mean the same. The spellings are those found in
78 public trackers and in `bd` 0.9 to 1.x and `br`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from analyzer.backlog.issues import Bond, Dependency, Status

Note = Callable[[str, str], None]

MOST_TEXT = 200_000
"""Characters of one text of an issue that count: more than any person writes, little enough to search for paths."""

_OTHER_NAMES = {
    "type": "issue_type",
    "kind": "issue_type",
    "name": "title",
    "body": "description",
    "acceptance": "acceptance_criteria",
    "state": "status",
    "claimed_by": "assignee",
    "wisp": "ephemeral",
    "deferred_until": "defer_until",
    "estimate_minutes": "estimated_minutes",
    "depends_on": "needs",
    "blocked_by": "needs",
    "parent_id": "parent",
    "epic_id": "parent",
    "tags": "labels",
}
"""Foreign (snake_case) key -> ours. Ours wins where a record has both."""

_STATUSES = {status.value: status for status in Status} | {
    "tombstone": Status.CLOSED,
    "done": Status.CLOSED,
    "completed": Status.CLOSED,
    "complete": Status.CLOSED,
    "resolved": Status.CLOSED,
    "cancelled": Status.CLOSED,
    "canceled": Status.CLOSED,
    "wontfix": Status.CLOSED,
    "merged": Status.CLOSED,
    "todo": Status.OPEN,
    "new": Status.OPEN,
    "ready": Status.OPEN,
    "reopened": Status.OPEN,
    "in-progress": Status.IN_PROGRESS,
    "started": Status.IN_PROGRESS,
    "doing": Status.IN_PROGRESS,
    "active": Status.IN_PROGRESS,
    "wip": Status.IN_PROGRESS,
    "review": Status.IN_PROGRESS,
    "in_review": Status.IN_PROGRESS,
    "draft": Status.DEFERRED,
    "backlog": Status.DEFERRED,
    "frozen": Status.DEFERRED,
    "on_hold": Status.DEFERRED,
    "someday": Status.DEFERRED,
}

_PRIORITIES = {"critical": 0, "urgent": 0, "highest": 0, "high": 1, "medium": 2, "normal": 2, "low": 3, "lowest": 4}

_GO_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4}) .*")
"""How Go prints a time, and old databases hold it: `2025-10-20 12:00:00.5 -0700 PDT m=+0.1`."""

_BONDS = {bond.value: bond for bond in Bond}
_ALIASES = {
    "blocked-by": Bond.BLOCKS,
    "blocks-on": Bond.BLOCKS,
    "depends-on": Bond.BLOCKS,
    "blocker": Bond.BLOCKS,
    "requires": Bond.BLOCKS,
    "needs": Bond.BLOCKS,
    "parent": Bond.PARENT,
    "child-of": Bond.PARENT,
    "parent-child": Bond.PARENT,
}
"""Words that `bd` itself reads as "related", though their authors plainly meant more."""


def is_alias(dependency: Dependency) -> bool:
    """Whether the edge blocks or nests only because we read its author's word for it that way."""
    return dependency.bond is not Bond.RELATED and dependency.kind not in _BONDS


def snake_keys(record: dict[str, Any]) -> dict[str, Any]:
    """The record under the names used here."""
    names = _our_names(tuple(record))
    return record if names is None else {ours: record[theirs] for ours, theirs in names.items()}


@lru_cache(maxsize=1024)
def _our_names(keys: tuple[str, ...]) -> dict[str, str] | None:
    """Our name for each of a record's keys, None when they are ours already: a tracker has few kinds of record."""
    named: dict[str, str] = {}
    for key in keys:
        snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).replace("-", "_").lower()
        ours = _OTHER_NAMES.get(snake, snake)
        if ours == key or ours not in named:
            named[ours] = key
    return None if all(ours == theirs for ours, theirs in named.items()) and len(named) == len(keys) else named


def text(record: dict[str, Any], key: str, note: Note) -> str:
    """A text; a list of texts is joined line by line."""
    value = record.get(key)
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = "\n".join(value)
    if isinstance(value, str):
        if len(value) > MOST_TEXT:
            note(f"{key} has {len(value):,} characters", f"the first {MOST_TEXT:,} count")
        return value[:MOST_TEXT]
    note(f"{key} is {_name(value)}, not text", "read as if it were not there")
    return ""


def number(record: dict[str, Any], key: str, note: Note) -> int | None:
    """A whole number."""
    value = record.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and abs(value) < 1e9:
        return round(value)
    note(f"{key} is {_name(value)}, not a number", "read as if it were not there")
    return None


def priority(record: dict[str, Any], note: Note) -> int:
    """0 (most urgent) to 4; `P1`, `1` and `high` are understood, 2 when nothing is said."""
    value = record.get("priority")
    if isinstance(value, str):
        word = value.strip().lower()
        value = _PRIORITIES.get(word, int(word.removeprefix("p")) if re.fullmatch(r"p?[0-9]", word) else value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= 4:
            note(f"priority {str(value)[:20]} is outside 0 to 4", "read as the nearest")
        return min(4, max(0, value))
    if value is not None:
        note(f"priority is {_name(value)}, not 0 to 4", "read as 2")
    return 2


def status(record: dict[str, Any], note: Note) -> Status:
    """Where the issue stands; a word that no tracker we know uses counts as deferred, so that nobody starts on it."""
    value = record.get("status")
    found = _STATUSES.get(value) if isinstance(value, str) else None
    if found is None and isinstance(value, str):
        found = _STATUSES.get(value.strip().lower().replace(" ", "_"))
    if found is not None:
        return found
    if value is None:
        return Status.CLOSED if record.get("closed_at") else Status.OPEN
    note(f"unknown status {str(value)[:40]!r}", "read as deferred: it is offered to nobody")
    return Status.DEFERRED


def moment(record: dict[str, Any], key: str, note: Note) -> float | None:
    """Seconds since 1970; a time without a zone is UTC, the year 1 (a tracker's null) is none."""
    value = record.get(key)
    if not value:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e14:
        return value / 1000 if value > 1e11 else float(value)
    try:
        is_go = isinstance(value, str) and value.count(" ") > 1
        found = datetime.fromisoformat(_GO_TIME.sub(r"\1\2", value) if is_go else value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() if found.year > 1 else None
    except (TypeError, ValueError, OverflowError):
        note(f"{key} is {_name(value)}, not a time", "read as if it were not there")
        return None


def labels(record: dict[str, Any], note: Note) -> tuple[str, ...]:
    """The labels; one text is split at commas."""
    value = record.get("labels")
    if not value:
        return ()
    given = value.split(",") if isinstance(value, str) else value
    if isinstance(given, list) and all(isinstance(label, str) for label in given):
        return tuple(label.strip() for label in given if label.strip())
    note(f"labels are {_name(value)}, not a list of texts", "read as if there were none")
    return ()


def edges(record: dict[str, Any], owner: str, note: Note) -> tuple[Dependency, ...]:
    """What the issue depends on, each target and bond once: the edges, `blocked_by`/`depends_on` lists, the parent."""
    found: dict[tuple[str, Bond], Dependency] = {}
    for dependency in _given_edges(record, owner, note):
        found.setdefault((dependency.target, dependency.bond), dependency)
    parent = record.get("parent")
    if isinstance(parent, str) and parent.strip() and parent != owner:
        found.setdefault((parent.strip(), Bond.PARENT), Dependency(parent.strip(), Bond.PARENT, "parent-child"))
    if record.get("dependency_count") and "dependencies" not in record and not found:
        note(
            f"{owner} has dependencies that this source only counts", "read as if there were none; an export tells them"
        )
    return tuple(found.values())


def _given_edges(record: dict[str, Any], owner: str, note: Note) -> Iterator[Dependency]:
    for key in ("dependencies", "needs"):
        given = record.get(key)
        if not given:
            continue
        if not isinstance(given, list):
            note(f"{key} is {_name(given)}, not a list", "read as if there were none")
            continue
        for entry in given:
            dependency = _edge(entry, owner, note)
            if dependency is not None:
                yield dependency


def _edge(entry: Any, owner: str, note: Note) -> Dependency | None:
    if isinstance(entry, str):
        entry = {"depends_on_id": entry}
    if not isinstance(entry, dict):
        note(f"a dependency is {_name(entry)}", "left out")
        return None
    keyed = snake_keys(entry)
    target = _target(keyed)
    if not target:
        note("a dependency without a target", "left out")
        return None
    if keyed.get("issue_id", owner) not in (owner, ""):
        note(f"a dependency of {str(keyed['issue_id'])[:80]} stands with {owner}", f"read as one of {owner}")
    word = keyed.get("dependency_type") or keyed.get("issue_type") or "blocks"
    kind = word if isinstance(word, str) else "related"
    bond = _BONDS.get(kind) or _ALIASES.get(kind.strip().lower().replace("_", "-"), Bond.RELATED)
    return Dependency(target, bond, kind, any_child=bond is Bond.WAITS_FOR and _any_child(keyed.get("metadata")))


def _target(keyed: dict[str, Any]) -> str:
    for key in ("depends_on_id", "needs", "id", "target"):
        value = keyed.get(key)
        if isinstance(value, str):
            return value.strip()
    return ""


def _any_child(metadata: Any) -> bool:
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata or "{}")
        except (ValueError, RecursionError):
            return False
    return isinstance(metadata, dict) and metadata.get("gate") == "any-children"


def _name(value: Any) -> str:
    shown = value if isinstance(value, str) else type(value).__name__
    return repr(shown[:40]) if isinstance(value, str) else f"a {shown}"
