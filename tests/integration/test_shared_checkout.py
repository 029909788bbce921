"""Several agents in one checkout: files are locked, commits told apart, and each judged without what others began."""

import os
import signal
from pathlib import Path

from tests.support.berths import make_shared, script
from tests.support.projects import Place
from tests.support.repos import git_out


def accepted(place: Place) -> list[str]:
    return [event["issue"] for event in place.events("landing.landed")]


def test_three_agents_side_by_side(tmp_path: Path) -> None:
    check = '[[gate.checks]]\nname = "own"\nrun = ["sh", "-c", "test ! -e .agent-worktrees && ls"]\n'
    place = make_shared(tmp_path / "a project", 3, more=check)
    for number, other in ((1, 2), (2, 3), (3, 1)):
        script(
            place, f"s-{number}", f"edit part{number}.txt {number}; meet {number} {other}; commit done part{number}.txt"
        )
    answer = place.json("run", "--max-agents", "3")
    assert answer["landed"] == 3, answer
    assert [git_out(place.root, "show", f"main:part{n}.txt") for n in (1, 2, 3)] == ["1", "2", "3"]
    assert git_out(place.root, "status", "--porcelain", "--", ":!.beads") == ""


def test_the_second_one_gets_the_file_when_the_first_is_done(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 2, wait=40)
    script(place, "s-1", "edit both.txt one; meet 1 2; commit one both.txt")
    script(place, "s-2", "meet 2 1; edit ./x/../both.txt two; commit two both.txt")
    answer = place.json("run", "--max-agents", "2")
    assert answer["landed"] == 2, answer
    assert git_out(place.root, "log", "--format=%s", "-2") == "s-2: two\ns-1: one"
    (waited,) = place.events("paths.waited")
    assert (waited["issue"], waited["data"]["granted"]) == ("s-2", True)
    week = place.json("report")["criteria"]["weeks"]
    assert next(iter(week.values()))["wait_rate"] > 0


def test_the_second_one_is_refused_with_the_holders_name(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 2, wait=0.5)
    script(place, "s-1", "edit both.txt one; meet 1 2; meet late told; commit one both.txt")
    denied = 'edit both.txt two 2> "$AGENT_COORD_BRIEFING.said" || echo "denied with $?"'
    script(place, "s-2", f"meet 2 1; {denied}; edit other.txt 2; meet told late; commit two other.txt")
    answer = place.json("run", "--max-agents", "2")
    assert answer["landed"] == 2, answer
    said = (place.root / ".agent-worktrees" / "logs" / "s-2" / "1.briefing.md.said").read_text()
    assert "agent-1 holds both.txt for s-1" in said
    assert "denied with 2" in (place.root / ".agent-worktrees" / "logs" / "s-2" / "1.log").read_text()
    assert git_out(place.root, "show", "main:both.txt") == "one"


def test_what_is_not_locked_is_not_committed(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 1)
    raw = "git commit -qm no -- other.txt && exit 9; git commit --no-verify -qm no -- other.txt && exit 9"
    script(
        place,
        "s-1",
        "edit mine.txt 1; echo 2 > other.txt; ac commit -m no other.txt && exit 9\n"
        f"git add other.txt; {raw}; git commit --amend -qm no --no-verify && exit 9; git restore --staged other.txt\n"
        "ac reserve add ./other.txt --why 'it is needed'; ac commit -m yes mine.txt other.txt",
    )
    answer = place.json("run")
    assert answer["landed"] == 1, (answer, (place.root / ".agent-worktrees/logs/s-1/1.log").read_text())
    assert git_out(place.root, "log", "--format=%s", "main") == "s-1: yes\nfirst commit"


def test_git_that_would_take_others_along_is_refused(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 1)
    unsafe = [
        "git stash", "git reset", "git add -A", "git add .", "git commit -am x", "git checkout main", "git switch -c x",
        "git merge x", "git rebase main", "git clean -fd", "git push", "git restore .", "git checkout -f", "git pull",
    ]  # fmt: skip
    tries = "\n".join(f"shell '{command}' && exit 9" for command in unsafe)
    script(place, "s-1", f"{tries}\nshell 'git add mine.txt && git status'; edit mine.txt 1; commit mine mine.txt")
    answer = place.json("run")
    assert answer["landed"] == 1, (answer, (place.root / ".agent-worktrees/logs/s-1/1.log").read_text())


def test_unfinished_work_of_others_blames_nobody(tmp_path: Path) -> None:
    check = '[[gate.checks]]\nname = "whole"\nrun = ["sh", "-c", "test ! -e broken.txt"]\n'
    place = make_shared(tmp_path / "a project", 2, more=check)
    script(
        place,
        "s-1",
        "edit broken.txt 1; commit broken broken.txt; meet 1 2; meet end done",
        "shell 'rm broken.txt'; rm broken.txt; commit mended broken.txt; edit good.txt 1; commit good good.txt",
    )
    script(place, "s-2", "meet 2 1; edit fine.txt 2; commit fine fine.txt")
    running = place.start("run", "--max-agents", "2", "--json")
    place.until(lambda status: status["tasks"].get("landed") == 1, 60)
    assert accepted(place) == ["s-2"]
    assert git_out(place.root, "ls-tree", "--name-only", "main", "broken.txt") == "broken.txt"
    assert git_out(place.root, "ls-tree", "--name-only", "refs/agent-coord/accepted", "broken.txt") == ""
    (place.root / ".agent-worktrees" / "meeting" / "done").touch()
    out, err = running.communicate(timeout=120)
    assert '"landed": 2' in out, (out, err)
    assert git_out(place.root, "rev-parse", "main^{tree}") == git_out(
        place.root, "rev-parse", "refs/agent-coord/accepted^{tree}"
    )


def test_a_killed_agent_leaves_no_lock_and_nothing_is_lost(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 2, wait=40, files={"both.txt": "first\n"})
    script(place, "s-1", "edit both.txt half; edit new.txt half; meet 1 2; kill -9 $$", "exit 1", "exit 1")
    script(place, "s-2", "meet 2 1; edit both.txt two; commit two both.txt")
    place.run("run", "--max-agents", "2", "--only", "s-2,s-1")
    assert "s-2" in accepted(place)
    assert git_out(place.root, "show", "main:both.txt") == "two"
    assert not (place.root / "new.txt").exists()
    (saved,) = [event["data"]["ref"] for event in place.events("work.saved")]
    assert git_out(place.root, "show", f"{saved}:both.txt") == "half"
    assert git_out(place.root, "show", f"{saved}:new.txt") == "half"
    assert place.json("reserve", "list")["reservations"] == []


def test_who_begins_later_waits_for_a_file_that_is_half_written(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 2, wait=40, files={"both.txt": "first\n"})
    script(place, "s-1", "edit both.txt one; meet 1 2; commit one both.txt")
    script(place, "s-2", "meet 2 1; edit both.txt two; commit two both.txt")
    place.json("spawn", "1", "only:s-1")
    place.until(lambda _: (place.root / ".agent-worktrees" / "meeting" / "1").exists(), 60)
    place.json("spawn", "1", "only:s-2")
    place.until(lambda status: status["tasks"].get("landed") == 2, 60)
    assert git_out(place.root, "show", "main:both.txt") == "two"


def test_what_a_person_has_not_committed_is_left_alone(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 1, files={"theirs.txt": "first\n"})
    (place.root / "theirs.txt").write_text("a person's\n")
    script(place, "s-1", "edit theirs.txt 1 && exit 9; edit mine.txt 1; commit mine mine.txt")
    assert place.json("run")["landed"] == 1
    assert (place.root / "theirs.txt").read_text() == "a person's\n"


def test_no_agent_starts_on_another_branch(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 1)
    git_out(place.root, "switch", "-qc", "elsewhere")
    done = place.run("run", "--timeout", "0.05")
    assert "does not stand on main" in done.stderr


def test_what_is_given_up_stays_and_the_handoff_names_it(tmp_path: Path) -> None:
    check = '[[gate.checks]]\nname = "whole"\nrun = ["sh", "-c", "test ! -e broken.txt"]\n'
    place = make_shared(tmp_path / "a project", 2, attempts=1, more=check)
    script(place, "s-1", "edit broken.txt 1; commit broken broken.txt")
    script(place, "s-2", "edit fine.txt 2; commit fine fine.txt")
    assert place.json("run", "--sequential")["landed"] == 1
    assert accepted(place) == ["s-2"]
    commit = git_out(place.root, "log", "--format=%h", "--abbrev=10", "--grep=broken", "main")
    assert commit in (place.root / ".agent-worktrees" / "handoff" / "s-1.md").read_text()
    assert "broken.txt" in git_out(place.root, "ls-tree", "--name-only", "main")


def test_two_who_wait_for_each_other_do_not_wait_for_ever(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 2, wait=40)
    for mine, other in ((1, 2), (2, 1)):
        both = f"edit {mine}.txt 1; meet {mine} {other}; edit {other}.txt 1; commit a {mine}.txt; commit b {other}.txt"
        script(place, f"s-{mine}", both, f"edit {mine}.txt again; commit again {mine}.txt")
    assert place.json("run", "--max-agents", "2")["landed"] == 2
    (broken,) = place.events("deadlock.broken")
    assert sorted(broken["data"]["circle"]) == ["agent-1", "agent-2"]


def test_agents_outlive_their_coordinator_and_what_the_dead_had_is_put_away(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 2, files={"old.txt": "first\n"})
    script(place, "s-1", "edit one.txt 1; touch .agent-worktrees/meeting/1; meet x adopted; commit one one.txt")
    script(
        place, "s-2", "edit old.txt half; echo $$ > .agent-worktrees/meeting/pid; meet 2 never", "edit b 2; commit b b"
    )
    meeting = place.root / ".agent-worktrees" / "meeting"
    first = place.start("run", "--max-agents", "2")
    place.until(lambda _: (meeting / "1").exists() and (meeting / "2").exists(), 60)
    first.kill()
    first.communicate()
    os.kill(int((meeting / "pid").read_text()), signal.SIGKILL)
    second = place.start("run", "--max-agents", "2", "--json")
    place.until(lambda _: bool(place.events("attempt.adopted")), 60)
    (meeting / "adopted").touch()
    out, err = second.communicate(timeout=120)
    assert '"landed": 2' in out, (out, err)
    assert git_out(place.root, "show", "main:old.txt") == "first"
    assert git_out(place.root, "show", "refs/agent-coord/saved/s-2/1:old.txt") == "half"


def test_what_is_being_judged_when_the_coordinator_dies_is_judged_by_the_next(tmp_path: Path) -> None:
    meeting = tmp_path / "a project" / ".agent-worktrees" / "meeting"
    waits = f"touch '{meeting}/judging'; until [ -e '{meeting}/go' ]; do sleep 0.05; done"
    check = f'[[gate.checks]]\nname = "slow"\nrun = ["sh", "-c", "{waits}"]\n'
    place = make_shared(tmp_path / "a project", 1, more=check)
    script(place, "s-1", "edit one.txt 1; commit one one.txt")
    first = place.start("run")
    place.until(lambda _: (meeting / "judging").exists(), 60)
    first.kill()
    first.communicate()
    (meeting / "go").touch()
    assert place.json("run")["landed"] == 1
    assert [event["data"]["passed"] for event in place.events("gate.ended")] == [True]
    (week,) = place.json("report")["criteria"]["weeks"].values()
    assert (week["landed"], week["landed_without_gate"]) == (1, 0)


def test_the_status_shows_who_sits_where(tmp_path: Path) -> None:
    place = make_shared(tmp_path / "a project", 1)
    script(place, "s-1", "edit one.txt 1; meet 1 seen; commit one one.txt")
    running = place.start("run", "--json")
    status = place.until(lambda found: any(slot["issue"] == "s-1" for slot in found["slots"]), 60)
    assert [(slot["slot"], slot["path"], slot["state"]) for slot in status["slots"]] == [("berth-1", ".", "leased")]
    place.until(lambda _: (place.root / ".agent-worktrees" / "meeting" / "1").exists(), 60)
    assert [slot["name"] for slot in place.json("pool", "status")["slots"]] == ["berth-1"]
    assert place.json("scope", "show", "berth-1")["write"] == ["one.txt"]
    assert place.run("merge", "status").returncode == 0
    assert "Traceback" not in place.run("doctor").stderr
    assert place.run("assign", "ann", "s-1").returncode == 1
    (place.root / ".agent-worktrees" / "meeting" / "seen").touch()
    out, err = running.communicate(timeout=120)
    assert '"landed": 1' in out, (out, err)
    assert place.json("status")["slots"] == []
