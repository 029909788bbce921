"""Dependants that begin before what they need has landed: the real loop, real git, scripted agents."""

import json
import os
import signal
from pathlib import Path

import pytest

from coordinator.bootstrap import open_project
from coordinator.guard.landing import Landing, check_landing
from coordinator.mail import reservations
from coordinator.merging.stack import Finished
from coordinator.merging.stacks import Stacks
from resources.state import leases
from resources.system.git import merge_tree
from tests.support.projects import Place, make_place, step, writes
from tests.support.repos import commit, git_out

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


def test_what_touches_the_same_file_begins_when_the_other_is_finished(place: Place) -> None:
    commit(place.root, {"one.txt": "0"}, "what both issues name")
    tracker = place.root / ".beads" / "issues.jsonl"
    tracker.write_text("".join(f'{{"id":"a-{n}","title":"Change one.txt","status":"open"}}\n' for n in (1, 2)))
    flag(place).touch()
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.script("a-2", step('run = ["grep", "-q", "1", "one.txt"]') + writes("one.txt", "2", "a-2: on top"))
    place.json("init")
    place.json("spawn", "2")
    place.until(queued("a-1", "a-2"))
    assert landings(place) == []
    flag(place).unlink()
    place.until(lambda now: now["tasks"] == {"landed": 2} and not now["coordinator"])
    assert landings(place) == ["Land a-1", "Land a-2"]
    assert git_out(place.root, "show", "main:one.txt") == "2"


def test_what_lies_below_is_not_the_dependants_own_under_a_strict_scope(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text() + '[scope]\nenforce = "strict"\n')
    commit(place.root, {"one.txt": "0", "two.txt": "0"}, "what the issues name")
    flag(place).touch()
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.script("a-2", step('run = ["grep", "-q", "1", "one.txt"]') + writes("two.txt", "2", "a-2: two"))
    place.json("init")
    place.json("spawn", "2")
    place.until(queued("a-1", "a-2"))
    flag(place).unlink()
    place.until(lambda now: now["tasks"] == {"landed": 2} and not now["coordinator"])
    assert [row["issue"] for row in place.events("attempt.started")] == ["a-1", "a-2"]


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
    saved = {row["issue"]: row["data"]["ref"] for row in place.events("work.saved")}
    assert git_out(place.root, "show", f"{saved['a-1']}:one.txt") == "BROKEN"
    assert git_out(place.root, "show", f"{saved['a-2']}:two.txt") == "2"
    assert place.issues["a-2"]["status"] == "open"
    handoff = (place.root / ".agent-worktrees" / "handoff" / "a-2.md").read_text()
    assert saved["a-2"] in handoff, "whoever begins anew is told where the work is"


def test_what_stands_on_work_that_a_person_must_look_at_waits_for_the_person_too(place: Place) -> None:
    commit(place.root, {"tests/test_one.py": "def test_one():\n    assert 1 == 1\n"}, "a test")
    flag(place).touch()
    place.script("a-1", writes("tests/test_one.py", "def test_one(): pass", "a-1: mend the test"))
    place.script("a-2", writes("two.txt", "2", "a-2: two"))
    place.json("init")
    place.json("merge", "pause")
    place.json("spawn", "2")
    place.until(queued("a-1", "a-2"))
    (stacked,) = place.json("merge", "status")["stacked"]
    assert stacked == {"issue": "a-2", "agent": None, "on": [{"issue": "a-1", "state": "waits to land"}]}
    place.json("merge", "resume")
    place.until(lambda now: [entry["state"] for entry in now["merge"]] == ["look", "look"] and not now["coordinator"])
    flag(place).unlink()
    for entry in place.json("merge", "status")["waiting"]:
        place.json("merge", "approve", str(entry["id"]))
    place.until(lambda now: now["tasks"] == {"landed": 2} and not now["coordinator"])
    assert landings(place) == ["Land a-1", "Land a-2"]


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


def until_there(file: Path, then: str = "true") -> str:
    return step(f"""run = ["sh", "-c", "until [ -e '{file}' ]; do sleep 0.05; done; {then}"]""")


def test_an_agent_hears_that_its_ground_is_being_mended_and_may_merge_what_mends_it(place: Place) -> None:
    mend, go = place.root.parent / "mend", place.root.parent / "go"
    flag(place).touch()
    place.script("a-1", writes("one.txt", "BROKEN", "a-1"), until_there(mend) + writes("one.txt", "1", "a-1: mended"))
    merge = f"git -c user.name=A -c user.email=a@example.com merge -q -m a-2 $(cat '{go}')"
    place.script("a-2", writes("two.txt", "2", "a-2: two") + until_there(go, merge))
    place.json("init")
    place.json("spawn", "2")
    place.until(lambda now: sum(slot["task"] == "working" for slot in now["slots"]) == 1 and queued("a-1")(now))
    flag(place).unlink()
    place.until(lambda _: len(place.events("stack.shaken")) == 1)
    assert (place.root / ".git" / "agent-coord" / "urgent").read_text(), "it is told at the next tool call"
    flag(place).touch()
    mend.touch()
    place.until(lambda _: len(place.events("stack.shaken")) == 2)
    tip = place.events("stack.shaken")[1]["data"]["tip"]
    assert git_out(place.root, "show", f"{tip}:one.txt") == "1"
    go.write_text(tip)
    place.until(queued("a-1", "a-2"))
    flag(place).unlink()
    place.until(lambda now: now["tasks"] == {"landed": 2} and not now["coordinator"])
    assert landings(place) == ["Land a-1", "Land a-2"]
    letters = [row["data"]["subject"] for row in place.events("mail.sent") if "stands on" in str(row["data"])]
    assert [text.split(", which your work stands on, ")[1] for text in letters] == [
        "did not land and is being mended", "has been mended",
    ]  # fmt: skip


def test_a_killed_coordinator_is_followed_by_one_that_knows_what_stands_on_what(place: Place) -> None:
    go = place.root.parent / "go"
    flag(place).touch()
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.script("a-2", until_there(go) + writes("one.txt", "2", "a-2: on top of one"))
    place.json("init")
    place.json("spawn", "2")
    place.until(lambda now: sum(slot["task"] == "working" for slot in now["slots"]) == 1 and queued("a-1")(now))
    pid, _ = (place.root / ".git" / "agent-coord" / "coordinator.lock").read_text().split()
    os.kill(int(pid), signal.SIGKILL)
    place.until(lambda now: not now["coordinator"])
    run = place.start("run", "--json")
    place.until(lambda _: len(place.events("attempt.adopted")) == 2)
    go.touch()
    place.until(queued("a-1", "a-2"))
    flag(place).unlink()
    out, err = run.communicate(timeout=60)
    assert json.loads(out)["landed"] == 2, err
    assert landings(place) == ["Land a-1", "Land a-2"]
    assert [row["issue"] for row in place.events("attempt.started")] == ["a-1", "a-2"]


def test_the_same_ground_is_the_same_commit_and_a_conflict_is_none(place: Place) -> None:
    place.json("init")
    tips = []
    for name, text in (("x", "1"), ("y", "2"), ("z", "1")):
        git_out(place.root, "switch", "-qc", name, "main")
        tips.append(commit(place.root, {"README.md" if name != "x" else "x.txt": name + text}, name))
        git_out(place.root, "switch", "-q", "main")
    main = commit(place.root, {"main.txt": "moved"}, "main moved")
    x, y, z = (Finished(name, tip) for name, tip in zip("xyz", tips, strict=True))
    project = open_project(place.root)
    try:
        base = Stacks(project).base(main, (x, y))
        assert base.commit == Stacks(project).base(main, (x, y)).commit
        dates = [
            int(git_out(place.root, "log", "-1", "--format=%ct", one)) for one in (base.commit, main, x.tip, y.tip)
        ]
        assert dates[0] == max(dates)
        assert {"main.txt", "x.txt"} <= {*git_out(place.root, "ls-tree", "--name-only", base.commit).split()}
        assert Stacks(project).base(main, (y, z)).conflicts == ("README.md",)
    finally:
        project.close()


def test_what_mends_a_dependency_is_not_the_dependants_own_after_it_was_merged(place: Place) -> None:
    place.json("init")
    main = git_out(place.root, "rev-parse", "main")
    project = open_project(place.root)
    try:
        git_out(place.root, "switch", "-qc", "parent")
        first = commit(place.root, {"one.txt": "BROKEN"}, "one")
        mended = commit(place.root, {"one.txt": "1", "more.txt": "more"}, "mended")
        base, onto = (Stacks(project).base(main, (Finished("a-1", tip),)).commit for tip in (first, mended))
        git_out(place.root, "switch", "-qc", "child", base)
        commit(place.root, {"two.txt": "2"}, "two")
        git_out(place.root, "merge", "-q", "--no-edit", mended)
        tip = git_out(place.root, "rev-parse", "HEAD")
        git_out(place.root, "switch", "-q", "main")
        with project.ledger.write() as tx:
            fence = leases.take(tx, "issue", "a-2", agent="agent-2", issue="a-2").fence
        merged = merge_tree(place.root, onto, tip).tree
        landing = Landing("a-2", fence, tip, onto, merged)
        assert check_landing(project.repository, project.ledger, project.config.scope, landing) is None
        with project.ledger.read() as snapshot:
            assert [one.pattern for one in reservations.live(snapshot)] == ["two.txt"]
    finally:
        project.close()
