"""The guard of an agent's tools: a hook of its program that may refuse a call, and the proof that it does.

Hooks fail open: a script that is missing, ends with 1, takes too long or is not trusted lets the write through, and
the program's exit code says nothing of it. So the guard is proven twice. Before the program starts, its command is run
with a call that must be refused and a look that must be allowed. In the session, a hook of the same settings leaves a
mark as it begins; a program that uses a tool while the mark is missing runs its hooks elsewhere or not at all, and is
stopped. Either way a dead guard means that nobody works, never that somebody works unguarded.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.agents.adapter import Assignment
from coordinator.transcripts.activity import Activity, Ending, ending
from coordinator.transcripts.reading import read_line
from resources.system.errors import Failure
from resources.system.files import replace_file
from resources.system.process import clean_environment, run

TIMEOUT = 60
"""Seconds that a program gives the hook: a hook that takes longer lets the call through."""

FORBIDDEN = "git stash"
"""What no agent may do in any mode; the guard is asked, and nothing is run."""


def mark_of(room: Path) -> Path:
    """The file that the guard writes when a session begins."""
    return room / "guard.answered"


@dataclass(frozen=True)
class Guard:
    """A hook command that reads a tool call as JSON on standard input; exit 2 and a reason on stderr refuse it."""

    argv: tuple[str, ...]

    def install(self, file: Path, mark: Path) -> None:
        """Write the hooks into `file`, in the form that Claude Code's settings and Codex's hooks.json share."""
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.unlink(missing_ok=True)
        began = _hook(f"cat > {shlex.quote(str(mark))}")
        hooks = {"SessionStart": [{"hooks": [began]}], "PreToolUse": [{"hooks": [_hook(shlex.join(self.argv))]}]}
        replace_file(file, json.dumps({"hooks": hooks}, indent=1), mode=0o600)

    def prove(self, assignment: Assignment, environment: Mapping[str, str]) -> None:
        """Ask the guard as a program in the slot would. Raises Failure("guard-dead") when it answers wrongly."""
        call = {"session_id": "proof", "hook_event_name": "PreToolUse", "cwd": str(assignment.slot)}
        stash = {"tool_name": "Bash", "tool_input": {"command": FORBIDDEN}}
        look = {"tool_name": "Read", "tool_input": {"file_path": str(assignment.slot / "README.md")}}
        code, said = self._ask(call | stash, assignment.slot, environment)
        if code != 2 or not said:
            raise self._dead(f"it lets `{FORBIDDEN}` through", code, said)
        code, said = self._ask(call | look, assignment.slot, environment)
        if code != 0:
            raise self._dead("it refuses even to look at a file of the slot", code, said)

    def _ask(self, call: Mapping[str, Any], slot: Path, environment: Mapping[str, str]) -> tuple[int, str]:
        done = run(
            self.argv, cwd=slot, env=clean_environment(environment), stdin=json.dumps(call).encode(), timeout=TIMEOUT,
            check=False,
        )  # fmt: skip
        return done.code, done.complaint

    def _dead(self, what: str, code: int, said: str) -> Failure:
        return Failure(
            "guard-dead", f"the guard does not guard: {what}",
            why=f"{shlex.join(self.argv)} ended with {code}: {said or 'without a word'}",
            mend="agent-coord doctor; no agent is started until the guard answers",
        )  # fmt: skip


@dataclass
class Hooked:
    """A program with hooks whose output is a stream of events: what Claude Code and Codex have in common.

    `argv` is the program and arguments of the user's; `mcp` a file of MCP servers.
    """

    name: str
    argv: tuple[str, ...]
    guard: Guard | None = None
    mcp: Path | None = None

    resumes = True

    @property
    def guarded(self) -> bool:
        """Whether its tools are guarded."""
        return self.guard is not None

    def prove_guard(self, assignment: Assignment, environment: Mapping[str, str]) -> None:
        """Raises Failure("guard-dead")."""
        if self.guard is not None:
            self.guard.prove(assignment, environment)

    def parse(self, line: str) -> Activity:
        """A line of the stream, or of standard error."""
        return read_line(line)

    def classify(self, code: int, last: Activity) -> Ending:
        """Done only with a last word that is no error: an exit code of 0 alone says nothing."""
        return ending(code, last, must_say=True)


def _hook(command: str) -> dict[str, Any]:
    return {"type": "command", "command": command, "timeout": TIMEOUT}
