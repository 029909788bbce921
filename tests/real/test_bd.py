"""Real versions of `bd`, built where that can be had: what they keep we read, and what we write they show."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coordinator.tasks.tracker import FOLLOW_UP, BdTracker
from tests.support.bd import LINES, ON_PATH, READY, WAITING, Bd, fill_tracker, make_tracker, program
from tests.support.repos import commit, git_out

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.real


@pytest.fixture(scope="module", autouse=True)
def _no_daemon():
    """The git hooks that bd installs start its daemon, which would outlive the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEADS_NO_DAEMON", "1")
        yield


@pytest.fixture(scope="module", params=[ON_PATH, *LINES])
def bd(request, tmp_path_factory) -> Bd:
    made = make_tracker(program(request.param), tmp_path_factory.mktemp("tracker"))
    fill_tracker(made)
    return made


def recommend(bd: Bd, *words: object, cwd: Path | None = None) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "agent_coord.py"), "track-analyzer", "recommend", "--json", *map(str, words)]
    done = subprocess.run(
        command, cwd=cwd or bd.root, env=bd.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_ready_is_what_bd_calls_ready(bd):
    found = recommend(bd, "--cross-check")
    assert found["source"]["kind"] == ("bd" if (bd.root / ".beads/embeddeddolt").exists() else "sqlite")
    assert found["source"]["stale"] is None
    assert set(found["ready"]) == READY
    assert [problem for problem in found["problems"] if "bd ready" in problem["where"]] == []


def test_what_waits_waits_for_what_bd_says(bd):
    told = {row["id"]: row["blocked_by"] for row in json.loads(bd("blocked", "--json"))}
    assert {name: told[name] for name in WAITING} == WAITING
    found = {row["id"]: row["waits_for"] for row in recommend(bd)["blocked"]}
    assert {name: found[name] for name in WAITING} == WAITING


def test_an_export_and_a_list_are_read(bd, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(bd("--readonly", "export"))
    found = recommend(bd, "--issues", tmp_path / "a.jsonl")
    assert set(found["ready"]) - {"fx-later"} == READY, "0.47 leaves `defer_until` out of its export"
    listing = bd("--readonly", "list", "--all", "--limit", "0", "--json", "--include-gates")
    (tmp_path / "a.json").write_bytes(listing)
    listed = recommend(bd, "--issues", tmp_path / "a.json")["source"]["issues"]
    assert found["source"]["issues"] - listed in (0, 1), "0.47 exports what was deleted, and does not list it"


def test_a_slot_sees_the_same_and_nothing_is_written(bd):
    git_out(bd.root, "add", "--all")
    commit(bd.root, {"note.txt": "the tracker's files\n"}, "tracker")
    slot = bd.root / ".agent-worktrees" / "slot"
    git_out(bd.root, "worktree", "add", "--quiet", "--detach", str(slot))
    exported = bd("--readonly", "export")
    assert set(recommend(bd, "--cross-check", cwd=slot)["ready"]) == READY
    assert git_out(slot, "status", "--porcelain") == ""
    assert git_out(bd.root, "status", "--porcelain").splitlines() in ([], ["?? .agent-worktrees/"])
    assert bd("--readonly", "export") == exported
    assert not (bd.home / ".beads-planning").exists()


def test_what_the_coordinator_writes_is_there(bd, monkeypatch):
    # The writer runs the `bd` that is on PATH, as a user's shell would.
    for key, value in bd.environment.items():
        monkeypatch.setenv(key, value)
    tracker = BdTracker(bd.root)
    bd("create", "To be claimed", "--id", "fx-work", "-d", "Work.", "--notes", "An old note.")
    tracker.claim("fx-work", "agent-1")
    assert shown(bd, "status", "assignee") == ("in_progress", "agent-1")
    assert "fx-work" not in recommend(bd)["ready"]
    tracker.unclaim("fx-work")
    assert shown(bd, "status", "assignee") == ("open", None)
    assert "fx-work" in recommend(bd)["ready"]
    tracker.hand_off("fx-work", "Two attempts failed.")
    assert shown(bd, "status", "labels", "notes") == ("open", [FOLLOW_UP], "An old note.\nTwo attempts failed.")
    tracker.close("fx-work", "landed")
    assert shown(bd, "status", "close_reason") == ("closed", "landed")
    assert "fx-work" not in recommend(bd)["ready"]
    bd("delete", "fx-work", "--force")


def shown(bd: Bd, *keys: str) -> tuple[Any, ...]:
    (issue,) = json.loads(bd("show", "fx-work", "--json"))
    return tuple(issue.get(key) for key in keys)
