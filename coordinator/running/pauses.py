"""Attempts that wait because the model refuses, and the breaker that says when they go on.

A paused attempt keeps its slot, its work and its session, and uses up no attempt. The breaker's state stands in the
ledger, so that `status` tells why nobody starts; a new coordinator begins with a closed one, because whoever starts
it may have mended what was wrong.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict

from coordinator.bootstrap import Project
from coordinator.running import attempts
from coordinator.running.attempts import Attempt
from coordinator.running.breaker import Breaker, trip
from resources.system.clock import iso, wall
from resources.system.errors import Failure

KEY = "breaker"


class Pauses:
    """The breaker of one run and what it holds up."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._breaker = Breaker()
        self._tripped = 0.0
        self._write(Breaker())

    @property
    def why(self) -> str:
        """Why nobody starts, "" when agents may."""
        known = self._breaker
        return f"the model refuses: {known.why}; tried again at {iso(known.until)}" if known.strikes else ""

    def pause(self, attempt: Attempt, why: str, until: float) -> None:
        """Hold the attempt up, and everybody who has not started."""
        first = self._project.config.agents.refused_seconds
        attempts.again(attempt)
        attempt.paused = why
        self._tripped = time.monotonic()
        self._write(trip(self._breaker, wall(), why, first=first, until=until))
        self._project.say(f"{attempt.issue.id} is paused; {self.why}")

    def resume(self, attempt: Attempt, under_way: Mapping[str, Attempt]) -> str:
        """Let a paused attempt go on when the breaker lets it; returns why it cannot, "" when all is well."""
        return "" if self.room(under_way) == 0 else self._start(attempt)

    def begin_anew(self, attempt: Attempt) -> str:
        """Start the attempt once more in a new session, its own being lost; returns as `resume` does."""
        attempts.again(attempt)
        attempt.session = ""
        return self._start(attempt)

    def _start(self, attempt: Attempt) -> str:
        try:
            attempts.start_agent(self._project, attempt)
        except Failure as failure:
            return f"could not go on: {failure.what}"
        return ""

    def room(self, under_way: Mapping[str, Attempt]) -> int | None:
        """How many agents may start now; None when nothing stands in the way."""
        working = [one.running for one in under_way.values() if one.running is not None]
        trying = [running for running in working if running.started >= self._tripped]
        if any(running.acted for running in trying):
            self.close()
        return self._breaker.room(wall(), len(trying))

    def close(self) -> None:
        """Nothing stands in the way any more: an agent has ended well."""
        if self._breaker.strikes:
            self._project.say("the model answers again")
            self._write(Breaker())

    def _write(self, breaker: Breaker) -> None:
        was, self._breaker = self._breaker, breaker
        with self._project.ledger.write() as tx:
            tx.change("meta-put", key=KEY, value=json.dumps(asdict(breaker)) if breaker.strikes else "")
            if breaker.strikes:
                tx.event("model.refuses", why=breaker.why, until=breaker.until)
            elif was.strikes:
                tx.event("model.answers")
