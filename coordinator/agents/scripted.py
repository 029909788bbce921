"""The scripted agent's adapter: for demos, benchmarks and tests.

Its program is ours (`coordinator.agents.player`), yet it runs as any other does: a process of its own
that is told of nothing but the slot, the environment and the briefing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from coordinator.agents.adapter import Assignment, Launch, Unhooked
from coordinator.transcripts.activity import Activity, Ending, ending
from coordinator.transcripts.reading import read_line
from resources.system.errors import Failure


@dataclass
class Scripted(Unhooked):
    """Plays `scripts`/<issue id>.toml."""

    name: str
    scripts: Path

    resumes = False

    def launch(self, assignment: Assignment) -> Launch:
        """Our own interpreter, cut off from PYTHONPATH and the slot. Raises Failure("no-scripts")."""
        if not self.scripts.is_dir():
            raise Failure(
                "no-scripts", f"{self.scripts} is not a folder", mend="mend `scripts` of the program in the config"
            )
        argv = (sys.executable, "-I", "-m", "coordinator.agents.player", str(self.scripts.resolve()))
        told = {
            "AGENT_COORD_ISSUE": assignment.issue,
            "AGENT_COORD_ATTEMPT": str(assignment.attempt),
            "AGENT_COORD_BRIEFING": str(assignment.briefing),
        }
        return Launch(argv, told)

    def parse(self, line: str) -> Activity:
        """One JSON line of the player."""
        return read_line(line)

    def classify(self, code: int, last: Activity) -> Ending:
        """0 done, a signal stopped, all else failed."""
        return ending(code, last)
