"""A person moves the base branch while work waits to land on it: the commands, real git, a real gate."""

from pathlib import Path

import pytest

from tests.support.projects import Place, make_place, step, writes
from tests.support.repos import commit, git_out

PATIENCE = 90.0
"""Seconds; two gates and a start of the coordinator on a busy machine."""

GATE = """
[merge]
workers = 2
[[gate.checks]]
name = "sound"
run = ["sh", "-c", "while [ -e '{flag}' ]; do sleep 0.05; done; ! grep -rq BROKEN --include=*.txt ."]
"""


@pytest.fixture
def place(tmp_path: Path):
    """The gate waits while the file `closed` is there, and is red where a text says BROKEN."""
    made = make_place(tmp_path / "a project", {"base.txt": "sound"})
    config = made.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text() + GATE.format(flag=flag(made)))
    made.json("init")
    yield made
    flag(made).unlink(missing_ok=True)
    made.run("cleanup", "--yes")


def flag(place: Place) -> Path:
    return place.root.parent / "closed"


def queue(place: Place, issue: str, files: dict[str, str], onto: str = "main") -> None:
    """A branch that a person has made is queued."""
    git_out(place.root, "switch", "-qc", f"work/{issue}", onto)
    commit(place.root, files, f"{issue}: work")
    git_out(place.root, "switch", "-q", "main")
    place.json("merge", "enqueue", f"work/{issue}", "--issue", issue)


def landings(place: Place) -> list[str]:
    log = git_out(place.root, "log", "--first-parent", "--format=%s", "main").splitlines()
    return [line.split(":")[0] for line in reversed(log) if line.startswith("Land")]


def test_nobody_is_blamed_for_a_red_main_and_what_mends_it_lands(place: Place) -> None:
    commit(place.root, {"base.txt": "BROKEN"}, "a person breaks main")
    queue(place, "x-1", {"one.txt": "1"})
    place.until(lambda now: any("main itself is red at" in entry["why"] for entry in now["merge"]), PATIENCE)
    assert len(place.events("base.red")) == 1
    queue(place, "x-2", {"base.txt": "sound again"})
    place.until(lambda _: landings(place) == ["Land x-2", "Land x-1"], PATIENCE)
    assert place.events("landing.bounced") == []
    place.until(lambda now: not now["coordinator"], PATIENCE)


def test_a_run_on_a_red_main_ends_with_the_work_in_the_queue_and_no_slot_taken(place: Place) -> None:
    commit(place.root, {"base.txt": "BROKEN"}, "a person breaks main")
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    assert place.json("run", "--only", "a-1")["landed"] == 0
    (entry,) = place.json("merge", "status")["waiting"]
    assert "main itself is red at" in entry["why"]
    assert {slot["state"] for slot in place.json("status")["slots"]} == {"idle"}
    commit(place.root, {"base.txt": "sound"}, "a person mends main")
    place.json("run", "--only", "a-1")
    assert landings(place) == ["Land a-1"]


def test_what_is_red_on_a_sound_main_goes_back_though_nobody_had_judged_main(place: Place) -> None:
    commit(place.root, {"more.txt": "a person's"}, "a person commits")
    queue(place, "x-1", {"one.txt": "BROKEN"})
    place.until(lambda _: len(place.events("landing.bounced")) == 1, PATIENCE)
    assert place.events("base.red") == []
    assert landings(place) == []


def test_a_commit_by_hand_makes_the_verdict_void_and_what_lands_was_judged_on_top_of_it(place: Place) -> None:
    flag(place).touch()
    queue(place, "x-1", {"one.txt": "1"})
    place.until(lambda _: len(place.events("gate.started")) == 1, PATIENCE)
    commit(place.root, {"more.txt": "a person's"}, "a person is faster")
    flag(place).unlink()
    place.until(lambda _: landings(place) == ["Land x-1"], PATIENCE)
    assert git_out(place.root, "log", "-1", "--format=%s", "main^1") == "a person is faster"
    assert len(place.events("gate.started")) == 2


def test_edits_in_the_way_hold_a_landing_that_no_agent_waits_for_and_it_lands_when_they_are_gone(place: Place) -> None:
    flag(place).touch()
    queue(place, "x-1", {"base.txt": "theirs"})
    place.until(lambda _: len(place.events("gate.started")) == 1, PATIENCE)
    (place.root / "base.txt").write_text("a person's edit")
    flag(place).unlink()
    place.until(
        lambda now: any("base.txt" in entry["why"] for entry in now["merge"] if entry["state"] == "held"), PATIENCE
    )
    assert (place.root / "base.txt").read_text() == "a person's edit"
    git_out(place.root, "checkout", "base.txt")
    place.until(lambda _: landings(place) == ["Land x-1"], PATIENCE)
    assert (place.root / "base.txt").read_text() == "theirs"


def test_what_was_taken_off_main_comes_back_only_when_a_person_wants_it(place: Place) -> None:
    queue(place, "x-1", {"one.txt": "1"})
    place.until(lambda now: landings(place) == ["Land x-1"] and not now["coordinator"], PATIENCE)
    place.json("merge", "pause")
    queue(place, "x-2", {"two.txt": "2"})
    place.until(lambda _: len(place.json("merge", "status")["waiting"]) == 1, PATIENCE)
    git_out(place.root, "reset", "-q", "--hard", "main^1")
    place.json("merge", "resume")
    (entry,) = place.until(lambda now: any(one["state"] == "look" for one in now["merge"]), PATIENCE)["merge"]
    assert "would bring back" in entry["why"]
    assert len(place.events("base.rewritten")) == 1
    place.json("merge", "approve", str(place.json("merge", "status")["waiting"][0]["id"]))
    place.until(lambda _: landings(place) == ["Land x-2"], PATIENCE)
    assert git_out(place.root, "show", "main:one.txt") == "1"


def test_an_attempt_that_began_on_what_was_taken_off_main_begins_anew(place: Place) -> None:
    go = place.root.parent / "go"
    commit(place.root, {"secret.txt": "a slip"}, "a person's slip")
    wait = step(f"""run = ["sh", "-c", "until [ -e '{go}' ]; do sleep 0.05; done"]""")
    place.script("a-1", wait + writes("one.txt", "1", "a-1: one"))
    place.json("spawn", "1", "only:a-1")
    place.until(lambda now: any(slot["task"] == "working" for slot in now["slots"]), PATIENCE)
    git_out(place.root, "reset", "-q", "--hard", "main^1")
    go.touch()
    place.until(lambda now: now["tasks"] == {"landed": 1}, PATIENCE)
    assert "secret.txt" not in git_out(place.root, "ls-tree", "-r", "--name-only", "main").split()
    assert git_out(place.root, "show", "main:one.txt") == "1"
    (bounced,) = place.events("landing.bounced")
    assert "would bring back" in bounced["data"]["why"]
    (saved,) = place.events("work.saved")
    assert git_out(place.root, "show", f"{saved['data']['ref']}:one.txt") == "1"


def test_what_main_itself_passes_is_held_against_a_change_though_main_is_red_in_something_else(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    second = '[[gate.checks]]\nname = "tidy"\nrun = ["sh", "-c", "echo untidy; test ! -e litter.txt"]\n'
    config.write_text(config.read_text() + second)
    commit(place.root, {"base.txt": "BROKEN"}, "a person breaks main")
    queue(place, "x-1", {"base.txt": "sound again", "litter.txt": "1"})
    place.until(lambda _: len(place.events("landing.bounced")) == 1, PATIENCE)
    (bounced,) = place.events("landing.bounced")
    assert "check tidy failed" in bounced["data"]["why"]
    assert landings(place) == []
