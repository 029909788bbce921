"""Real Claude Code and real Codex in slots of a real repository, from `agent-coord run` to the landing.

The model is ours and answers from a script; everything else is what a user runs.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pytest

from coordinator.guard.walls import offered
from tests.support.model import Hang, Refuse, Say, Shell, Write
from tests.support.real_places import ended, place_with
from tests.support.repos import git_out

pytestmark = pytest.mark.real
BOTH = pytest.mark.parametrize("name", ["claude", "codex"])
ONE = [Write("one.txt", "1\n"), Shell("git add -A && git commit -qm 'a-1: one'"), Say("done")]


@BOTH
def test_work_lands(name, tmp_path):
    with place_with(name, tmp_path, ONE) as (place, _):
        assert place.json("run", "--only", "a-1")["landed"] == 1
        assert git_out(place.root, "show", "main:one.txt") == "1"
        (attempt,) = ended(place)
        assert (attempt["ending"], attempt["usage"]["written"] > 0) == ("done", True)
        told = place.run("logs", "a-1").stdout
        assert "[a-1 #1]" in told
        assert "git commit -qm 'a-1: one'" in told
        assert "tool_use" not in told, "what a person reads is no JSON"


@BOTH
@pytest.mark.parametrize("wall", ["landlock", "bwrap"])
def test_behind_a_wall_work_lands_and_nothing_is_written_outside(name, wall, tmp_path):
    if wall in (missing := offered().missing):
        pytest.skip(missing[wall])
    outside = tmp_path / "outside.txt"
    beside = Shell(f"python3 -c \"open('{tmp_path}/out' + 'side.txt', 'w')\"")
    with place_with(name, tmp_path, [beside, *ONE], settings="attempts = 1") as (place, model):
        config = place.root / ".agent-worktrees" / "config.toml"
        config.write_text(f'{config.read_text()}[scope]\nwall = "{wall}"\nwall_writes = []\n')
        assert place.json("run", "--only", "a-1")["landed"] == 1, model.told("a-1")
        assert git_out(place.root, "show", "main:one.txt") == "1"
    assert not outside.exists()


@BOTH
def test_what_a_command_makes_can_be_committed(name, tmp_path):
    # No guard of tools can tell that this writes: git's hook takes the path into the scope, from inside the sandbox.
    makes = "python3 -c \"open('ma' + 'de.txt', 'w').write('1')\"; git add -A; git commit -qm 'a-1: made'"
    with place_with(name, tmp_path, [Shell(makes), Say("done")], settings="attempts = 1") as (place, model):
        assert place.json("run", "--only", "a-1")["landed"] == 1, model.told("a-1")


@BOTH
def test_an_urgent_letter_is_told_at_the_next_tool_call(name, tmp_path):
    send = f"'{sys.executable}' -m agent_coord mail send --to a-1 --subject 'mind the gap' --importance urgent"
    turns = [Shell(f"{send} > /dev/null"), Shell("echo two"), *ONE]
    with place_with(name, tmp_path, turns, settings="attempts = 1") as (place, model):
        assert place.json("run", "--only", "a-1")["landed"] == 1, model.told("a-1")
        assert "agent-1 writes (letter 1): mind the gap" in model.told("a-1")


@BOTH
def test_a_red_gate_goes_back_to_the_same_session(name, tmp_path):
    check = (
        '[gate]\nchecks = [{name = "good", run = ["sh", "-c", "[ ! -e one.txt ] || grep -q good one.txt"]}]\n[agents]'
    )
    turns = [
        *ONE,
        Shell("echo good > one.txt && git commit -qam 'a-1: mended'"),
        Say("mended"),
    ]
    with place_with(name, tmp_path, turns) as (place, model):
        config = place.root / ".agent-worktrees" / "config.toml"
        config.write_text(config.read_text().replace("[agents]", check, 1))
        assert place.json("run", "--only", "a-1")["landed"] == 1
        first, second = ended(place)
        assert first["session"] == second["session"] != ""
        assert "a-1: attempt 2 of 3" in model.told("a-1")
        assert "check good" in model.told("a-1")
    assert len(model.talks) == 1


@BOTH
def test_a_model_that_refuses_holds_everybody_up_and_uses_up_no_attempt(name, tmp_path):
    with place_with(name, tmp_path, [Refuse(429, "rate_limit_error"), *ONE]) as (place, model):
        run = place.start("run", "--only", "a-1")
        status = place.until(lambda now: now["breaker"] is not None)
        assert status["breaker"]["why"]
        _, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
        assert "paused; the model refuses" in err
        assert [one["ending"] for one in ended(place)] == ["unavailable", "done"]
        assert [one["data"]["attempt"] for one in place.events("attempt.started")] == [1, 1]
        assert "a-1: go on" in model.told("a-1")
        assert place.json("status")["breaker"] is None


@BOTH
def test_an_agent_that_hangs_is_stopped_named_and_handed_off(name, tmp_path):
    with place_with(name, tmp_path, [Shell("echo thinking"), Hang()], settings="attempts = 1\nidle_minutes = 0.1") as (
        place,
        _,
    ):
        done = place.run("run", "--only", "a-1", "--json")
        (left,) = json.loads(done.stdout)["left"]
        assert left["state"] == "handed_off"
        assert "no sign of life for 6 s; last: " in left["why"]
        assert "gives no sign of life" in done.stderr


@BOTH
def test_a_session_that_was_lost_is_begun_anew(name, tmp_path):
    # The program's sessions are deleted between the attempts, as a clean-up of somebody's might do.
    check = (
        '[gate]\nchecks = [{name = "good", run = ["sh", "-c", '
        '"rm -rf \\"$FORGET\\"; [ ! -e one.txt ] || grep good one.txt"]}]\n[agents]'
    )
    turns = [*ONE, Shell("echo good > one.txt && git commit -qam 'a-1: mended'"), Say("mended")]
    with place_with(name, tmp_path, turns) as (place, _):
        slots = place.root / ".git" / "worktrees"
        home = Path(place.environment["HOME"]) / ".claude/projects" if name == "claude" else slots
        config = place.root / ".agent-worktrees" / "config.toml"
        config.write_text(config.read_text().replace("[agents]", check, 1))
        forget = str(home) if name == "claude" else f"{home}/pool-wt-1/agent-coord/agent/codex/sessions"
        place.environment["FORGET"] = forget
        assert place.json("run", "--only", "a-1")["landed"] == 1
        assert [one["ending"] for one in ended(place)] == ["done", "lost", "done"]
        assert len({one["session"] for one in ended(place)}) == 2
        assert [one["data"]["attempt"] for one in place.events("attempt.started")] == [1, 2, 2]


def test_a_stop_hook_that_never_lets_go_proves_nothing(tmp_path):
    hook = {"hooks": [{"type": "command", "command": "echo not yet >&2; exit 2"}]}
    files = {".claude/settings.json": json.dumps({"hooks": {"Stop": [hook]}})}
    with place_with("claude", tmp_path, [Say("done")], files=files, settings="attempts = 2") as (place, _):
        done = place.run("run", "--only", "a-1", "--json")
        (left,) = json.loads(done.stdout)["left"]
        assert (left["state"], "no commit was made" in left["why"]) == ("handed_off", True)
        assert {one["ending"] for one in ended(place)} == {"done"}


@BOTH
def test_what_is_out_of_scope_is_refused_and_the_agent_sees_why(name, tmp_path):
    with place_with(name, tmp_path, []) as (place, model):
        place.json("reserve", "add", "theirs.txt", "--why", "a person is at it")
        main = place.root / "README.md"
        model.talks["a-1"].left += [
            Shell("echo 1 > started.txt; git stash"),
            Write("theirs.txt", "1\n"),
            Shell("echo 1 > theirs.txt"),
            Shell(f"echo spoilt > '{main}'"),
            Write(str(main), "spoilt\n"),
            Shell("git commit --no-verify -qam 'a-1: by the back door'"),
            # What no guard of tools can see, git's own hook refuses.
            Shell("python3 -c \"open('thei' + 'rs.txt', 'w').write('1')\"; git add -A; git commit -qm 'a-1: sly'"),
            Shell("python3 -c \"import os; os.remove('thei' + 'rs.txt')\"; git reset -q"),
            *ONE,
        ]
        answer = place.json("run", "--only", "a-1")
        told = model.told("a-1")
        assert answer["landed"] == 1, told
        assert "git stash" in told
        assert told.count("theirs.txt may not be written by this attempt") >= 2
        assert "agent-coord scope widen" in told, "the way to ask is named"
        assert "the checks before a commit are not skipped" in told
        assert main.read_text() == "sample\n"
        assert git_out(place.root, "stash", "list") == ""
        assert "theirs.txt" not in git_out(place.root, "ls-tree", "--name-only", "main").split()
        assert not {"a-1: sly", "a-1: by the back door"} & set(
            git_out(place.root, "log", "--all", "--format=%s").splitlines()
        )
        (attempt,) = ended(place)
        assert attempt["denials"] >= 4


@BOTH
def test_nobody_starts_without_a_guard_that_guards(name, tmp_path):
    with place_with(name, tmp_path, ONE) as (place, _):
        # Whatever takes the guard away later than the proof: the program does not run its hooks.
        config = place.root / ".agent-worktrees" / "config.toml"
        switch = '"--settings", "{\\"disableAllHooks\\": true}"' if name == "claude" else '"-c", "features.hooks=false"'
        config.write_text(config.read_text().replace('"]\n', f'", {switch}]\n'))
        tomllib.loads(config.read_text())
        done = place.run("run", "--only", "a-1", "--json")
        assert json.loads(done.stdout)["landed"] == 0
        assert "guard had not answered" in done.stderr
        assert place.issues["a-1"]["status"] == "open"
