"""A repository under coordination, and the commands in it as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from resources.state.sqlite import SqliteLedger
from resources.system.repository import find_repository
from tests.support.repos import PINNED, make_repository

TRACKER = (
    '{"id":"a-1","title":"Write one.txt","status":"open","priority":1,"issue_type":"task"}\n'
    '{"id":"a-2","title":"Write two.txt","status":"open","priority":2,"issue_type":"task",'
    '"dependencies":[{"issue_id":"a-2","depends_on_id":"a-1","type":"blocks"}]}\n'
)
CONFIG = '[pool]\nsize = 2\nminimum = 1\nmaximum = 2\n[database]\nprovider = "none"\n[agents]\ndefault = "scripts"\n'


class Place:
    """The main checkout and what a user types there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment: dict[str, str] = {}
        """More variables for every command."""

    def start(self, *argv: str, program: str = "agent-coord") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "agent_coord", *([] if program == "agent-coord" else [program]), *argv]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AGENT_COORD_")}
        environment |= PINNED | self.environment
        return subprocess.Popen(
            command, cwd=self.root, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, *argv: str, program: str = "agent-coord") -> subprocess.CompletedProcess[str]:
        process = self.start(*argv, program=program)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def json(self, *argv: str, program: str = "agent-coord") -> dict:
        done = self.run(*argv, "--json", program=program)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def script(self, issue: str, *attempts: str) -> None:
        folder = self.root / ".agent-worktrees" / "scripts"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{issue}.toml").write_text("\n".join(f"[[attempt]]\n{attempt}" for attempt in attempts))

    def until(self, wanted: Callable[[dict], bool], seconds: float = 30.0) -> dict:
        """The status as soon as it is as wanted."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.json("status")
            if wanted(status):
                return status
            time.sleep(0.1)
        raise AssertionError(f"still {status}")

    def events(self, kind: str) -> list[dict]:
        """The events of one kind, oldest first, with their data read."""
        ledger = SqliteLedger(find_repository(self.root).state)
        try:
            with ledger.read() as snapshot:
                rows = snapshot.all("events-of-kind", kind=kind)
        finally:
            ledger.close()
        return [row | {"data": json.loads(row["data"])} for row in map(dict, rows)]

    @property
    def issues(self) -> dict[str, dict]:
        lines = (self.root / ".beads" / "issues.jsonl").read_text().splitlines()
        return {record["id"]: record for record in map(json.loads, lines)}


def step(text: str) -> str:
    """One step of a scripted agent."""
    return f"[[attempt.step]]\n{text}\n"


def writes(path: str, text: str, message: str) -> str:
    """The steps that write a file and commit it."""
    return step(f'write = "{path}"\ntext = "{text}"') + step(f'commit = "{message}"')


def make_place(folder: Path, files: dict[str, str] | None = None) -> Place:
    """A repository with a tracker of two issues, the second after the first, worked on by scripted agents."""
    root = make_repository(folder, {"README.md": "sample\n", ".beads/issues.jsonl": TRACKER} | (files or {}))
    (root / ".agent-worktrees").mkdir()
    (root / ".agent-worktrees" / "config.toml").write_text(
        CONFIG + f'[agents.programs.scripts]\nkind = "scripted"\nscripts = "{root}/.agent-worktrees/scripts"\n'
    )
    return Place(root)
