"""What a failed attempt leaves: for the next one, for a person, and whoever coordinates it. Real processes."""

import os
import signal
from pathlib import Path

import pytest

from coordinator.tasks.claims import find_task
from resources.state.sqlite import SqliteLedger
from resources.system.repository import find_repository
from tests.support.projects import Place, make_place, step, writes
from tests.support.repos import commit, git_out

SHELL = "[ ! -e one.txt ] || { cat one.txt; grep -q good one.txt; } || exit 3"
CHECK = f'[[gate.checks]]\nname = "good"\nrun = ["sh", "-c", "{SHELL}"]\n'


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project")
    config = made.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text().replace('"scripts"\n', '"scripts"\nattempts = 2\n', 1) + CHECK)
    made.json("init")
    yield made
    made.run("cleanup", "--yes")


def test_a_person_and_the_next_agent_are_told_all_until_it_lands(place: Place) -> None:
    place.script("a-1", writes("one.txt", "bad", "a-1: one"), writes("one.txt", "worse", "a-1: two"))
    assert place.json("run", "--only", "a-1")["landed"] == 0
    file = place.root / ".agent-worktrees" / "handoff" / "a-1.md"
    text = file.read_text()
    assert "## Attempt 1 did not land" in text
    assert "## Attempt 2 did not land" in text
    assert "failed with exit code 3" in text
    assert "worse" in text
    assert "one.txt | 1 +" in text
    (saved,) = git_out(place.root, "for-each-ref", "--format=%(refname)", "refs/agent-coord/saved/a-1").splitlines()
    assert f"kept under `{saved}`" in text
    log, _, end = text.partition("output: `")[2].partition("`")
    assert Path(log).is_file(), end
    assert str(file) in place.issues["a-1"]["notes"]

    place.script("a-1", writes("one.txt", "good", "a-1: good"))
    place.json("spawn", "1", "only:a-1")
    place.until(lambda now: now["tasks"].get("landed") == 1)
    told = (place.root / ".agent-worktrees" / "logs" / "a-1" / "1.briefing.md").read_text()
    assert "## Attempt 2 did not land" in told
    assert not file.exists()


def process_of(place: Place, issue: str) -> int:
    ledger = SqliteLedger(find_repository(place.root).state)
    try:
        with ledger.read() as snapshot:
            task = find_task(snapshot, issue)
    finally:
        ledger.close()
    assert task is not None
    assert task.worker is not None
    return task.worker.pid


def test_the_death_of_the_coordinator_loses_no_handoff(place: Place) -> None:
    thinks = step('say = "thinking"') + step("sleep = 60.0")
    place.script("a-1", step('run = ["false"]'), thinks, writes("one.txt", "good", "a-1: good"))
    place.json("spawn", "1", "only:a-1")
    place.until(lambda now: any(slot["activity"] == "thinking" for slot in now["slots"]))
    agent = process_of(place, "a-1")
    os.kill(int((place.root / ".git" / "agent-coord" / "coordinator.lock").read_text().split()[0]), signal.SIGKILL)
    os.killpg(agent, signal.SIGKILL)
    place.until(lambda now: not now["coordinator"])
    assert place.json("run", "--only", "a-1")["landed"] == 1
    told = (place.root / ".agent-worktrees" / "logs" / "a-1" / "3.briefing.md").read_text()
    assert "## Attempt 1 did not land" in told
    assert "false ended with 1" in told


def test_what_said_where_it_failed_is_handed_off_when_nothing_will_change_there(place: Place) -> None:
    for text in ("0", "1", "2"):
        commit(place.root, {"one.txt": f"{text}\n"}, f"a-1: {text}")
    last = git_out(place.root, "rev-parse", "HEAD")
    git_out(place.root, "reset", "--hard", "HEAD~2")
    place.script("a-1", step(f'cherry_pick = ["{last}"]'))
    assert place.json("run", "--only", "a-1")["left"][0]["state"] == "handed_off"
    assert len(place.events("attempt.started")) == 1, "the same ground would give the same end"
    assert "attempt 1 failed on one.txt" in place.events("task.handed_off")[0]["data"]["why"]
    assert "one.txt" in place.issues["a-1"]["notes"]
    assert place.json("mail", "inbox", "--all")["letters"][0]["subject"].startswith("a-1 needs a person")
