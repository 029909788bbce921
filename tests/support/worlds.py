"""Adapters with their programs, each set to work on the issue x-1 in a slot, run by the supervisor as in earnest."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.agents.adapter import Adapter, Assignment
from coordinator.agents.claude import Claude
from coordinator.agents.codex import Codex
from coordinator.agents.command import Command
from coordinator.agents.guard import Guard
from coordinator.agents.scripted import Scripted
from coordinator.agents.supervisor import Running, look, start
from coordinator.transcripts.activity import Activity, Ending
from tests.support.model import Model, Refuse, Say, Shell, Turn, Write
from tests.support.programs import arguments, environment, program
from tests.support.repos import PINNED

WORK = """
[[attempt]]
[[attempt.step]]
say = "first try"
[[attempt.step]]
write = "made/by agent.txt"
text = "1"
[[attempt.step]]
commit = "x-1: made"
[[attempt]]
[[attempt.step]]
run = ["{python}", "-c", "raise SystemExit(5)"]
"""


@dataclass
class World:
    """An adapter whose program works on x-1: the first attempt is good, the second fails."""

    adapter: Adapter
    environment: dict[str, str] = field(default_factory=dict)


def scripted(folder: Path) -> World:
    scripts = folder / "scripts of ours"
    scripts.mkdir()
    (scripts / "x-1.toml").write_text(WORK)
    return World(Scripted("demo", scripts))


def command(folder: Path) -> World:
    words = (
        "import sys, json, pathlib, subprocess as s\n"
        "briefing, issue, attempt = sys.argv[1:]\n"
        "assert pathlib.Path(briefing).read_text() and issue == 'x-1'\n"
        "if attempt != '1': print('no luck'); sys.exit(1)\n"
        "pathlib.Path('made').mkdir(); pathlib.Path('made/by agent.txt').write_text('1')\n"
        "s.run(['git', 'add', '.'])\n"
        "s.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x-1: made'])\n"
        "print(json.dumps({'type': 'result', 'result': 'done', 'session_id': 's-9'}))\n"
    )
    return World(Command("mine", (sys.executable, "-c", words, "{briefing}", "{issue}", "{attempt}")))


MAKES = [
    Write("made/by agent.txt", "1"),
    Shell("git add . && git commit -qm 'x-1: made'"),
    Say("done"),
    Refuse(400, "invalid_request_error"),
]


@contextmanager
def real(
    name: str, folder: Path, turns: Sequence[Turn] = (), guard: Guard | None = None
) -> Generator[tuple[World, Model]]:
    """Claude Code or Codex with a model that does what the turns say."""
    path = str(program(name))
    with Model({"x-1": turns}) as model:
        more = arguments(name, model.url)
        adapter = (Claude if name == "claude" else Codex)(name, (path, *more), guard)
        yield World(adapter, environment(model.url, folder / "home")), model


def assignment(folder: Path, attempt: int = 1) -> Assignment:
    slot = folder / "slot 1"
    if not slot.exists():
        subprocess.run(["git", "init", "-q", str(slot)], check=True)
        for key, value in (("user.name", "A"), ("user.email", "a@b")):
            subprocess.run(["git", "config", key, value], cwd=slot, check=True)
    briefing = folder / "briefing.md"
    briefing.write_text(f"# x-1: make a file\n\nYou are alone in the git worktree `{slot}`.\n")
    return Assignment("x-1", "Make a file", attempt, slot, briefing.read_text(), briefing, slot / ".git" / "room")


@dataclass
class Tried:
    ending: Ending
    activities: list[Activity]
    session: str

    @property
    def texts(self) -> str:
        return "\n".join(activity.text for activity in self.activities)


def begin(world: World, told: Assignment) -> Running:
    world.adapter.install_guard(told)
    world.adapter.prove_guard(told, {})
    log = told.briefing.parent / f"{len(list(told.briefing.parent.glob('*.log')))}.log"
    return start(world.adapter, told, world.adapter.launch(told), PINNED | world.environment, log)


def attempt(world: World, told: Assignment) -> Tried:
    running = begin(world, told)
    return end(running)


def end(running: Running, idle: float = 60) -> Tried:
    while (ended := look(running, idle=idle, timeout=60)) is None:
        time.sleep(0.02)
    activities = [running.adapter.parse(line) for line in running.log.read_text(errors="replace").splitlines()]
    return Tried(ended.ending, activities, running.session)


REFUSES = "echo 'that path is not yours: ask with scope widen' >&2; exit 2"


def guard(folder: Path, then: str) -> Guard:
    """A guard that refuses what names `forbidden`, or what no agent may do, and else does `then`."""
    script = folder / "guard.sh"
    script.write_text(f'#!/bin/sh\ncall=$(cat)\ncase "$call" in\n*git\\ stash*|*forbidden*) {then};;\nesac\nexit 0\n')
    script.chmod(0o755)
    return Guard((str(script),))
