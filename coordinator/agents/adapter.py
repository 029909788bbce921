"""The contract between the coordinator and a coding agent's program.

An adapter knows one program's command line, the lines it prints, how its tools are guarded and what its exit
means; it starts nothing itself. The supervisor runs what the adapter describes: working directory always the slot,
standard input closed, a process group of its own, the environment tagged with the lease. An exit code of 0 says only
that the program ended: whether the work is good is the gate's to say.

Everything that a program is told for one attempt (hooks, servers of tools) is given on its command line or in files
of the assignment's `room`; the user's own configuration of the program is read by it as always and never written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from coordinator.transcripts.activity import Activity, Ending


@dataclass(frozen=True)
class Assignment:
    """One attempt at one issue: everything that a program may need to be started."""

    issue: str
    title: str
    attempt: int
    """1 for the first."""
    slot: Path
    prompt: str
    """The briefing as text; in a session that is resumed, only what is new."""
    briefing: Path
    """The whole briefing as a file outside the worktree."""
    room: Path
    """A folder of this slot's agent, outside the worktree, in the slot's own git directory."""
    session: str = ""
    """The session to resume, "" to begin a new one."""
    walled: bool = False
    """A wall stands around the program: a sandbox of its own cannot be set up inside, and is not needed."""


@dataclass(frozen=True)
class Launch:
    """What to run for an assignment."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    """Variables that the program must not inherit."""
    session: str = ""
    """The session's id where we choose it; else it is read from the output."""
    mark: Path | None = None
    """The file that the guard writes when the session begins; without it no tool may be used."""
    writes: tuple[Path, ...] = ()
    """The program's own folders outside of the room, which a wall lets through; made when they are missing."""


class Adapter(Protocol):
    """One program. Every adapter passes the contract suite in `tests/contracts/test_adapters.py`."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""
        ...

    @property
    def resumes(self) -> bool:
        """Whether a session can be gone on with after its process has ended."""
        ...

    @property
    def guarded(self) -> bool:
        """Whether its tools are guarded: then it may use none before the guard has left its mark."""
        ...

    def install_guard(self, assignment: Assignment) -> None:
        """Write what the program needs to have its tools guarded; nothing for a program without hooks."""
        ...

    def prove_guard(self, assignment: Assignment, environment: Mapping[str, str]) -> None:
        """Try the guard as the program will call it. Raises Failure("guard-dead") unless it refuses what it must."""
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


class Unhooked:
    """The guard of a program without hooks: there is none. What it writes is judged when it lands."""

    guarded = False

    def install_guard(self, assignment: Assignment) -> None:
        """Nothing to write."""

    def prove_guard(self, assignment: Assignment, environment: Mapping[str, str]) -> None:
        """Nothing to try."""
