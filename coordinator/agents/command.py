"""Any program with a command line, by a template.

The template is a list of arguments, never a shell string; {prompt} {briefing} {issue} {slot} {attempt}
stand for the assignment wherever they appear in an argument. Other braces are left as they are, so that
JSON may be an argument. What a program prints is read as JSON lines where it is, else as text.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from coordinator.agents.adapter import Activity, Assignment, Ending, Launch
from coordinator.agents.jsonlines import activity, ending
from resources.system.errors import Failure

_PLACE = re.compile(r"\{(prompt|briefing|issue|slot|attempt)\}")


@dataclass
class Command:
    """One program; `argv` is the template."""

    name: str
    argv: tuple[str, ...]

    def launch(self, assignment: Assignment) -> Launch:
        """The template filled in. Raises Failure("program-missing") when its first word is not on PATH."""
        values = {
            "prompt": assignment.prompt,
            "briefing": str(assignment.briefing),
            "issue": assignment.issue,
            "slot": str(assignment.slot),
            "attempt": str(assignment.attempt),
        }
        program, *arguments = (_filled(word, values) for word in self.argv)
        if shutil.which(program) is None:
            raise Failure(
                "program-missing",
                f"{program} is not on PATH",
                why=f"agent program {self.name} starts with it",
                mend=f"install {program}, or choose another program with --agent",
            )
        return Launch((program, *arguments))

    def parse(self, line: str) -> Activity:
        """A JSON line or a line of text."""
        return activity(line)

    def classify(self, code: int, last: Activity) -> Ending:
        """0 done, a signal stopped, all else failed."""
        return ending(code, last)


def _filled(word: str, values: Mapping[str, str]) -> str:
    # One pass: a placeholder inside the prompt's own text stays as it is.
    return _PLACE.sub(lambda found: values[found[1]], word)
