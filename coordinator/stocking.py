"""Keeps spare databases ready while the coordinator runs.

Who takes a spare must not wait for the next one to be made, and a tick must not wait for anything. So a thread with a
connection of its own looks every few seconds, and whenever the last look is done. The pool looks when it grows or
shrinks and the daemon at each of its ticks, so work done by hand finds spares as well.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor

from coordinator.bootstrap import Project
from resources.system.errors import Failure

LOOK_EVERY = 2.0
"""Seconds between looks; one that finds nothing to do costs 5 ms."""


class Stocking:
    """The thread, and what it found last."""

    def __init__(self, project: Project) -> None:
        self._say = project.say
        self._databases = project.more_databases()
        self._threads = ThreadPoolExecutor(1, "spares")
        self._look: Future[None] | None = None
        self._looked = 0.0
        self._trouble = ""

    def tick(self) -> None:
        """Start a look when it is time for one; tell of a trouble once."""
        if self._databases is None or time.monotonic() - self._looked < LOOK_EVERY:
            return
        if self._look is not None:
            if not self._look.done():
                return
            self._tell(self._look)
        self._looked = time.monotonic()
        self._look = self._threads.submit(self._databases.tend)

    def _tell(self, look: Future[None]) -> None:
        error = look.exception()
        if error is not None and not isinstance(error, Failure | OSError):
            raise error
        trouble = str(error or "")
        if trouble and trouble != self._trouble:
            self._say(f"spare databases: {trouble}")
        self._trouble = trouble

    def close(self) -> None:
        """Wait for the look that is under way and give the connection back."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._databases is not None:
            self._databases.close()
