"""May agents start? One answer for the whole run: pure.

A quota, a rate limit or an outage meets every agent alike, so the first one that reports it stops all starts: else
each waiting issue would burn its attempts on the same refusal (133 agents were once started into an exhausted quota).
The breaker is *open* until a time, then *probing*: one agent may try, and the others follow when it gets work done.
Each refusal of a probe doubles the wait, unless the program said until when the model refuses.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 1800.0
"""Seconds: the longest wait that is chosen by us."""
BELIEVED = 6 * 3600.0
"""Seconds: a program's own word on when its model answers again is believed this far."""


@dataclass(frozen=True)
class Breaker:
    """Closed while `strikes` is 0. `until` is seconds since 1970."""

    strikes: int = 0
    until: float = 0.0
    why: str = ""

    def is_open(self, now: float) -> bool:
        """Whether nobody may start."""
        return self.strikes > 0 and now < self.until

    def room(self, now: float, trying: int) -> int | None:
        """How many more may start while `trying` are at work since it opened; None: as many as there are seats."""
        if not self.strikes:
            return None
        return 0 if self.is_open(now) or trying else 1


def trip(breaker: Breaker, now: float, why: str, *, first: float, until: float = 0.0) -> Breaker:
    """The breaker after an agent was refused: `first` is the first wait, `until` the program's own word (0: none)."""
    # Those that were at work when it opened meet the same refusal: no news.
    strikes = breaker.strikes if breaker.is_open(now) else breaker.strikes + 1
    wait = min(first * 2.0 ** (strikes - 1), LONGEST)
    told = min(until, now + BELIEVED) if until > now else now + wait
    return Breaker(strikes, max(told, breaker.until), why)
