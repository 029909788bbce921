"""An operation on a pool in a process that is killed at its n-th step: a git call or a write to the ledger.

    python -m tests.support.killing ROOT OPERATION N WAY BACKEND

WAY is "before" the step, "during" it (git goes on as an orphan), or "git" (the step's git is killed, and we go on).
The process ends with code 0 when the operation had fewer than N steps, -9 when it was killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from git import Git

from resources.settings import PoolSettings
from resources.state import leases
from resources.state.sqlite import SqliteLedger
from resources.system.errors import Failure
from resources.system.repository import find_repository
from resources.worktrees.pool import Pool, View

WAYS = ("before", "during", "git")
SETTINGS: dict[str, Any] = {"maximum": 4, "minimum": 1, "ports_per_slot": 2}
_PRODUCT = Path(__file__).parents[2]
_KILLED_GIT = "import subprocess, sys, time; p = subprocess.Popen(sys.argv[1:], close_fds=False)\n"
_KILLED_GIT += "time.sleep(0.003); p.kill(); sys.exit(p.wait() and 137)"


def killed(root: Path, operation: str, step: int, way: str, backend: str) -> bool:
    """Run an operation in another process; whether it had that step and so was killed there."""
    argv = [sys.executable, "-m", "tests.support.killing", str(root), operation, str(step), way, backend]
    done = subprocess.run(argv, cwd=_PRODUCT, capture_output=True, timeout=120, check=False)
    assert done.returncode in (0, -signal.SIGKILL, 77), done.stderr.decode()
    return done.returncode != 0


def acquire(pool: Pool) -> None:
    pool.acquire("demo-9", "eve", base="main", view=View("closure", ("docs",)))


def release(pool: Pool) -> None:
    with pool._yard.records.ledger.read() as snapshot:
        (lease,) = leases.live(snapshot, "slot")
    pool.release(lease)


OPERATIONS: dict[str, Callable[[Pool], object]] = {
    "grow": lambda pool: pool.grow(2),
    "acquire": acquire,
    "release": release,
    "refresh": lambda pool: pool.refresh("main"),
    "shrink": lambda pool: pool.shrink(2, force_all=True),
    "show": lambda pool: pool.show("pool-wt-1", View("closure", ("docs",))),
}


class Steps:
    """Counts the steps of this process and kills it, or its git, at the one that is wanted."""

    def __init__(self, at: int, way: str) -> None:
        self._left = at
        self._way = way
        self.reached = False

    def _is_due(self) -> bool:
        self._left -= 1
        self.reached = self.reached or self._left == 0
        return self._left == 0

    def watch(self) -> None:
        execute, write = Git.execute, SqliteLedger.write
        steps = self

        def counted(git: Git, command: list[str], *arguments: Any, **options: Any) -> Any:
            if steps._is_due():
                command = steps._strike(command)
            return execute(git, command, *arguments, **options)

        def counted_write(ledger: SqliteLedger) -> Any:
            if steps._way != "git" and steps._is_due():
                steps._strike([])
            return write(ledger)

        door: Any = Git
        ledger: Any = SqliteLedger
        door.execute, ledger.write = counted, counted_write

    def _strike(self, command: list[str]) -> list[str]:
        if self._way == "git":
            return [sys.executable, "-c", _KILLED_GIT, *command]
        if self._way == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Thread(target=_kill_soon, daemon=True).start()
        return command


def _kill_soon() -> None:
    time.sleep(0.002)
    os.kill(os.getpid(), signal.SIGKILL)


def main(root: str, operation: str, step: str, way: str, backend: str) -> int:
    """Run the operation; 0 when it ended before the step, 77 when its git was killed and it ended after that."""
    repository = find_repository(Path(root))
    pool = Pool(repository, SqliteLedger(repository.state), PoolSettings(backend=backend, **SETTINGS), None)
    steps = Steps(int(step), way)
    steps.watch()
    try:
        OPERATIONS[operation](pool)
    except Failure:
        if way != "git" or not steps.reached:
            raise
    return 77 if steps.reached else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
