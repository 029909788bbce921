"""Errors that carry the way out.

Every failure that a user meets has a stable kebab-case *reference* (for scripts and for searching the
docs), says *what* happened, *why* when that is known, and how to *mend* it: the next command to type.
The class tells who must act, and so the exit code:

    Failure  1  the user can mend it
    Misuse   2  the command was called wrongly
    NotNow   4  queued or over a limit; the same call may succeed later

Any other exception is our bug: exit code 3, with a log that the message names.
"""

from __future__ import annotations

from typing import Any


class Failure(Exception):
    """Something the user can mend. `reference` is kebab-case and stable; `mend` is a command or a sentence."""

    exit_code = 1

    def __init__(self, reference: str, what: str, *, why: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.reference = reference
        self.what = what
        self.why = why
        self.mend = mend

    def render(self) -> str:
        """The message for a terminal, one fact a line."""
        lines = [f"error: {self.what}  [{self.reference}]"]
        if self.why:
            lines.append(f"  why:  {self.why}")
        if self.mend:
            lines.append(f"  mend: {self.mend}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The same facts as a JSON answer."""
        error = {"reference": self.reference, "what": self.what, "why": self.why, "mend": self.mend}
        return {"schema": 1, "error": error}


class Misuse(Failure):
    """The command line or an argument is wrong."""

    exit_code = 2


class NotNow(Failure):
    """The request is sound but cannot be served now: queued, or a limit is reached."""

    exit_code = 4
