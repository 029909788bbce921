"""Something that is done again and again beside the loop, in a thread of its own, so that no tick waits for it.

A trouble is told once, until there is another one or none; the next round tries again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from resources.system.errors import Failure


def _nothing() -> None:
    """What most rounds do at their end."""


class Round:
    """`do` is called every `every` seconds, never twice at a time; `finish` when no more of them come."""

    def __init__(
        self, name: str, do: Callable[[], None], say: Callable[[str], None], every: float,
        finish: Callable[[], None] = _nothing,
    ) -> None:  # fmt: skip
        self._name, self._do, self._say, self._every, self._finish = name, do, say, every, finish
        self._threads = ThreadPoolExecutor(1, name)
        self._running: Future[None] | None = None
        self._began = 0.0
        self._trouble = ""

    def tick(self) -> None:
        """Begin a round when it is time for one and the one before is over."""
        if time.monotonic() - self._began < self._every:
            return
        if self._running is not None:
            if not self._running.done():
                return
            self._tell(self._running.exception())
        self._began = time.monotonic()
        self._running = self._threads.submit(self._do)

    def close(self) -> None:
        """Wait for the round that is under way, then finish."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        try:
            self._finish()
        except (Failure, OSError) as error:
            self._tell(error)

    def _tell(self, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, Failure | OSError):
            raise error
        trouble = str(error or "")
        if trouble and trouble != self._trouble:
            self._say(f"{self._name}: {trouble}")
        self._trouble = trouble
