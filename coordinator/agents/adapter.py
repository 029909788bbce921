"""The contract between the coordinator and a coding agent's program.

An adapter knows one program's command line, the lines it prints and what its exit means; it starts
nothing itself. The supervisor runs what the adapter describes: working directory always the slot,
standard input closed, a process group of its own, the environment tagged with the lease. An exit code
of 0 says only that the program ended: whether the work is good is the gate's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Assignment:
    """One attempt at one issue: everything that a program may need to be started."""

    issue: str
    title: str
    attempt: int
    """1 for the first."""
    slot: Path
    prompt: str
    """The briefing as text."""
    briefing: Path
    """The same text as a file outside the worktree."""
    session: str = ""
    """The session to resume, "" to begin a new one."""


@dataclass(frozen=True)
class Activity:
    """What one line of a program's output tells."""

    text: str = ""
    session: str = ""
    files: tuple[str, ...] = ()
    failed: bool = False
    """The program itself says that the work failed."""


class Ending(StrEnum):
    """How an attempt ended, as far as the program can tell."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Launch:
    """What to run for an assignment."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class Adapter(Protocol):
    """One program. Every adapter passes the contract suite in `tests/contracts/test_adapters.py`."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""
        ...

    def launch(self, assignment: Assignment) -> Launch:
        """The command line and the extra environment. Raises Failure when the program is not installed."""
        ...

    def parse(self, line: str) -> Activity:
        """What a line of output means; never raises, whatever the line holds."""
        ...

    def classify(self, code: int, last: Activity) -> Ending:
        """How the attempt ended, from the exit code (negative: a signal) and the last activity."""
        ...
