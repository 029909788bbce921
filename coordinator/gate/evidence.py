"""What an attempt must show before its work is worth a gate: pure.

An agent's exit code and last words prove nothing. What counts is in git: at least one commit made in
this attempt (the base is recorded when the attempt starts), naming the issue, touching something, and
leaving the backlog's own files alone (the coordinator writes those).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

TRACKER_FOLDER = ".beads/"


@dataclass(frozen=True)
class Work:
    """What an attempt left: the messages of its commits (base..tip), the paths they changed, the uncommitted ones."""

    issue: str
    messages: tuple[str, ...]
    changed: tuple[str, ...]
    uncommitted: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    """Sentences about what lies where it should not: in the main checkout, or out of scope and uncommitted."""


def complaints(work: Work, *, commit_names_issue: bool) -> tuple[str, ...]:
    """Why the work cannot go to the gate, as sentences for its author; empty when it can."""
    found: list[str] = []
    if not work.messages:
        hint = f"; {len(work.uncommitted)} files have uncommitted changes" if work.uncommitted else ""
        missing = f"no commit was made in this attempt{hint}: commit the work with {work.issue} in the message"
        missing += f", or say that none is needed: agent-coord task resolve {work.issue} --as no-change --why TEXT"
        return (missing, *work.strays)
    if commit_names_issue and not any(names(message, work.issue) for message in work.messages):
        found.append(f"no commit message names {work.issue}: amend the last one")
    if not work.changed:
        found.append("the commits change no file")
    touched = [path for path in work.changed if path.startswith(TRACKER_FOLDER)]
    if touched:
        found.append(f"{touched[0]} was changed: the coordinator keeps the backlog; revert that file")
    # What lies about does not land, so it alone holds nothing back.
    return (*found, *work.strays) if found else ()


def names(message: str, issue: str) -> bool:
    """Whether a commit message names the issue as a word of its own (`bd-1` is not in `bd-12` or `bd-1.2`)."""
    return re.search(rf"(?<![\w.-]){re.escape(issue)}(?![\w-])(?!\.\w)", message) is not None


def outline(paths: Sequence[str], most: int = 3) -> str:
    """A few paths and how many more there are."""
    rest = len(paths) - most
    return ", ".join(paths[:most]) + (f" and {rest} more" if rest > 0 else "")
