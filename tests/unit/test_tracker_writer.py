"""The JSONL tracker: what is not understood stays as it is, to the byte."""

import json
from pathlib import Path

import pytest

from coordinator.tasks.tracker import JsonlTracker, NoTracker, open_tracker
from resources.system.errors import Failure

STRANGE = '{"_type":"memory","key":"x"}\n<<<<<<< ours\nnot json\n\n{"id":"b-2","title":"zwei ü","odd":{"a":1}}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "issues.jsonl"
    path.write_text('{"id":"b-1","status":"open","labels":["api"],"custom":[1,2]}\n' + STRANGE + "\n")
    return path


def issue(file: Path, name: str) -> dict:
    records = [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]
    return next(record for record in records if record.get("id") == name)


def test_claim_close_and_hand_off(file: Path, tmp_path: Path) -> None:
    tracker = JsonlTracker(file, tmp_path / "lock")
    tracker.claim("b-1", "agent-1")
    assert (issue(file, "b-1")["status"], issue(file, "b-1")["assignee"]) == ("in_progress", "agent-1")
    tracker.hand_off("b-1", "tried twice")
    record = issue(file, "b-1")
    assert record["status"] == "open"
    assert record["labels"] == ["api", "needs-followup"]
    assert record["notes"] == "tried twice"
    assert "assignee" not in record
    tracker.close("b-1", "landed on main")
    assert issue(file, "b-1")["status"] == "closed"
    assert issue(file, "b-1")["custom"] == [1, 2]
    assert STRANGE in file.read_text()


def test_an_unknown_issue_is_told(file: Path, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="holds no issue b-9"):
        JsonlTracker(file, tmp_path / "lock").close("b-9", "x")


def test_writing_can_be_switched_off(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path, None, tmp_path, write=False)
    assert isinstance(tracker, NoTracker)
    tracker.close("b-1", "x")
    with pytest.raises(Failure) as caught:
        open_tracker(tmp_path, None, tmp_path, write=True)
    assert caught.value.reference == "no-tracker"
