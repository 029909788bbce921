"""Agents that take their work themselves: the commands as processes, and the file that they keep."""

import json
from pathlib import Path

import pytest

from tests.support.projects import Place, make_place
from tests.support.task_races import race


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = make_place(tmp_path / "a place")
    assert made.run("init", "--slots", "1").returncode == 0
    return made


def seen(place: Place) -> dict[str, str]:
    file = place.root / ".agent-worktrees" / ".progress.json"
    return {issue: line["phase"] for issue, line in json.loads(file.read_text())["tasks"].items()}


def test_a_dependant_is_free_as_soon_as_its_dependency_is_completed(place: Place) -> None:
    assert [one["issue"] for one in place.json("task", "available")["tasks"]] == ["a-1"]
    assert place.run("task", "start", "a-2").returncode == 4, "dependencies are hard"
    place.json("task", "start", "a-1")
    assert place.issues["a-1"]["status"] == "in_progress"
    assert seen(place) == {"a-1": "started", "a-2": "waiting"}
    told = place.run("task", "complete", "a-1", "--pr", "7")
    assert "now free: a-2" in told.stdout
    assert seen(place) == {"a-1": "completed", "a-2": "available"}
    assert place.run("task", "start", "a-1").returncode == 4, "finished work is not taken up again"


def test_what_failed_is_free_for_the_next_with_the_reason(place: Place) -> None:
    place.json("task", "start", "a-1")
    place.json("task", "fail", "a-1", "--why", "no key for the service")
    assert place.issues["a-1"]["status"] == "open"
    assert "no key for the service" in place.run("task", "available").stdout
    assert place.run("task", "complete", "a-1").returncode == 4
    place.json("task", "start", "a-1")
    assert seen(place)["a-1"] == "started"


def test_the_coordinator_and_agents_by_themselves_share_one_claim(place: Place) -> None:
    place.json("task", "start", "a-1")
    held = place.run("assign", "ann", "a-1")
    assert held.returncode == 4
    assert "leased to" in held.stderr or "worked on" in held.stderr
    assert place.run("task", "start", "a-9").returncode == 1


def test_three_agents_race_for_every_verb_and_nothing_is_lost(tmp_path: Path) -> None:
    done = race(tmp_path, operations=900, issues=40)
    assert done["changes"] > 100
