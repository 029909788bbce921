"""`layered-tasks.md`, read as a tracker.

    ## Layer 2: Loans
    - [ ] T031 @agent Lend a tool
      Dependencies: T001, T002
      Blocks: T040
      What is to be done, in as many lines as it takes.

The box tells the status: ` ` open, `~` in progress, `!` blocked, `>` deferred, `x` done. Indented lines below a task
belong to it. `Dependencies:` and `Blocks:` are two sides of one edge and are read alike, `T031-T034` as four tasks.

Decisions. A layer is a heading, kept but not obeyed: what must come first is what `Dependencies:` says, or one slow
task would hold up all of the next layer. A bare id has a letter and a digit (else `Re-run the tests` would be a task
called Re-run); any other id stands in backquotes. Prose, other headings, comments and code blocks are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analyzer.backlog.beads import Reading
from analyzer.backlog.issues import Bond, Dependency, Issue, Status, Trouble

MARKS = {" ": Status.OPEN, "~": Status.IN_PROGRESS, "!": Status.BLOCKED, ">": Status.DEFERRED, "x": Status.CLOSED}
"""What stands in the box of a task -> its status."""
SUFFIXES = (".md", ".markdown")
BARE = re.compile(r"(?=[\w.-]*[A-Za-z])(?=[\w.-]*\d)[\w-]+(?:\.[\w-]+)*")
FIELD = re.compile(r"(?:[-*+] +)?[*_]{0,2}(dependencies|depends on|blocks)[*_]{0,2} *:[*_]{0,2}(.*)", re.IGNORECASE)
MOST_OF_A_RANGE = 1000

_TASK = re.compile(r"[-*+] \[(.)\] *(.*)")
_NAMED = re.compile(rf"\**(?:`([^`]+)`|({BARE.pattern}))\**:?(?:\s+@(\S+))?(?:\s+(.*))?$")
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_RANGE = re.compile(r"([A-Za-z]+-?)(\d+)[-–](?:\1)?(\d+)")
_NONE = frozenset({"", "-", "–", "—", "none", "nothing", "n/a"})


@dataclass
class _Draft:
    """A task as it is read."""

    issue: Issue
    lines: list[str] = field(default_factory=list)
    edges: list[tuple[str, bool, str]] = field(default_factory=list)
    """(an id or a range, whether this task blocks it, file:line)."""


def is_layered(name: str) -> bool:
    """Whether a file of this name is read as layered tasks."""
    return name.lower().endswith(SUFFIXES)


def read_layered(data: bytes, name: str) -> Reading:
    """The tasks of the file as issues; `name` is what a place in it is called by (`name:line`)."""
    problems: list[Trouble] = []
    drafts: dict[str, _Draft] = {}
    reader = _Reader(name, problems)
    for draft in reader.read(_lines(data, name, problems)):
        first = drafts.setdefault(draft.issue.id, draft)
        if first is not draft:
            what = f"{draft.issue.id} stands here and at {first.issue.where}"
            problems.append(Trouble(draft.issue.where, what, "this one was left out"))
    waits = _waits(drafts, problems)
    return Reading(tuple(_issue(draft, waits) for draft in drafts.values()), tuple(problems))


def _lines(data: bytes, name: str, problems: list[Trouble]) -> Iterator[str]:
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            line = raw.decode(errors="replace")
            what = f"not UTF-8 at byte {error.start}"
            problems.append(Trouble(f"{name}:{number}", what, "the bad bytes were replaced, the line counts"))
        yield line.rstrip()


class _Reader:
    """Goes through the lines once and knows where it is."""

    def __init__(self, name: str, problems: list[Trouble]) -> None:
        self._name = name
        self._problems = problems
        self._where = ""
        self._task: _Draft | None = None
        self._layer = (0, "")
        self._until = ""
        """What ends the comment or the code block that is being passed over."""

    def read(self, lines: Iterator[str]) -> Iterator[_Draft]:
        """Every task, in the order of the file."""
        for number, line in enumerate(lines, 1):
            self._where = f"{self._name}:{number}"
            if self._until:
                self._until = "" if self._until in line else self._until
            elif self._task and (not line or line.startswith(("  ", "\t"))):
                self._below(self._task, line.removeprefix("\t") if line.startswith("\t") else line[2:])
            elif line.strip():
                found = self._outside(line.strip())
                if found:
                    yield found

    def _note(self, what: str, did: str) -> None:
        self._problems.append(Trouble(self._where, what, did))

    def _below(self, task: _Draft, line: str) -> None:
        found = FIELD.fullmatch(line.lstrip())
        if found:
            self._edges(task, found)
        else:
            start = len(line) - len(line.lstrip())
            task.lines.append(line[:start] + line[start:].removeprefix("\\"))

    def _outside(self, line: str) -> _Draft | None:
        field_line, task = FIELD.fullmatch(line), _TASK.fullmatch(line)
        if field_line and self._task:
            self._edges(self._task, field_line)
        elif task:
            self._task = self._started(*task.groups())
            return self._task
        else:
            self._task = None
            self._pass_over(line)
        return None

    def _pass_over(self, line: str) -> None:
        heading = _HEADING.fullmatch(line)
        if heading:
            level, text = len(heading[1]), heading[2].rstrip("# ")
            if text.lower().startswith("layer"):
                self._layer = (level, text)
            elif level <= self._layer[0]:
                self._layer = (0, "")
        elif line.startswith(("```", "~~~")):
            self._until = line[:3]
        elif line.startswith("<!--") and "-->" not in line:
            self._until = "-->"

    def _started(self, mark: str, text: str) -> _Draft | None:
        named = _NAMED.fullmatch(text)
        if not named:
            self._note(f"a task without an id: {text[:60]!r}", "left out; write it as `- [ ] T031 @agent title`")
            return None
        title = (named[4] or "").strip()
        if not title:
            self._note("a task without a title", "it counts all the same")
        status = MARKS.get(mark.lower())
        if status is None:
            self._note(f"unknown mark [{mark}]", "read as open")
        issue = Issue(
            id=(named[1] or named[2]).strip(),
            title=title.removeprefix("\\"),
            status=status or Status.OPEN,
            assignee=named[3] or "",
            metadata={"layer": self._layer[1]} if self._layer[1] else {},
            where=self._where,
        )
        return _Draft(issue)

    def _edges(self, task: _Draft, found: re.Match[str]) -> None:
        told = re.sub(r"\([^)]*\)", "", found[2]) if "`" not in found[2] else found[2]
        if told.strip(" .").lower() in _NONE:
            return
        for quoted, plain in re.findall(r"`([^`]+)`|([^\s,;`]+)", told):
            if quoted or BARE.fullmatch(plain) or _RANGE.fullmatch(plain):
                task.edges.append((quoted or plain, found[1].lower() == "blocks", self._where))
            else:
                self._note(f"{plain!r} is no task id", "left out")


def _waits(drafts: dict[str, _Draft], problems: list[Trouble]) -> dict[str, dict[str, None]]:
    """Task -> what it waits for, in the order in which the file says so."""
    waits: dict[str, dict[str, None]] = {name: {} for name in drafts}
    for name, draft in drafts.items():
        for said, blocks, where in draft.edges:
            for other in _meant(said, drafts):
                first, then = (name, other) if blocks else (other, name)
                if first == then:
                    problems.append(Trouble(where, f"{name} waits for itself", "left out"))
                elif then not in waits:
                    problems.append(Trouble(where, f"{name} blocks {other}, which is not in the file", "left out"))
                else:
                    waits[then][first] = None
    return waits


def _meant(said: str, known: dict[str, _Draft]) -> Sequence[str]:
    """The ids that a word names: `T031-T034` is four, unless a task is called just that."""
    found = None if said in known else _RANGE.fullmatch(said)
    if not found:
        return (said,)
    first, last = int(found[2]), int(found[3])
    if not first <= last < first + MOST_OF_A_RANGE:
        return (said,)
    return [f"{found[1]}{number:0{len(found[2])}}" for number in range(first, last + 1)]


def _issue(draft: _Draft, waits: dict[str, dict[str, None]]) -> Issue:
    edges = tuple(Dependency(target, Bond.BLOCKS, "blocks") for target in waits[draft.issue.id])
    return replace(draft.issue, description="\n".join(trimmed(draft.lines)), dependencies=edges)


def trimmed(lines: Sequence[str]) -> Sequence[str]:
    """The lines without the blank ones before the first and after the last that say something."""
    told = [number for number, line in enumerate(lines) if line.strip()]
    return lines[told[0] : told[-1] + 1] if told else ()


def to_record(issue: Issue, stamp: str) -> dict[str, Any]:
    """The task as a record of beads; `stamp` is the time (ISO 8601) at which it enters the tracker."""
    edges = [
        {"issue_id": issue.id, "depends_on_id": edge.target, "type": edge.bond.value, "created_at": stamp}
        for edge in issue.dependencies
    ]
    record = {
        "id": issue.id,
        "title": issue.title,
        "description": issue.description,
        "status": issue.status.value,
        "priority": issue.priority,
        "issue_type": issue.kind,
        "assignee": issue.assignee,
        "created_at": stamp,
        "updated_at": stamp,
        "closed_at": stamp if issue.status is Status.CLOSED else "",
        "metadata": issue.metadata,
        "dependencies": edges,
    }
    return {key: value for key, value in record.items() if value not in ("", [], {})}
