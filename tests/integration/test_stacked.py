"""Dependants that begin before what they need has landed: the real loop, real git, scripted agents."""

from pathlib import Path

import pytest

from tests.support.projects import Place, make_place, step, writes
from tests.support.repos import git_out

GATE = """
[[gate.checks]]
name = "sound"
run = ["sh", "-c", "while [ -e '{flag}' ]; do sleep 0.05; done; ! grep -rq BROKEN --include=*.txt ."]
"""


@pytest.fixture
def place(tmp_path: Path):
    """The gate waits while the file `closed` is there, and is red where a text says BROKEN."""
    made = make_place(tmp_path / "a project")
    config = made.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text() + GATE.format(flag=flag(made)))
    yield made
    flag(made).unlink(missing_ok=True)
    made.run("cleanup", "--yes")


def flag(place: Place) -> Path:
    return place.root.parent / "closed"


def landings(place: Place) -> list[str]:
    log = git_out(place.root, "log", "--first-parent", "--format=%s", "main").splitlines()
    return [line.split(":")[0] for line in reversed(log) if line.startswith("Land")]


def queued(*issues: str):
    return lambda now: {entry["issue"] for entry in now["merge"]} >= {*issues}


def test_a_dependant_begins_on_finished_work_and_both_land(place: Place) -> None:
    flag(place).touch()
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.script("a-2", step('run = ["test", "-e", "one.txt"]') + writes("one.txt", "2", "a-2: on top of one"))
    place.json("init")
    place.json("spawn", "2")
    place.until(queued("a-1", "a-2"))
    assert landings(place) == [], "the second one has begun before the first has landed"
    flag(place).unlink()
    place.until(lambda now: now["tasks"] == {"landed": 2} and not now["coordinator"])
    assert landings(place) == ["Land a-1", "Land a-2"]
    assert git_out(place.root, "show", "main:one.txt") == "2"
    assert [row["issue"] for row in place.events("landing.bounced")] == []


def test_nothing_red_comes_in_with_a_dependant_and_what_is_mended_lands_with_it(place: Place) -> None:
    flag(place).touch()
    place.script("a-1", writes("one.txt", "BROKEN", "a-1: one"), writes("one.txt", "1", "a-1: mended"))
    place.script("a-2", writes("two.txt", "2", "a-2: two"))
    place.json("init")
    place.json("spawn", "2")
    place.until(queued("a-1", "a-2"))
    flag(place).unlink()
    place.until(lambda now: now["tasks"] == {"landed": 2} and not now["coordinator"])
    assert landings(place) == ["Land a-1", "Land a-2"]
    assert git_out(place.root, "show", "main:one.txt") == "1"
    assert [row["issue"] for row in place.events("landing.bounced")] == ["a-1"]
    assert [row["issue"] for row in place.events("attempt.started")].count("a-2") == 1, "its work was good all the time"


def test_what_stands_on_given_up_work_is_kept_and_begun_anew(place: Place) -> None:
    flag(place).touch()
    place.script("a-1", writes("one.txt", "BROKEN", "a-1: one"), step('say = "I cannot mend it"'))
    place.script("a-2", writes("two.txt", "2", "a-2: two"))
    place.json("init")
    place.json("spawn", "2")
    place.until(queued("a-1", "a-2"))
    flag(place).unlink()
    now = place.until(lambda now: now["tasks"].get("handed_off") == 1 and not now["coordinator"], 60)
    assert landings(place) == []
    assert now["tasks"] == {"handed_off": 1, "waiting": 1}
    (saved,) = [row["data"]["ref"] for row in place.events("work.saved") if row["issue"] == "a-2"]
    assert git_out(place.root, "show", f"{saved}:two.txt") == "2"
    assert place.issues["a-2"]["status"] == "open"


def test_stacking_can_be_switched_off(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text() + "[merge]\nstack = 0\n")
    flag(place).touch()
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.script("a-2", writes("two.txt", "2", "a-2: two"))
    place.json("init")
    place.json("spawn", "2")
    place.until(queued("a-1"))
    assert not [row for row in place.events("attempt.started") if row["issue"] == "a-2"]
    flag(place).unlink()
    place.until(lambda now: now["tasks"] == {"landed": 2} and not now["coordinator"])
