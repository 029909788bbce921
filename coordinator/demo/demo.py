"""The whole story on a sample repository, told by the ordinary commands.

The demo types what a user would type, each command a process of its own, and prints it before its output.
It has no way in that a user lacks. At the end it does not take the commands' word for it: it reads git
and the tracker itself, and runs the sample's tests on a fresh checkout of main with a database of its own.

Whatever happens, Ctrl-C included, everything is given back and the folder removed, unless it is to be kept.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from coordinator.demo.checks import Check, leaks_check, sample_checks
from coordinator.demo.desk import make_sample, write_config
from resources.system.errors import Failure
from resources.system.process import attend, clean_environment, run


def run_demo(agents: int, keep: bool, folder: Path | None, out: IO[str]) -> int:
    """Run the demo with `agents` agents at once; returns 0 when all that it promises holds, else 1.

    `folder` is where it is made (default: a temporary folder) and must be new or empty; `out` must be a real
    file. Raises Failure("folder-not-empty").
    """
    home = _make_home(folder)
    stage = Stage(home / "lending-desk", out)
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        stage.heading(f"A sample project with its backlog: {stage.repository}")
        make_sample(stage.repository)
        write_config(stage.repository, agents)
        return _play(stage, agents, home / "timeline.svg")
    except KeyboardInterrupt:
        stage.heading("Interrupted: everything is given back")
        return 1
    finally:
        # A second Ctrl-C must not leave agents and databases behind.
        for number in before:
            signal.signal(number, lambda *_: None)
        _end(stage, home, keep)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(stage: Stage, home: Path, keep: bool) -> None:
    stage.give_back()
    # What could not be given back is still somebody's: then the folder stays, with the command to repeat.
    if keep or stage.lent:
        stage.say(f"kept: {home}")
    else:
        shutil.rmtree(home)


def _make_home(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="agent-coord-demo-")).resolve()
    if folder.exists() and any(folder.iterdir()):
        raise Failure("folder-not-empty", f"{folder} is not empty", mend="name a new folder, or leave --folder out")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@dataclass
class Stage:
    """Where the demo plays: the sample repository, the terminal, and whether something may have to be given back.

    It may until the very end: who looks for leaks has to ask the Postgres server, and so may start it again.
    """

    repository: Path
    out: IO[str]
    environment: Mapping[str, str] = field(default_factory=lambda: _environment())
    lent: bool = False

    def say(self, text: str) -> None:
        """Print a line."""
        self.out.write(text + "\n")
        self.out.flush()

    def heading(self, text: str) -> None:
        """Print a line that begins a part."""
        self.say(f"\n\033[1m{text}\033[0m" if self.out.isatty() else f"\n{text}")

    def type(self, *words: str) -> None:
        """Run one of the commands in the repository. Raises Failure("demo-step-failed") when it fails."""
        shown = " ".join(words)
        self.say(f"\n$ {shown}")
        code = attend(_argv(words), cwd=self.repository, env=self.environment, out=self.out)
        if code != 0:
            raise Failure("demo-step-failed", f"{shown} ended with code {code}", mend="run the demo again with --keep")

    def ask(self, *words: str) -> dict[str, Any]:
        """The JSON answer of a command, whatever its exit code. Raises Failure("demo-step-failed") without one."""
        done = run(_argv([*words, "--json"]), cwd=self.repository, env=self.environment, check=False)
        try:
            return json.loads(done.text)
        except ValueError as error:
            raise Failure("demo-step-failed", f"{' '.join(words)} did not answer", why=done.complaint) from error

    def give_back(self) -> None:
        """Give back whatever is still lent; nothing when `init` was never typed."""
        if not self.lent:
            return
        words = ("agent-coord", "cleanup", "--yes")
        done = run(_argv(words), cwd=self.repository, env=self.environment, check=False)
        self.lent = done.code != 0
        if self.lent:
            self.say(f"not everything could be given back: {done.complaint}\nrepeat: {' '.join(words)}")


def _play(stage: Stage, agents: int, picture: Path) -> int:
    stage.lent = True
    stage.heading("Set up: a pool of worktrees, each with a database of its own")
    stage.type("agent-coord", "init", "--slots", str(agents))
    begun = time.monotonic()
    stage.heading("Plan: what can run side by side")
    stage.type("track-analyzer", "recommend", "--slots", str(agents))
    stage.heading(f"Work: {agents} agents at once; the rest starts as soon as it may")
    stage.type("agent-coord", "spawn", str(agents), "independent")
    stage.type("agent-coord", "monitor", "--until-idle", "--interval", "0.5")
    stage.heading("Result: what landed, in which order, and who did it")
    stage.type("agent-coord", "merge", "status")
    stage.type("agent-coord", "report", "--svg", str(picture))
    found = sample_checks(stage.repository, stage.environment)
    stage.heading("Give everything back")
    stage.type("agent-coord", "cleanup", "--yes")
    stage.lent = False
    stage.type("resource-monitor", "detect-leaks")
    found.append(leaks_check(stage.ask("resource-monitor", "detect-leaks")))
    return _conclude(stage, found, time.monotonic() - begun)


def _conclude(stage: Stage, found: list[Check], seconds: float) -> int:
    stage.heading("Checked by the demo itself")
    for check in found:
        stage.say(f"  {'✓' if check.holds else '✗'} {check.what}" + (f": {check.why}" if check.why else ""))
    good = all(check.holds for check in found)
    stage.say(f"\n{'All of it holds' if good else 'Something does not hold'}; {seconds:.0f} s after set-up.")
    return 0 if good else 1


def _argv(words: tuple[str, ...] | list[str]) -> list[str]:
    return [sys.executable, "-I", "-m", "agent_coord", *words]


def _environment() -> dict[str, str]:
    # A demo that is started inside a slot, or beside somebody's database, must not work on theirs.
    ours = clean_environment()
    foreign = [name for name in ours if name.startswith(("AGENT_COORD_", "PG")) or name == "DATABASE_URL"]
    for name in foreign:
        if name != "AGENT_COORD_PG_DSN":
            del ours[name]
    return ours | {"PYTHONUNBUFFERED": "1"}
