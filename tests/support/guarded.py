"""A slot with its guard posted, beside somebody else's reservation, and the lane that lands from it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.bootstrap import Project, init_project
from coordinator.guard.posts import tool_hook
from coordinator.mail import reservations
from coordinator.merging import queue
from coordinator.merging.lane import Lane
from coordinator.merging.rulings import Ruling
from coordinator.running.byhand import assign_by_hand
from coordinator.tasks import claims
from resources.state.leases import Owner
from resources.worktrees.pool import Held
from tests.support.projects import make_place
from tests.support.repos import PINNED, git_out

FILES = {
    "mine/a.py": "a = 1\n", "mine/b.py": "b = 1\n", "bob/held.py": "held = 1\n", "docs/x.md": "x\n",
    ".gitignore": "*.log\n",
}  # fmt: skip
BOBS = "bob/**"
NAMES = {f"GIT_{who}_{what}": "ann@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
NO_HOOKS = "core.hooksPath=/dev/null"


@dataclass
class Guarded:
    """`slot` is ann's for the issue a-1; bob holds `bob/**` firmly."""

    project: Project
    held: Held
    said: list[str] = field(default_factory=list)

    @property
    def slot(self) -> Path:
        return self.held.slot.path

    @property
    def root(self) -> Path:
        return self.project.repository.root

    def shell(self, script: str, **env: str) -> subprocess.CompletedProcess[str]:
        """What a shell of the agent does in the slot."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "AGENT_COORD_"))}
        names = {
            "GIT_AUTHOR_NAME": "ann",
            "GIT_AUTHOR_EMAIL": "a@b.c",
            "GIT_COMMITTER_NAME": "ann",
            "GIT_COMMITTER_EMAIL": "a@b.c",
        }
        return subprocess.run(
            ["sh", "-c", script], cwd=self.slot, env=environment | PINNED | names | env, capture_output=True, text=True
        )

    def sign(self, tool: str, given: Mapping[str, object], **env: str) -> subprocess.CompletedProcess[str]:
        """The answer of the tool-call hook."""
        call = {"hook_event_name": "PreToolUse", "cwd": str(self.slot), "tool_name": tool, "tool_input": given}
        return self.raw_sign(json.dumps(call), **env)

    def raw_sign(self, text: str, **env: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "AGENT_COORD_"))}
        return subprocess.run(
            tool_hook(),
            input=text,
            cwd=self.slot,
            env=environment | env,
            capture_output=True,
            text=True,
        )

    def reserve(self, *patterns: str, agent: str = "bob", predicted: bool = False, shared: bool = False) -> None:
        """Held by somebody who needs no process."""
        with self.project.ledger.write() as tx:
            reservations.reserve(
                tx, patterns, agent=agent, issue=f"issue-of-{agent}", why="work", owner=Owner.timed(),
                predicted=predicted, shared=shared,
            )  # fmt: skip

    def land(self, lane: Lane) -> Ruling | None:
        """Queue what the slot's branch stands on and let the lane decide; None when there is nothing to land."""
        tip = git_out(self.root, "rev-parse", f"refs/heads/{self.held.branch}")
        if tip == self.held.base:
            return None
        with self.project.ledger.write() as tx:
            task = claims.find_task(tx, "a-1")
            assert task is not None
            queue.enqueue(tx, queue.Finished("a-1", self.held.branch, tip, task.fence))
        return ruled(lane)

    def undo(self) -> None:
        """The slot as it was given, whatever was done to it."""
        branch, base = f"refs/heads/{self.held.branch}", self.held.base
        lines = (
            "sparse-checkout disable", "merge --abort", "rebase --abort", "revert --abort", "cherry-pick --abort",
            f"checkout -qf {self.held.branch}", f"update-ref {branch} {base}", "reset -q --hard", "clean -ffdqx",
            "for-each-ref --format='delete %(refname)' refs/replace | git update-ref --stdin",
        )  # fmt: skip
        script = "; ".join(f"git {line}" for line in lines)
        blind = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": "/dev/null"}
        self.shell(f"{{ rm -f '{self.root}/.git/info/grafts'; {script}; }} 2>/dev/null", **blind)
        with self.project.ledger.write() as tx:
            ours = [one.id for one in reservations.live(tx) if one.agent == "ann" and not one.predicted]
            reservations.release(tx, ours)

    def close(self) -> None:
        self.project.close()


def ruled(lane: Lane, seconds: float = 60.0) -> Ruling:
    """The lane's next ruling."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for ruling in lane.tick():
            return ruling
        time.sleep(0.01)
    raise AssertionError("the lane never ruled")


def make_guarded(folder: Path, config: str = "") -> Guarded:
    """A project in `folder` with one slot assigned to ann; `config` is added to its configuration."""
    place = make_place(folder / "a project", FILES)
    file = place.root / ".agent-worktrees" / "config.toml"
    file.write_text(file.read_text() + config)
    said: list[str] = []
    project = init_project(place.root, say=said.append)
    project.pool.grow(1)
    made = Guarded(project, assign_by_hand(project, "ann", "a-1"), said)
    made.reserve(BOBS)
    return made
