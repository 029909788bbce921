"""What the coordinator writes back to the backlog: claimed, released, closed, handed off.

The ledger is the truth about who works on what; the tracker mirrors it for people and other tools
(`bd`'s own claims have been handed out twice). Two ways to write, behind one contract: through `bd`
where the repository is bd's and `bd` is on PATH, else straight into the JSONL file, line by line, under
a lock and by atomic replace, leaving every field and every line that we do not understand as it is.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from resources.system.clock import iso, wall
from resources.system.errors import Failure
from resources.system.files import file_lock, replace_file
from resources.system.process import clean_environment, run

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

    def _edit(self, issue: str, change: Callable[[dict[str, Any]], None]) -> None:
        with file_lock(self._lock, what="the tracker file"):
            lines = self._file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
            for number, line in enumerate(lines):
                record = _record(line)
                if record is not None and record.get("id") == issue:
                    change(record)
                    record["updated_at"] = iso(wall())
                    lines[number] = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
                    break
            else:
                raise Failure("no-such-issue", f"{self._file} holds no issue {issue}", mend="track-analyzer analyze")
            replace_file(self._file, "\n".join(lines).encode("utf-8", "surrogateescape"))


def _open(record: dict[str, Any]) -> None:
    record["status"] = "open"
    record.pop("assignee", None)


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


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
        self._bd("update", issue, "--notes", note)

    def _bd(self, *arguments: str) -> None:
        environment = clean_environment({"BD_ACTOR": "agent-coord"})
        run(["bd", *arguments, "--json"], cwd=self._root, env=environment, timeout=60)


def open_tracker(root: Path, file: Path | None, state: Path, *, write: bool) -> Tracker:
    """The tracker of the repository at `root` whose JSONL is `file`; `state` holds the lock."""
    if not write:
        return NoTracker()
    has_database = (root / ".beads" / "metadata.json").exists() or (root / ".beads" / "beads.db").exists()
    if has_database and shutil.which("bd"):
        return BdTracker(root)
    if file is None:
        raise Failure(
            "no-tracker", f"{root} has no beads tracker", mend="bd init, or put issues into .beads/issues.jsonl"
        )
    return JsonlTracker(file, state / "tracker.lock")
