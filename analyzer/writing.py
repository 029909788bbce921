"""The only hand of the analyzer: what a plan proposes, written into the tracker when that was asked for.

Through `bd` where the tracker is bd's, else into the JSONL file. What is still to be written is decided again under
the file's lock, from what the tracker holds at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.backlog.beads import read_issues
from analyzer.backlog.issues import Issue
from analyzer.backlog.layered import to_record
from analyzer.backlog.readiness import Rules, resolve
from analyzer.backlog.records import Change, Edits, Record, bd, bd_keeps, edit_records
from analyzer.serialise import Wait, still_needed
from resources.system.clock import iso, wall
from resources.system.errors import Failure
from resources.system.repository import Repository


@dataclass(frozen=True)
class Tracker:
    """Where to write: into the JSONL `file` under `lock`; through `bd` of the repository at `root` without a file."""

    root: Path
    file: Path | None = None
    lock: Path = Path()
    keeps_lock: bool = True
    """Whether the lock lies among our own files, where it may stay."""

    @property
    def called(self) -> str:
        """The tracker's name in an answer."""
        return "bd" if self.file is None else str(self.file)


def open_tracker(repository: Repository | None, file: Path | None, asked: Path | None) -> Tracker:
    """The tracker to write into: `asked` (a JSONL file) when it was given, else that of the repository.

    Raises Failure("no-tracker") without one, Failure("not-a-tracker") for a file of another form.
    """
    if asked is not None:
        if asked.suffix != ".jsonl":
            raise Failure("not-a-tracker", f"{asked} is no JSONL file", mend="write into a tracker of beads records")
        target = asked.resolve()
        if repository is not None and file is not None and target == file.resolve():
            return Tracker(asked.parent, asked, repository.state / "tracker.lock")
        # Beside the file, where whoever may write it finds it, under whatever name the file was given.
        return Tracker(asked.parent, asked, target.with_name(f".{target.name}.lock"), keeps_lock=False)
    if repository is not None and bd_keeps(repository.root):
        return Tracker(repository.root)
    if repository is None or file is None:
        raise Failure("no-tracker", "there is no tracker to write into", mend="bd init, or pass --issues FILE")
    return Tracker(repository.root, file, repository.state / "tracker.lock")


def write_waits(tracker: Tracker, waits: Sequence[Wait], rules: Rules) -> tuple[Wait, ...]:
    """Write the waits as `blocks` dependencies; returns those that were still needed."""
    if tracker.file is None:
        for wait in waits:
            bd(tracker.root, "dep", "add", wait.issue, wait.before)
        return tuple(waits)
    kept: list[Wait] = []

    def choose(data: bytes) -> Edits:
        kept.extend(still_needed(waits, resolve(read_issues(data, str(tracker.file)).issues, rules)))
        before: dict[str, list[str]] = {}
        for wait in kept:
            before.setdefault(wait.issue, []).append(wait.before)
        return Edits({issue: _waiting_for(issue, targets) for issue, targets in before.items()})

    edit_records(tracker.file, tracker.lock, choose, keep_lock=tracker.keeps_lock)
    return tuple(kept)


def _waiting_for(issue: str, targets: Sequence[str]) -> Change:
    def change(record: Record) -> None:
        given = record.get("dependencies") or []
        if not isinstance(given, list):
            raise Failure("bad-record", f"the dependencies of {issue} are no list", mend="mend that line first")
        # A tracker that names its dependencies by their ids alone goes on doing so.
        is_plain = bool(given) and all(isinstance(entry, str) for entry in given)
        record["dependencies"] = [*given, *(target if is_plain else _edge(issue, target) for target in targets)]

    return change


def _edge(issue: str, target: str) -> Record:
    told = {"created_at": iso(wall()), "created_by": "agent-coord"}
    return {"issue_id": issue, "depends_on_id": target, "type": "blocks", **told}


def write_tasks(tracker: Tracker, tasks: Sequence[Issue]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Bring tasks of a layered file into the tracker: (new ones added, known ones that are ticked and now closed).

    Of a task that the tracker knows nothing but the tick is taken over: the tracker is the truth about the rest.
    Raises Failure("bd-imports-itself") where the tracker is bd's: ids and prefixes are its own business.
    """
    if tracker.file is None:
        raise Failure(
            "bd-imports-itself",
            "this tracker belongs to bd, which imports records itself",
            mend="track-analyzer layered import FILE > tasks.jsonl && bd import -i tasks.jsonl",
        )
    edits = edit_records(
        tracker.file, tracker.lock, lambda data: import_edits(data, tasks), keep_lock=tracker.keeps_lock
    )
    return tuple(record["id"] for record in edits.added), tuple(edits.changes)


def import_edits(data: bytes, tasks: Sequence[Issue]) -> Edits:
    """What bringing the tasks in does to a tracker that holds `data`."""
    known = {issue.id: issue for issue in read_issues(data, "").issues}
    stamp = iso(wall())
    ticked = [t for t in tasks if t.id in known and known[t.id].is_open and not t.is_open]
    changes = {task.id: _closing(task, stamp) for task in ticked}
    return Edits(changes, [to_record(task, stamp) for task in tasks if task.id not in known])


def _closing(task: Issue, stamp: str) -> Change:
    why = f"ticked at {task.where}"
    return lambda record: record.update(status="closed", closed_at=stamp, close_reason=why)
