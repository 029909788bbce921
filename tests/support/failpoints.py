"""A command of the product in a process that is killed at a named step.

    python -m tests.support.failpoints STEP NTH WAY COMMAND…

STEP is `git WORD` (a git command) or `ledger NAME` (a named statement that changes something); NTH counts its uses in
this process. WAY is "before" the step or "after" it: for the ledger, after the transaction was committed. The names
are those of the code itself, so there is nothing to keep in step with it, and nothing of this is in the product.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from tests.support.repos import PINNED

_PRODUCT = Path(__file__).parents[2]


def killed_at(root: Path, step: str, nth: int, way: str, *command: str) -> bool:
    """Run `agent-coord COMMAND` in `root`; whether it came to that step and was killed there."""
    argv = [sys.executable, "-m", "tests.support.failpoints", step, str(nth), way, *command]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AGENT_COORD_")}
    environment = kept | PINNED | {"PYTHONPATH": str(_PRODUCT)}
    done = subprocess.run(argv, cwd=root, env=environment, capture_output=True, timeout=120, check=False)
    assert done.returncode in (0, 1, -signal.SIGKILL), done.stderr.decode()
    return done.returncode == -signal.SIGKILL


class Failpoint:
    """Kills this process at the `nth` use of `step`."""

    def __init__(self, step: str, nth: int, way: str) -> None:
        self._kind, _, self._name = step.partition(" ")
        self._left = nth
        self._way = way
        self._armed = False

    def _hit(self, name: str) -> bool:
        self._left -= name == self._name
        return name == self._name and self._left == 0

    def set(self) -> None:
        """Put it where every git command and every change of the ledger passes."""
        from git import Git

        from resources.state.sqlite import Session, SqliteLedger

        door: Any = Git
        rows: Any = Session
        store: Any = SqliteLedger
        door.execute, rows.change = self._git(Git.execute), self._change(Session.change)
        store.write = self._write(SqliteLedger.write)

    def _git(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        def counted(git: Any, command: list[str], *arguments: Any, **options: Any) -> Any:
            hit = self._kind == "git" and self._name in command and self._hit(self._name)
            if hit and self._way == "before":
                _die()
            answer = execute(git, command, *arguments, **options)
            if hit:
                _die()
            return answer

        return counted

    def _change(self, change: Callable[..., int]) -> Callable[..., int]:
        def counted(session: Any, statement: str, **values: Any) -> int:
            if self._kind == "ledger" and self._hit(statement):
                if self._way == "before":
                    _die()
                self._armed = True
            return change(session, statement, **values)

        return counted

    def _write(self, write: Callable[..., AbstractContextManager[Any]]) -> Callable[..., AbstractContextManager[Any]]:
        @contextmanager
        def watched(ledger: Any) -> Generator[Any]:
            with write(ledger) as session:
                yield session
            if self._armed:
                _die()

        return watched


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(step: str, nth: str, way: str, *command: str) -> None:
    """Run the command with the failpoint set."""
    import agent_coord

    Failpoint(step, int(nth), way).set()
    sys.argv = ["agent-coord", *command]
    agent_coord.coordinate()


if __name__ == "__main__":
    main(*sys.argv[1:])
