"""What a run asked for ends with the run, however it ends; what was spawned lasts. Real processes."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.projects import Place, make_place, step, writes

ISSUES = ("w-1", "w-2", "w-3")
TRACKER = "".join(f'{{"id":"{name}","title":"Write {name}.txt","status":"open","priority":1}}\n' for name in ISSUES)


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project", {".beads/issues.jsonl": TRACKER})
    for issue in ISSUES:
        made.script(issue, writes(f"{issue}.txt", issue, f"{issue}: done"))
    go = made.root / ".agent-worktrees" / "go"
    waits = step('say = "thinking"') + step(f"""run = ["sh", "-c", "until [ -e '{go}' ]; do sleep 0.05; done"]""")
    made.script("w-1", waits + writes("w-1.txt", "w-1", "w-1: done"))
    made.json("init")
    yield made
    made.run("cleanup", "--yes")


def go(place: Place) -> None:
    (place.root / ".agent-worktrees" / "go").touch()


def begun(place: Place) -> list[str]:
    return [event["issue"] for event in place.events("attempt.started")]


def kill_a_run_at_work(place: Place) -> None:
    run = place.start("run", "--max-agents", "1")
    place.until(lambda now: any(slot["activity"] == "thinking" for slot in now["slots"]))
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=30)
    assert begun(place) == ["w-1"]


def test_what_a_killed_run_had_queued_is_not_begun_by_the_next_coordinator(place: Place) -> None:
    kill_a_run_at_work(place)
    go(place)
    place.json("spawn", "1", "only:w-3")
    now = place.until(lambda now: not now["coordinator"] and now["tasks"].get("landed", 0) > 1)
    assert now["tasks"] == {"landed": 2}, "what it had begun is gone on with, and what was spawned is done"
    assert set(begun(place)) == {"w-1", "w-3"}
    assert [event["issue"] for event in place.events("task.withdrawn")] == ["w-2"]


def test_the_same_run_again_does_all_that_is_left(place: Place) -> None:
    kill_a_run_at_work(place)
    go(place)
    assert place.json("run", "--max-agents", "1")["landed"] == 3


def test_a_run_of_some_leaves_the_others_unasked(place: Place) -> None:
    go(place)
    answer = place.json("run", "--max-issues", "1")
    assert {one["state"] for one in answer["left"]} == {"waiting"}
    assert place.json("status")["tasks"] == {"landed": 1}
    place.json("spawn", "1", "only:w-3")
    assert place.until(lambda now: not now["coordinator"])["tasks"] == {"landed": 2}


def test_what_was_spawned_outlives_a_run_and_its_end(place: Place) -> None:
    run = place.start("run", "--max-agents", "1", "--max-issues", "1")
    place.until(lambda now: any(slot["activity"] == "thinking" for slot in now["slots"]))
    place.json("spawn", "1", "only:w-2")
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=30)
    go(place)
    assert place.json("run", "--only", "w-1")["landed"] == 2
    assert set(begun(place)) == {"w-1", "w-2"}


def test_what_is_spawned_beside_a_run_that_ends_is_not_left_lying(place: Place) -> None:
    run = place.start("run", "--max-agents", "1", "--max-issues", "1")
    place.until(lambda now: any(slot["activity"] == "thinking" for slot in now["slots"]))
    place.json("spawn", "1", "only:w-2")
    go(place)
    _, err = run.communicate(timeout=60)
    assert "goes on in the background" in err
    assert place.until(lambda now: not now["coordinator"])["tasks"] == {"landed": 2}
