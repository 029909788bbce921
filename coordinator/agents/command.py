"""Any program with a command line, by a template.

The template is a list of arguments, never a shell string; {prompt} {briefing} {issue} {slot} {attempt} {session}
stand for the assignment wherever they appear in an argument. Other braces are left as they are, so that JSON may be an
argument. What a program prints is read as JSON lines where it is, else as text. A second template, `resume`, says how
a session is gone on with; without one every attempt begins a new session with the whole briefing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from coordinator.agents.adapter import Assignment, Launch, Unhooked
from coordinator.agents.programs import need
from coordinator.transcripts.activity import Activity, Ending, ending
from coordinator.transcripts.reading import read_line

_PLACE = re.compile(r"\{(prompt|briefing|issue|slot|attempt|session)\}")


@dataclass
class Command(Unhooked):
    """One program; `argv` and `resume` are templates."""

    name: str
    argv: tuple[str, ...]
    resume: tuple[str, ...] = ()

    @property
    def resumes(self) -> bool:
        """Whether there is a template for it."""
        return bool(self.resume)

    def launch(self, assignment: Assignment) -> Launch:
        """The template filled in. Raises Failure("program-missing") when its first word is not on PATH."""
        values = {
            "prompt": assignment.prompt,
            "briefing": str(assignment.briefing),
            "issue": assignment.issue,
            "slot": str(assignment.slot),
            "attempt": str(assignment.attempt),
            "session": assignment.session,
        }
        template = self.resume if assignment.session and self.resume else self.argv
        program, *arguments = (_filled(word, values) for word in template)
        need(program, self.name)
        return Launch((program, *arguments))

    def parse(self, line: str) -> Activity:
        """A JSON line or a line of text."""
        return read_line(line)

    def classify(self, code: int, last: Activity) -> Ending:
        """0 done unless the program's last word was that it failed."""
        return ending(code, last)


def _filled(word: str, values: Mapping[str, str]) -> str:
    # One pass: a placeholder inside the prompt's own text stays as it is.
    return _PLACE.sub(lambda found: values[found[1]], word)
