"""What trackers print -> Issues, in every dialect seen; whatever cannot be read is named and left out.

Input is either JSONL (one record a line: `issues.jsonl`, `bd export`) or one JSON answer (`bd list --json`, with or
without an envelope `.data`, `.items`, `.issues`). Fields are known by several names (camelCase, `type` for
`issue_type`, dependencies as records, as whole issues or as bare ids); `beads_fields` knows the words.

Invariants. No input raises. Every line that yields no issue, and every value that is not what it should be, becomes
a Trouble with file:line, what is wrong and what was done about it; the other lines still count. Fields that we do
not know are ignored. The issues keep the order of the file.

Sizes are bounded, so that no input costs more than a small multiple of its bytes: a line longer than `MOST_LINE`
is left out, an id must be a name, texts are cut (`beads_fields.MOST_TEXT`), and of a heap of bad spots the first
`MOST_PROBLEMS` are named and the rest counted.

Decisions. Both sides of a merge conflict are read, and of two records with one id the later update counts: the
markers are named, the work is not lost. A tombstone is closed. Records that are no issues (`_type: memory`) are
told once per type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from analyzer.backlog.beads_fields import Note, edges, labels, moment, number, priority, snake_keys, status, text
from analyzer.backlog.issues import Issue, Status, Trouble

_MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_WRAPS = ("data", "items", "issues")

MOST_LINE = 32 * 1024 * 1024
"""Bytes of a line that is still read."""
MOST_NAME = 200
"""Characters of an id: trackers name issues in a dozen, and every answer repeats them."""
MOST_PROBLEMS = 1000
"""Bad spots that are named one by one; binary junk has one every few bytes."""


@dataclass(frozen=True)
class Reading:
    """What a source held: the issues in its order, and what could not be read."""

    issues: tuple[Issue, ...]
    problems: tuple[Trouble, ...]


def read_issues(data: bytes, name: str) -> Reading:
    """The issues in `data`, JSONL or one JSON answer; `name` is what a place in it is called by (`name:line`)."""
    problems: list[Trouble] = []
    records = _answer(data, name, problems)
    if records is None:
        records = _lines(data, name, problems)
    return _reading(records, name, problems)


def read_records(records: Iterable[tuple[str, dict[str, Any]]], name: str) -> Reading:
    """The issues in records that something else has read, each with its place; `name` is what they come from."""
    return _reading(records, name, [])


def _reading(records: Iterable[tuple[str, dict[str, Any]]], name: str, problems: list[Trouble]) -> Reading:
    issues = tuple(_distinct(_issues(records, problems), problems))
    if len(problems) > MOST_PROBLEMS:
        more = f"{len(problems) - MOST_PROBLEMS} more bad spots"
        problems[MOST_PROBLEMS:] = [Trouble(name, more, "treated like those before")]
    return Reading(issues, tuple(problems))


def _answer(data: bytes, name: str, problems: list[Trouble]) -> Iterable[tuple[str, dict[str, Any]]] | None:
    """The records of one JSON value that spans all of `data`; None when the data is JSONL."""
    first, _, rest = data.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    if not first.startswith((b"[", b"{")) or (rest.strip() and _value(first)[0] is not None):
        return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        if first.strip() not in (b"[", b"{"):
            return None
        problems.append(Trouble(name, f"not JSON: {error}", "nothing was read from it"))
        return ()
    is_wrapped = False
    for wrap in _WRAPS:
        if isinstance(found, dict) and isinstance(found.get(wrap), (list, dict)):
            found, is_wrapped = found[wrap], True
    if isinstance(found, dict) and not is_wrapped and not rest.strip():
        return None  # a JSONL of one line
    return _rows(found if isinstance(found, list) else [found], name, problems)


def _rows(rows: list[Any], name: str, problems: list[Trouble]) -> Iterator[tuple[str, dict[str, Any]]]:
    for position, row in enumerate(rows):
        if isinstance(row, dict):
            yield f"{name}[{position}]", row
        else:
            what = f"{type(row).__name__} instead of an object"
            problems.append(Trouble(f"{name}[{position}]", what, "left out"))


def _lines(data: bytes, name: str, problems: list[Trouble]) -> Iterator[tuple[str, dict[str, Any]]]:
    for position, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not raw.strip():
            continue
        where = f"{name}:{position}"
        if len(raw) > MOST_LINE:
            problems.append(Trouble(where, f"a line of {len(raw):,} bytes", "the line was left out"))
            continue
        found, wrong = _value(raw)
        if isinstance(found, dict):
            if wrong:
                problems.append(Trouble(where, wrong, "the bad bytes were replaced, the issue counts"))
            yield where, found
        else:
            problems.append(
                Trouble(where, wrong or f"{type(found).__name__} instead of an object", "the line was left out")
            )


def _value(raw: bytes) -> tuple[Any, str]:
    """The JSON value of a line (None when it has none) and what is wrong with the line ("": nothing)."""
    wrong = ""
    try:
        line = raw.decode()
    except UnicodeDecodeError as error:
        line, wrong = raw.decode(errors="replace"), f"not UTF-8 at byte {error.start}"
    try:
        return json.loads(line), wrong
    except json.JSONDecodeError as error:
        if line.startswith(_MARKERS):
            return None, f"a merge conflict marker ({line[:7]})"
        return None, f"not JSON: {error.msg} at column {error.colno}"
    except (ValueError, RecursionError) as error:
        return None, f"not readable as JSON: {error}"


def _issues(records: Iterable[tuple[str, dict[str, Any]]], problems: list[Trouble]) -> Iterator[Issue]:
    strangers: dict[str, tuple[str, int]] = {}
    for where, record in records:
        kind = record.get("_type", "issue")
        if kind == "issue":
            issue = _issue(
                snake_keys(record), where, lambda what, did, at=where: problems.append(Trouble(at, what, did))
            )
            if issue is not None:
                yield issue
        else:
            first, count = strangers.get(str(kind), (where, 0))
            strangers[str(kind)] = (first, count + 1)
    for kind, (first, count) in strangers.items():
        others = f" and {count - 1} more like it" if count > 1 else ""
        problems.append(Trouble(first, f"a record of type {kind!r}{others}, not an issue", "left out"))


def _issue(record: dict[str, Any], where: str, note: Note) -> Issue | None:
    name = _id(record.get("id"))
    if not name:
        note("an issue without an id" if record.get("id") in (None, "") else "an id that is no name", "left out")
        return None
    metadata = record.get("metadata")
    minutes = number(record, "estimated_minutes", note)
    standing = status(record, note)
    return Issue(
        id=name,
        title=text(record, "title", note),
        description=text(record, "description", note),
        design=text(record, "design", note),
        acceptance=text(record, "acceptance_criteria", note),
        notes=text(record, "notes", note),
        status=Status.PINNED if record.get("pinned") is True and standing is not Status.CLOSED else standing,
        priority=priority(record, note),
        kind=text(record, "issue_type", note) or "task",
        labels=labels(record, note),
        dependencies=edges(record, name, note),
        assignee=text(record, "assignee", note),
        created=moment(record, "created_at", note),
        updated=moment(record, "updated_at", note),
        started=moment(record, "started_at", note),
        closed=moment(record, "closed_at", note),
        defer_until=moment(record, "defer_until", note),
        estimated_minutes=minutes if minutes and minutes > 0 else None,
        ephemeral=any(record.get(mark) is True for mark in ("ephemeral", "is_template")),
        metadata=metadata if isinstance(metadata, dict) else {},
        where=where,
    )


def _id(given: Any) -> str:
    """The id as text, "" for what cannot be one."""
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        return ""
    if isinstance(given, int):
        return str(given) if abs(given) < 10**18 else ""
    name = given.strip()
    return name if len(name) <= MOST_NAME and name.isprintable() else ""


def _distinct(issues: Iterable[Issue], problems: list[Trouble]) -> list[Issue]:
    """One issue per id: the one updated last, the later line among equals."""
    kept: dict[str, Issue] = {}
    for issue in issues:
        other = kept.setdefault(issue.id, issue)
        if other is issue:
            continue
        newer = issue if (issue.updated or 0) >= (other.updated or 0) else other
        kept[issue.id] = newer
        what = f"{issue.id} stands here and at {other.where}"
        problems.append(Trouble(issue.where, what, f"the later update counts, at {newer.where}"))
    return list(kept.values())
