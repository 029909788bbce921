"""Codex, headless: `codex exec` with a stream of JSON lines (observed on codex-cli 0.163).

It gets a home of its own in the slot's git directory: our hooks, the login of the user's home as a link, and the user's
configuration without its hooks, projects and tool servers. Hooks that nobody has trusted by hand are skipped in
silence, so trust is waived for this run (`--dangerously-bypass-hook-trust`), which is only safe because no hooks but
ours can be found: with the user's own home that switch would run hooks that he has not trusted.

In its sandbox a linked worktree cannot be committed to, because the git directory that `.git` points to is kept
read-only. The parts that a commit writes (the slot's own git directory, objects, refs, logs) are made writable by
name, and our own state, because git's hook reserves there what a command has made; hooks and configuration of the
repository are not. Commands may use the network, or they could not reach the
slot's database and ports. Behind a wall of ours its sandbox cannot be set up (no mounts, no user namespaces) and is
switched off: the wall encloses the program as a whole.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.agents.adapter import Assignment, Launch
from coordinator.agents.codex_home import make_home
from coordinator.agents.guard import Hooked, mark_of
from coordinator.agents.programs import need, read_servers
from resources.system.files import mutex_folder
from resources.system.repository import find_repository, git_dir_of

_OUTER = ("CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "CODEX_THREAD_ID")
"""Left by a session of the program that we may have been started from."""


@dataclass
class Codex(Hooked):
    """The arguments in `argv` are for `codex exec`."""

    argv: tuple[str, ...] = ("codex",)

    def install_guard(self, assignment: Assignment) -> None:
        """Make the program's home, with the hooks. Raises Failure("bad-codex-config")."""
        home = _home(assignment)
        make_home(home, Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex"))
        if self.guard is not None:
            self.guard.install(home / "hooks.json", mark_of(assignment.room))

    def launch(self, assignment: Assignment) -> Launch:
        """Raises Failure("program-missing"), Failure("bad-mcp-file")."""
        program, *more = self.argv
        need(program, self.name)
        settings = [
            f'sandbox_mode="{"danger-full-access" if assignment.walled else "workspace-write"}"',
            "sandbox_workspace_write.network_access=true",
            f"sandbox_workspace_write.writable_roots={_toml(_writable(assignment.slot))}",
            'approval_policy="never"',
            *(f"mcp_servers.{json.dumps(name)}={_toml(server)}" for name, server in read_servers(self.mcp).items()),
        ]
        options = ["--json", *(word for setting in settings for word in ("-c", setting))]
        options += ["--dangerously-bypass-hook-trust"] if self.guard else []
        session = ["resume", assignment.session] if assignment.session else []
        argv = (program, "exec", *options, *more, *session, assignment.prompt)
        home = {"CODEX_HOME": str(_home(assignment))}
        return Launch(argv, home, _OUTER, assignment.session, mark_of(assignment.room) if self.guard else None)


def _home(assignment: Assignment) -> Path:
    return assignment.room / "codex"


def _writable(slot: Path) -> list[str]:
    repository = find_repository(slot)
    parts = (repository.common / name for name in ("objects", "refs", "logs"))
    wanted = (git_dir_of(slot), repository.state, mutex_folder(), *parts)
    # The sandbox fails as a whole on a folder that is not there.
    return [str(path) for path in wanted if path.is_dir()]


def _toml(value: Any) -> str:
    """A JSON value as TOML; JSON's strings, numbers and booleans are TOML's."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return json.dumps(value)
