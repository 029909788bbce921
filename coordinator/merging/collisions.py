"""Which pieces of unlanded work are worth a trial merge, and what its outcome means: pure.

Two pieces can only conflict in paths that both have changed, so most pairs need no merge. What cannot be merged with
the base branch is *stale*: the base moved under it, and it says nothing about its peers until it is brought up to date.
What cannot be merged with another piece *collides*: the later of the two (the one that began later) is told, because
the earlier is likelier to land first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

BASE = "base"


@dataclass(frozen=True)
class Piece:
    """Unlanded work on an issue: `commit` holds it (a snapshot or a queued tip), `paths` are what it changes.

    `since` is when it began, in wall-clock seconds; `queued` work is finished and cannot be told anything.
    """

    issue: str
    commit: str
    paths: frozenset[str]
    since: float
    queued: bool = False


@dataclass(frozen=True)
class Collision:
    """Work on issue `a`, the later one, cannot be merged with `b` (an issue, or BASE when `a` is stale)."""

    a: str
    b: str
    paths: tuple[str, ...]

    @property
    def is_stale(self) -> bool:
        """It is the base branch that `a` cannot be merged with."""
        return self.b == BASE

    @property
    def sentence(self) -> str:
        """For the one who is told."""
        named = ", ".join(self.paths[:3]) + (f" and {len(self.paths) - 3} more" if len(self.paths) > 3 else "")
        other = "what has landed meanwhile" if self.is_stale else f"the work on {self.b}"
        return f"your work on {self.a} cannot be merged with {other}: {named}"


def later_first(a: Piece, b: Piece) -> tuple[Piece, Piece]:
    """The two in the order (who is told, the other): queued work is told nothing, else the one that began later is."""
    order = sorted((a, b), key=lambda piece: (piece.queued, -piece.since, piece.issue))
    return order[0], order[1]


def worth_a_merge(pieces: Sequence[Piece]) -> list[tuple[Piece, Piece]]:
    """The pairs that share a changed path, the one to be told first; two queued ones are the queue's business."""
    pairs = [pair for pair in combinations(pieces, 2) if not (pair[0].queued and pair[1].queued)]
    return [later_first(*pair) for pair in pairs if not pair[0].paths.isdisjoint(pair[1].paths)]


def news(before: Iterable[Collision], now: Iterable[Collision]) -> list[Collision]:
    """What was not known: new pairs, and known ones that collide in further paths."""
    known = {(one.a, one.b): set(one.paths) for one in before}
    return [one for one in now if not set(one.paths) <= known.get((one.a, one.b), set())]
