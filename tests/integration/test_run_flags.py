"""`run` does as much as it was asked to do, and gives everything back. Real processes."""

import json
from pathlib import Path

import pytest

from tests.support.projects import Place, make_place, step, writes

CHILD = '"dependencies":[{"issue_id":"%s","depends_on_id":"e","type":"parent-child"}]'
TRACKER = "".join(
    line + "\n"
    for line in (
        '{"id":"e","title":"All of it","status":"open","issue_type":"epic"}',
        '{"id":"e.1","title":"Write e1.txt","status":"open",' + CHILD % "e.1" + "}",
        '{"id":"e.2","title":"Write e2.txt","status":"open",' + CHILD % "e.2" + "}",
        '{"id":"x-1","title":"Write x1.txt","status":"open"}',
    )
)


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project", {".beads/issues.jsonl": TRACKER})
    for issue in ("e.1", "e.2", "x-1"):
        made.script(issue, writes(f"{issue}.txt", issue, f"{issue}: done"))
    made.json("init")
    yield made
    made.run("cleanup", "--yes")


def landed(place: Place) -> set[str]:
    return {event["issue"] for event in place.events("landing.landed")}


def test_an_epic_alone_and_its_closing(place: Place) -> None:
    plan = place.json("run", "--epic", "e", "--dry-run")
    assert set(plan["issues"]) == {"e.1", "e.2"}
    assert place.events("attempt.started") == []
    assert place.json("run", "--epic", "e")["landed"] == 2
    assert landed(place) == {"e.1", "e.2"}
    assert place.issues["e"]["status"] == "closed"
    assert place.issues["x-1"]["status"] == "open"


def test_so_many_issues_and_no_more(place: Place) -> None:
    assert place.json("run", "--max-issues", "1")["landed"] == 1
    assert len(place.events("attempt.started")) == 1


def test_one_at_a_time(place: Place) -> None:
    assert place.json("run", "--sequential")["landed"] == 3
    events = sorted(place.events("attempt.started") + place.events("landing.landed"), key=lambda event: event["seq"])
    assert [event["kind"] for event in events] == ["attempt.started", "landing.landed"] * 3


def test_when_time_is_up_everything_is_given_back(place: Place) -> None:
    place.script("x-1", step('write = "half.txt"\ntext = "half"') + step("sleep = 60.0"))
    done = place.run("run", "--only", "x-1", "--timeout", "0.05", "--json")
    assert (done.returncode, json.loads(done.stdout)["landed"]) == (1, 0)
    assert "time is up" in done.stderr
    status = place.json("status")
    assert {slot["state"] for slot in status["slots"]} == {"idle"}
    assert place.issues["x-1"]["status"] == "open"
    assert place.events("work.saved")[0]["data"]["ref"].startswith("refs/agent-coord/saved/x-1/")
