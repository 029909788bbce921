"""A seat is for an agent that works; what is finished keeps its slot, and takes the next seat when it comes back."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.support.projects import Place, make_place, step, writes
from tests.support.repos import git_out

GATE = """
[[gate.checks]]
name = "sound"
run = ["sh", "-c", "while [ -e '{closed}' ]; do sleep 0.05; done; ! grep -rq BROKEN --include=*.txt ."]
"""


@pytest.fixture
def place(tmp_path: Path):
    """Three issues that touch different files; the gate waits while `closed` is there, b-2's agent until `go` is."""
    tracker = "".join(f'{{"id":"b-{n}","title":"Write b{n}.txt","status":"open"}}\n' for n in (1, 2, 3))
    made = make_place(tmp_path / "a project", {".beads/issues.jsonl": tracker})
    config = made.root / ".agent-worktrees" / "config.toml"
    text = config.read_text().replace("size = 2", "size = 3").replace("maximum = 2", "maximum = 3")
    config.write_text(text + GATE.format(closed=closed(made)))
    until_go = step(f"""run = ["sh", "-c", "until [ -e '{go(made)}' ]; do sleep 0.05; done"]""")
    made.script("b-1", writes("b1.txt", "BROKEN", "b-1: one"), writes("b1.txt", "1", "b-1: mended"))
    made.script("b-2", until_go + writes("b2.txt", "2", "b-2: two"))
    made.script("b-3", writes("b3.txt", "3", "b-3: three"))
    closed(made).touch()
    made.json("init")
    yield made
    closed(made).unlink(missing_ok=True)
    go(made).touch()
    made.run("cleanup", "--yes")


def closed(place: Place) -> Path:
    return place.root.parent / "closed"


def go(place: Place) -> Path:
    return place.root.parent / "go"


def slot_of(status: dict, issue: str) -> dict:
    return next(slot for slot in status["slots"] if slot["issue"] == issue)


def begun(place: Place) -> list[tuple[str, int, str]]:
    return [(one["issue"], one["data"]["attempt"], one["slot"]) for one in place.events("attempt.started")]


def test_the_next_issue_begins_while_the_gate_works_and_what_comes_back_goes_first(place: Place) -> None:
    place.json("spawn", "1")
    now = place.until(lambda now: now["agents"]["landing"] == 1 and now["agents"]["working"] == 1)
    assert now["agents"] == {"seats": 1, "working": 1, "bounced": 0, "landing": 1}
    assert "1 of 1 at work · 1 finished · 1 waiting" in place.run("status").stdout
    first = slot_of(now, "b-1")["slot"]
    assert [one["why"] for one in now["queue"]] == ["waits for a free seat: all 1 are taken"]

    closed(place).unlink()
    now = place.until(lambda now: now["agents"]["bounced"] == 1)
    assert slot_of(now, "b-1")["task"] == "bounced"
    assert [one["issue"] for one in now["queue"]] == ["b-3"]
    go(place).touch()
    place.until(lambda now: now["tasks"] == {"landed": 3} and not now["coordinator"])
    started = begun(place)
    assert [(issue, attempt) for issue, attempt, _ in started] == [("b-1", 1), ("b-2", 1), ("b-1", 2), ("b-3", 1)]
    assert started[2][2] == first, "it goes on where its work is"


def test_work_that_came_back_outlives_the_coordinator(place: Place) -> None:
    place.json("spawn", "1")
    place.until(lambda now: now["agents"]["landing"] == 1 and now["agents"]["working"] == 1)
    closed(place).unlink()
    now = place.until(lambda now: now["agents"]["bounced"] == 1)
    pid = (place.root / ".git" / "agent-coord" / "coordinator.lock").read_text().split()[0]
    os.kill(int(pid), signal.SIGKILL)
    place.until(lambda now: not now["coordinator"])

    run = place.start("run", "--max-agents", "1", "--json")
    place.until(lambda _: len(place.events("attempt.adopted")) == 2)
    go(place).touch()
    out, err = run.communicate(timeout=60)
    assert json.loads(out)["landed"] == 3, err
    again = next(one for one in begun(place) if one[:2] == ("b-1", 2))
    assert again[2] == slot_of(now, "b-1")["slot"]
    assert git_out(place.root, "show", "main:b1.txt") == "1"
    assert git_out(place.root, "for-each-ref", "refs/agent-coord/saved/b-*") == ""


def test_the_pool_makes_a_slot_for_a_seat_that_finished_work_has_freed(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text().replace("minimum = 1", "minimum = 1\ngrow_below_load = 1000.0"))
    place.json("pool", "scale-down", "2")
    place.json("spawn", "1")
    place.until(lambda now: now["agents"]["landing"] == 1 and now["queue"][0]["why"] == "waits for a free slot")
    now = place.until(lambda now: now["agents"]["working"] == 1, 60)
    assert len(now["slots"]) == 2


def test_one_interrupt_lets_what_came_back_be_mended(place: Place) -> None:
    run = place.start("run", "--max-agents", "1")
    place.until(lambda now: now["agents"]["landing"] == 1 and now["agents"]["working"] == 1)
    closed(place).unlink()
    place.until(lambda now: now["agents"]["bounced"] == 1)
    run.send_signal(signal.SIGINT)
    assert run.stderr is not None
    while "draining" not in run.stderr.readline():
        assert run.poll() is None
    go(place).touch()
    run.communicate(timeout=60)
    assert place.json("status")["tasks"] == {"landed": 2}, "what was not begun is not asked for any more"
    assert begun(place)[-1][:2] == ("b-1", 2)
