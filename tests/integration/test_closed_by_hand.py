"""Issues that a person closes while the house is at them: the slot comes back, nothing is lost, the rest goes on."""

import json
from pathlib import Path

import pytest

from tests.support.projects import Place, make_place, step, writes
from tests.support.repos import git_out

SAVED = "refs/agent-coord/saved/a-1/1"


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project")
    made.script("a-2", writes("two.txt", "2", "a-2: two"))
    yield made
    made.run("cleanup", "--yes")


def mark(place: Place, issue: str, status: str) -> None:
    tracker = place.root / ".beads" / "issues.jsonl"
    records = [json.loads(line) for line in tracker.read_text().splitlines()]
    changed = [record | {"status": status} if record["id"] == issue else record for record in records]
    tracker.write_text("".join(json.dumps(record, separators=(",", ":")) + "\n" for record in changed))


def close(place: Place, issue: str) -> None:
    """Close it, and again where the coordinator wrote something else at that very moment, until that is noticed."""

    def noticed(now: dict) -> bool:
        if place.issues[issue]["status"] != "closed":
            mark(place, issue, "closed")
        return now["tasks"].get("released", 0) == 1 or not now["coordinator"]

    place.until(noticed)


def add(place: Place, issue: str) -> None:
    tracker = place.root / ".beads" / "issues.jsonl"
    record = {"id": issue, "title": "Something else", "status": "open", "priority": 3, "issue_type": "task"}
    tracker.write_text(tracker.read_text() + json.dumps(record, separators=(",", ":")) + "\n")


def gated(place: Place, go: Path) -> None:
    """Let the gate wait until `go` is there."""
    check = f"while [ ! -e '{go}' ]; do sleep 0.1; done"
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(
        f"[gate]\nchecks = [{{name = 'slow', run = {json.dumps(['sh', '-c', check])}}}]\n{config.read_text()}"
    )


def letters(place: Place) -> list[dict]:
    return place.json("mail", "inbox")["letters"]


def landed(place: Place) -> list[str]:
    subjects = git_out(place.root, "log", "--first-parent", "--format=%s", "main").splitlines()
    return [subject.split(":")[0].removeprefix("Land ") for subject in subjects if subject.startswith("Land ")]


def held(place: Place) -> list[tuple[str, str, str]]:
    slots = place.json("status")["slots"]
    return [(slot["slot"], slot["state"], slot["activity"]) for slot in slots if slot["state"] != "idle"]


def test_while_its_agent_works(place: Place) -> None:
    thinks = step('write = "draft.txt"\ntext = "half done"') + step('say = "thinking"') + step("sleep = 60.0")
    place.script("a-1", thinks, writes("one.txt", "1", "a-1: one"))
    place.json("init")
    run = place.start("run", "--json")
    place.until(lambda now: any(slot["activity"] == "thinking" for slot in now["slots"]))
    close(place, "a-1")
    out, err = run.communicate(timeout=120)
    assert (run.returncode, json.loads(out)["landed"]) == (0, 1), err
    assert landed(place) == ["a-2"], "what waited for it goes on"
    assert held(place) == []
    assert git_out(place.root, "show", f"{SAVED}:draft.txt") == "half done"
    (letter,) = letters(place)
    assert letter["subject"] == "a-1 was closed while agent-1 worked on it"
    assert SAVED in letter["body"]
    # It is opened again: whoever works on it is told where the work is.
    mark(place, "a-1", "open")
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.json("spawn", "1", "only:a-1")
    place.until(lambda now: not now["coordinator"])
    assert landed(place) == ["a-1", "a-2"]
    briefings = (place.root / ".agent-worktrees" / "logs" / "a-1").glob("*.briefing.md")
    assert any(SAVED in file.read_text() for file in briefings)


def test_while_its_work_is_judged(place: Place, tmp_path: Path) -> None:
    go = tmp_path / "go"
    gated(place, go)
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.json("init")
    run = place.start("run", "--json")
    place.until(lambda now: any(entry["state"] == "checking" for entry in now["merge"]))
    close(place, "a-1")
    go.touch()
    out, err = run.communicate(timeout=120)
    assert (run.returncode, json.loads(out)["landed"]) == (0, 1), err
    assert landed(place) == ["a-2"], "what somebody has called off does not land by itself"
    assert held(place) == []
    assert git_out(place.root, "show", f"{SAVED}:one.txt") == "1"
    assert SAVED in letters(place)[0]["body"]


def test_before_it_is_tried_again(place: Place, tmp_path: Path) -> None:
    go = tmp_path / "go"
    add(place, "b-1")
    waits = f"run = ['sh', '-c', \"while [ ! -e '{go}' ]; do sleep 0.1; done\"]"
    place.script("b-1", step(waits) + writes("other.txt", "3", "b-1: other"))
    place.script("a-1", step("run = ['sh', '-c', 'exit 3']"))
    place.json("init")
    run = place.start("run", "--json")
    place.until(lambda now: now["tasks"].get("retry") == 1 and now["tasks"].get("working") == 1)
    close(place, "a-1")
    go.touch()
    out, err = run.communicate(timeout=120)
    assert (run.returncode, json.loads(out)["landed"]) == (0, 2), err
    assert sorted(landed(place)) == ["a-2", "b-1"]
    assert [one["data"]["attempt"] for one in place.events("attempt.started") if one["issue"] == "a-1"] == [1]
    assert held(place) == []


def test_when_a_person_has_taken_it(place: Place) -> None:
    place.json("init")
    place.json("task", "start", "a-1")
    assert place.run("task", "resolve", "a-1", "--as", "obsolete", "--why", "the board has dropped it").returncode == 4
    mark(place, "a-1", "closed")
    assert place.json("run")["landed"] == 1
    assert landed(place) == ["a-2"]
    assert place.json("status")["tasks"] == {"landed": 1}
    assert place.run("task", "start", "a-1").returncode == 4, "it is done"
