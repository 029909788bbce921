"""What the coordinator writes back to the backlog: claimed, released, closed, handed off.

The ledger is the truth about who works on what; the tracker mirrors it for people and other tools
(`bd`'s own claims have been handed out twice). Two ways to write, behind one contract: through `bd`
where the repository is bd's and `bd` is on PATH, else straight into the JSONL file; both as
`analyzer.backlog.records` does it, leaving every field and every line that we do not understand as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from analyzer.backlog.beads import read_issues
from analyzer.backlog.records import Change, Edits, bd, bd_keeps, edit_records
from resources.system.clock import iso, wall
from resources.system.errors import Failure

FOLLOW_UP = "needs-followup"
"""The label of an issue that was handed off: a person looks first."""


class Tracker(Protocol):
    """The backlog, for writing. Every call may be repeated without harm."""

    def claim(self, issue: str, agent: str) -> None:
        """Mark the issue as being worked on by `agent`."""
        ...

    def unclaim(self, issue: str) -> None:
        """Open the issue again."""
        ...

    def close(self, issue: str, reason: str) -> None:
        """Close the issue."""
        ...

    def hand_off(self, issue: str, note: str) -> None:
        """Open the issue again for a person: label `needs-followup`, and a note of what was tried."""
        ...


class NoTracker:
    """`[tracker] write = false`: the backlog is left alone."""

    def claim(self, issue: str, agent: str) -> None:
        """Leave the backlog alone."""

    def unclaim(self, issue: str) -> None:
        """Leave the backlog alone."""

    def close(self, issue: str, reason: str) -> None:
        """Leave the backlog alone."""

    def hand_off(self, issue: str, note: str) -> None:
        """Leave the backlog alone."""


class JsonlTracker:
    """A tracker that is one JSONL file."""

    def __init__(self, file: Path, lock: Path) -> None:
        self._file = file
        self._lock = lock

    def claim(self, issue: str, agent: str) -> None:
        """Set status in_progress and the assignee."""
        self._edit(issue, lambda record: record.update(status="in_progress", assignee=agent))

    def unclaim(self, issue: str) -> None:
        """Set status open, no assignee."""
        self._edit(issue, _open)

    def close(self, issue: str, reason: str) -> None:
        """Set status closed with the reason."""
        self._edit(issue, lambda record: record.update(status="closed", closed_at=iso(wall()), close_reason=reason))

    def hand_off(self, issue: str, note: str) -> None:
        """Set status open, add the label and the note."""

        def edit(record: dict[str, Any]) -> None:
            _open(record)
            labels = [label for label in record.get("labels") or [] if label != FOLLOW_UP]
            record["labels"] = [*labels, FOLLOW_UP]
            record["notes"] = "\n".join(part for part in (record.get("notes"), note) if part)

        self._edit(issue, edit)

    def _edit(self, issue: str, change: Change) -> None:
        edit_records(self._file, self._lock, lambda _: Edits({issue: change}))


def _open(record: dict[str, Any]) -> None:
    record["status"] = "open"
    record.pop("assignee", None)


class BdTracker:
    """A tracker behind the `bd` program, called from the main checkout."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def claim(self, issue: str, agent: str) -> None:
        """`bd update ID --status in_progress --assignee AGENT`."""
        self._bd("update", issue, "--status", "in_progress", "--assignee", agent)

    def unclaim(self, issue: str) -> None:
        """`bd update ID --status open --assignee ""`."""
        self._bd("update", issue, "--status", "open", "--assignee", "")

    def close(self, issue: str, reason: str) -> None:
        """`bd close ID --reason …`."""
        self._bd("close", issue, "--reason", reason)

    def hand_off(self, issue: str, note: str) -> None:
        """Open it again, label it, append the note."""
        self.unclaim(issue)
        self._bd("label", "add", issue, FOLLOW_UP)
        before = self._notes(issue)
        if note not in before:
            self._bd("update", issue, "--notes", "\n".join(part for part in (before, note) if part))

    def _notes(self, issue: str) -> str:
        """The notes so far: `--notes` takes their place, and not every version can append."""
        shown = bd(self._root, "show", issue)
        return "".join(one.notes for one in read_issues(shown, "bd show").issues if one.id == issue)

    def _bd(self, *arguments: str) -> None:
        bd(self._root, *arguments)


def open_tracker(root: Path, file: Path | None, state: Path, *, write: bool) -> Tracker:
    """The tracker of the repository at `root` whose JSONL is `file`; `state` holds the lock."""
    if not write:
        return NoTracker()
    if bd_keeps(root):
        return BdTracker(root)
    if file is None:
        raise Failure(
            "no-tracker", f"{root} has no beads tracker", mend="bd init, or put issues into .beads/issues.jsonl"
        )
    return JsonlTracker(file, state / "tracker.lock")
