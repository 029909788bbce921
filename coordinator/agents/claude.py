"""Claude Code, headless: `claude -p` with a stream of JSON lines (observed on 2.1).

The session's id is chosen by us, so that it is known even when the program dies at once. Edits inside the slot are
accepted and commands allowed, because there is nobody to ask; the guard refuses what must not be. Tools that wait for
a person or leave the slot are taken away. `--strict-mcp-config` keeps the user's own tool servers out of an agent that
works unattended.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from coordinator.agents.adapter import Assignment, Launch
from coordinator.agents.guard import Hooked, mark_of
from coordinator.agents.programs import need, read_servers

ALLOWED = (
    "Bash",
    "Edit",
    "Write",
    "NotebookEdit",
    "Read",
    "Glob",
    "Grep",
    "WebFetch",
    "WebSearch",
    "Task",
    "TodoWrite",
)
AWAY = ("AskUserQuestion", "EnterWorktree", "ExitWorktree", "CronCreate", "ScheduleWakeup")
_ALONE = {"DISABLE_AUTOUPDATER": "1"}
"""Ten agents that update one program at once break it for all of them."""
_OUTER = ("CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "CLAUDE_CODE_SESSION_ID")
"""With these set the program believes to be started from inside another session of its own."""


@dataclass
class Claude(Hooked):
    """`disallow` are tools to be taken away besides `AWAY`."""

    argv: tuple[str, ...] = ("claude",)
    disallow: tuple[str, ...] = ()

    def install_guard(self, assignment: Assignment) -> None:
        """Write the settings that bear the hooks."""
        if self.guard is not None:
            self.guard.install(_settings(assignment), mark_of(assignment.room))

    def launch(self, assignment: Assignment) -> Launch:
        """Raises Failure("program-missing"), Failure("bad-mcp-file")."""
        program, *more = self.argv
        need(program, self.name)
        session = assignment.session or str(uuid.uuid4())
        servers = read_servers(self.mcp)
        options = ["--output-format", "stream-json", "--verbose", "--permission-mode", "acceptEdits"]
        options += ["--resume" if assignment.session else "--session-id", session]
        options += ["--allowedTools", ",".join((*ALLOWED, *(f"mcp__{name}" for name in servers)))]
        options += ["--disallowedTools", ",".join((*AWAY, *self.disallow)), "--strict-mcp-config"]
        options += ["--mcp-config", str(self.mcp)] if self.mcp else []
        options += ["--settings", str(_settings(assignment))] if self.guard else []
        argv = (program, "-p", assignment.prompt, *options, *more)
        home = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
        return Launch(argv, _ALONE, _OUTER, session, mark_of(assignment.room) if self.guard else None, (home,))


def _settings(assignment: Assignment) -> Path:
    return assignment.room / "claude.settings.json"
