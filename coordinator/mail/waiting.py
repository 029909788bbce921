"""Waiting for a reservation, and the circle in which nobody would ever get one.

Who waits writes down for whom. When the agents that wait for each other form a circle, the youngest of them (whose
first reservation is the newest: it has the least to lose) is refused with the circle named, and the others go on once
it gives back what it holds. Every waiter looks for circles at each try, so the last one to join one finds it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from coordinator.mail import reservations
from coordinator.mail.reservations import Clash
from resources.state.leases import Owner, owner_is_dead
from resources.state.store import Ledger, Transaction
from resources.system.clock import wall
from resources.system.errors import NotNow

EVERY = 0.2
"""Seconds between two tries."""


@dataclass(frozen=True)
class Wish:
    """Paths that an agent wants to hold for an issue, and who answers for them (None: this process)."""

    patterns: tuple[str, ...]
    agent: str
    issue: str
    why: str
    shared: bool = False
    ttl: float = reservations.TTL
    owner: Owner | None = None
    over_guesses: bool = False
    """Whether what was only predicted for others is no hindrance."""


def circle(waits: Mapping[str, str], start: str) -> tuple[str, ...]:
    """The agents that wait for each other in a circle through `start`, in order; empty when there is none."""
    seen = [start]
    while (holder := waits.get(seen[-1])) is not None:
        if holder == start:
            return tuple(seen)
        if holder in seen:
            return ()
        seen.append(holder)
    return ()


def youngest(agents: Sequence[str], since: Mapping[str, float]) -> str:
    """Who of a circle loses: the one that holds something since the shortest time; ties by name."""
    return max(agents, key=lambda agent: (since.get(agent, float("inf")), agent))


def reserve_waiting(
    ledger: Ledger, wish: Wish, seconds: float, sleep: Callable[[float], None] = time.sleep
) -> list[int]:
    """Hold the paths, waiting up to `seconds` for those who have them.

    Raises NotNow("reserved") when the time is up, NotNow("deadlock") when waiting on would never end.
    """
    began = time.monotonic()
    waited: Clash | None = None
    try:
        while True:
            with ledger.write() as tx:
                clash = _clash(tx, wish)
                if clash is None:
                    return _take(tx, wish)
                waited = clash
                if time.monotonic() >= began + seconds:
                    raise reservations.refusal(clash)
                circled = _wait(tx, wish, clash)
            if circled:
                raise _deadlock(wish, circled)
            sleep(EVERY)
    finally:
        if waited is not None:
            _end(ledger, wish, waited, time.monotonic() - began)


def _clash(tx: Transaction, wish: Wish) -> Clash | None:
    return reservations.clash_for(
        tx, wish.patterns, wish.agent, shared=wish.shared, over_guesses=wish.over_guesses
    )  # fmt: skip


def _take(tx: Transaction, wish: Wish) -> list[int]:
    return reservations.reserve(
        tx, wish.patterns, agent=wish.agent, issue=wish.issue, why=wish.why, shared=wish.shared, ttl=wish.ttl,
        owner=wish.owner, over_guesses=wish.over_guesses,
    )  # fmt: skip


def _wait(tx: Transaction, wish: Wish, clash: Clash) -> tuple[str, ...]:
    """Write down for whom we wait; the circle that we have to leave, empty when there is none."""
    tx.change(
        "wait-put", agent=wish.agent, issue=wish.issue, holder=clash.held.agent, pattern=clash.wanted,
        owner=Owner.here().to_json(), now_at=wall(),
    )  # fmt: skip
    found = _lost(tx, wish.agent)
    if found:
        tx.event("deadlock.broken", issue=wish.issue, agent=wish.agent, circle=found)
    return found


def _end(ledger: Ledger, wish: Wish, clash: Clash, seconds: float) -> None:
    with ledger.write() as tx:
        tx.change("wait-over", agent=wish.agent, issue=wish.issue)
        tx.event(
            "paths.waited", issue=wish.issue, agent=wish.agent, holder=clash.held.agent, patterns=list(wish.patterns),
            seconds=round(seconds, 2), granted=_clash(tx, wish) is None,
        )  # fmt: skip


def _lost(tx: Transaction, agent: str) -> tuple[str, ...]:
    """The circle that `agent` has to leave, empty when there is none or another one loses."""
    rows = [row for row in tx.all("waits") if not owner_is_dead(Owner.of(row["owner"]))]
    found = circle({row["agent"]: row["holder"] for row in rows}, agent)
    since: dict[str, float] = {}
    for held in reservations.live(tx):
        since[held.agent] = min(held.taken_at, since.get(held.agent, held.taken_at))
    return found if found and youngest(found, since) == agent else ()


def _deadlock(wish: Wish, found: Sequence[str]) -> NotNow:
    return NotNow(
        "deadlock", f"{wish.agent} waits for itself: {' -> '.join([*found, found[0]])} each wait for the next",
        why=f"{wish.agent} holds something since the shortest time, so it has to give way",
        mend="agent-coord reserve release, do what needs no other paths first, then ask again",
    )  # fmt: skip
