"""Real Claude Code and real Codex in one checkout: their hooks lock, refuse and lead to the safe way."""

from __future__ import annotations

import sys

import pytest

from tests.support.model import Say, Shell, Write
from tests.support.real_places import ended, place_with
from tests.support.repos import git_out

pytestmark = pytest.mark.real
BOTH = pytest.mark.parametrize("name", ["claude", "codex"])
SHARED = 'isolation = "shared"\nlock_seconds = 0.5'
COORD = f"'{sys.executable}' -m agent_coord"


@BOTH
def test_work_is_locked_committed_and_accepted(name, tmp_path):
    turns = [
        Shell("git stash"),
        Shell("git commit -am 'a-1: all'"),
        Write("held.txt", "mine\n"),
        Write("one.txt", "1\n"),
        Shell(f"{COORD} commit -m one one.txt"),
        Say("done"),
    ]
    with place_with(name, tmp_path, turns, settings=SHARED, files={"held.txt": "a person's\n"}) as (place, model):
        place.json("reserve", "add", "held.txt", "--why", "a person is at it")
        answer = place.json("run", "--only", "a-1")
        said = model.told("a-1")
        assert answer["landed"] == 1, said
        assert "agent-coord commit -m TEXT FILE" in said
        assert "held.txt is reserved" in said
        assert git_out(place.root, "log", "--format=%s", "main").splitlines()[0] == "a-1: one"
        assert git_out(place.root, "show", "main:held.txt") == "a person's"
        assert "Agent-Coord-Issue: a-1" in git_out(place.root, "log", "-1", "--format=%B", "main")


@BOTH
def test_a_red_gate_goes_back_to_the_same_session(name, tmp_path):
    check = '[gate]\nchecks = [{name = "good", run = ["sh", "-c", "grep -q good one.txt"]}]\n[agents]'
    turns = [
        Write("one.txt", "bad\n"),
        Shell(f"{COORD} commit -m one one.txt"),
        Say("done"),
        Shell(f"echo good > one.txt && {COORD} commit -m mended one.txt"),
        Say("mended"),
    ]
    with place_with(name, tmp_path, turns, settings=SHARED) as (place, model):
        config = place.root / ".agent-worktrees" / "config.toml"
        config.write_text(config.read_text().replace("[agents]", check, 1))
        assert place.json("run", "--only", "a-1")["landed"] == 1, model.told("a-1")
        first, second = ended(place)
        assert first["session"] == second["session"]
        assert git_out(place.root, "show", "refs/agent-coord/accepted:one.txt") == "good"
