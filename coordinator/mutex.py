"""One at a time on this machine: for what slots cannot keep apart (one device, one licence, a port that is fixed).

A lock of the operating system under a name, for all of a user's repositories. The program that runs under it holds it
too, so that it stays taken when whoever started it is killed, and is free the moment the last of the two has ended.
What was waited is told to the ledger: `report` counts it, and says when it has become too much.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from coordinator.bootstrap import Project
from coordinator.committing import seats_environment
from coordinator.wherein import Caller
from resources.system.errors import Failure, Misuse, NotNow
from resources.system.files import file_lock, inherited_locks, mutex_folder
from resources.system.process import attend, identify

TOLD = 0.05
"""Seconds of waiting that are nobody's business."""


def run_alone(project: Project, caller: Caller, name: str, argv: Sequence[str], wait: float) -> int:
    """Run a program while nobody else on this machine runs one under `name`; returns its exit code.

    Raises NotNow("locked") naming the holder after `wait` seconds, Misuse("bad-mutex") for a name that is no word,
    Failure("mutex-unwritable") where the folder of the locks cannot be written (a wall, a sandbox).
    """
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise Misuse("bad-mutex", f"{name!r} is no name for a mutex", mend="letters, figures, - and .")
    file, began = _lock(name), time.monotonic()
    who = f"{caller.agent}" + (f" for {caller.issue}" if caller.issue else "") + f" (pid {identify().pid})"
    try:
        with file_lock(file, what=f"the mutex {name}", wait=wait, note=who, inherited=True):
            got = time.monotonic()
            code = attend(argv, cwd=Path.cwd(), env=seats_environment(), out=sys.stdout, keep=inherited_locks())
    except NotNow:
        _tell(project, caller, "mutex.refused", name, time.monotonic() - began)
        raise
    if got - began > TOLD:
        _tell(project, caller, "mutex.waited", name, got - began)
    return code if code >= 0 else 128 - code


def _lock(name: str) -> Path:
    try:
        file = mutex_folder() / f"{name}.lock"
        file.touch()
    except OSError as error:
        raise Failure(
            "mutex-unwritable", f"the lock of the mutex {name} cannot be written here", why=str(error),
            mend="let the wall or sandbox around you write that folder",
        ) from error  # fmt: skip
    return file


def _tell(project: Project, caller: Caller, kind: str, name: str, seconds: float) -> None:
    with project.ledger.write() as tx:
        tx.event(kind, issue=caller.issue, slot=caller.slot, agent=caller.agent, name=name, seconds=round(seconds, 2))
