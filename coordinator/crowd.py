"""How many more agents may begin: pure.

A seat counts an agent at work (one that waits for its model keeps it). Finished work waits for its verdict in its slot,
so that its agent can mend it there in the same session, but it takes no seat: the next issue begins in another slot.
Work that comes back takes the next free seat before anything new.

Under way at once, working and finished, are at most twice as many pieces as there are seats: what begins beside so much
that has not landed is the likelier to meet it, and a gate or a person that is so far behind is not helped by more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BY_HAND = "by hand"
"""The program of a task that a person has taken: it takes no seat."""

NO_SLOT = "waits for a free slot"


@dataclass(frozen=True)
class Crowd:
    """Whose work is under way: agents at work, work that came back and waits for a seat, finished work."""

    working: int = 0
    bounced: int = 0
    landing: int = 0


@dataclass(frozen=True)
class Room:
    """How many more may begin now, and why no more may."""

    agents: int
    why: str = NO_SLOT

    def at_most(self, agents: int | None) -> Room:
        """The same for no more than so many (None: no matter)."""
        return self if agents is None else Room(min(self.agents, agents), self.why)


def crowd_of(states: Iterable[str]) -> Crowd:
    """The crowd that tasks in these states make."""
    found = list(states)
    return Crowd(found.count("working"), found.count("bounced"), found.count("judging"))


def free(seats: int, crowd: Crowd, *, ahead: bool = True) -> Room:
    """The room for new work as far as seats go; without `ahead` what is finished keeps its seat until it has landed."""
    taken = crowd.working + crowd.bounced
    left, beside = seats - taken, seats * (2 if ahead else 1) - taken - crowd.landing
    if left <= beside:
        return Room(max(0, left), f"waits for a free seat: all {seats} are taken")
    return Room(max(0, beside), f"waits until finished work has landed: {crowd.landing} wait for that")


def room(seats: int, crowd: Crowd, idle: int, *, ahead: bool = True) -> Room:
    """The same with `idle` slots to begin in."""
    found = free(seats, crowd, ahead=ahead)
    return found if found.agents <= idle else Room(idle)
