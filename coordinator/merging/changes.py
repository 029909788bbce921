"""What the queue decides about and what it decides, as values: pure.

A *change* is an entry of the queue as the planner sees it, a *trial* one run of the gate on the tip of the base
branch with some changes merged on top. Two changes *meet* when they share a target: then one's verdict may depend
on the other, and they are judged in order. With the single target `*` everything meets everything, and what lands
is exactly the tree that was judged.

Tips are counted, not named: `tip` 7 is the base branch after seven landings (or foreign commits) that the planner
was told of. A trial stays true while the base branch gains only its own members, in which case it is about the same
tree as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

EVERYTHING = frozenset({"*"})
"""The targets of a change that may affect anything."""


class Mode(StrEnum):
    """What may land."""

    EXACT = "exact"
    """Only a tree that the gate has passed as a whole."""
    CONFIRM = "lanes+confirm"
    """The same, but changes that do not meet are first judged side by side, and land together after one more trial."""
    LANES = "lanes"
    """Each change whose own targets were judged, whatever lands elsewhere; the tree as a whole is judged later."""


@dataclass(frozen=True)
class Change:
    """A change in the queue. `on` are the changes that it is built on: without them it cannot land."""

    id: int
    targets: frozenset[str] = EVERYTHING
    on: tuple[int, ...] = ()


@dataclass(frozen=True)
class Landed:
    """A change that has landed as number `tip`; id 0 when somebody else moved the base branch."""

    id: int
    targets: frozenset[str]
    tip: int


@dataclass(frozen=True)
class Trial:
    """The gate on tip number `tip` with `members` merged on top in that order. `passed` is None while it runs.

    It was begun for the last `about` of them, assuming the others; `whole` marks a trial of everything that waits for
    confirmation.
    """

    id: int
    tip: int
    members: tuple[int, ...]
    passed: bool | None = None
    about: int = 1
    whole: bool = False


@dataclass(frozen=True)
class Queue:
    """All that the next step depends on.

    `waiting` stands in landing order; `landed` reaches back to the oldest trial named here; `clashes` are pairs of
    waiting changes that git cannot merge; `chance` is how likely a change passes.
    """

    waiting: tuple[Change, ...]
    trials: tuple[Trial, ...] = ()
    landed: tuple[Landed, ...] = ()
    tip: int = 0
    clashes: frozenset[tuple[int, int]] = frozenset()
    workers: int = 1
    mode: Mode = Mode.EXACT
    chance: float = 0.85


@dataclass(frozen=True)
class Land:
    """Land `members` together, because of a trial."""

    members: tuple[int, ...]
    trial: int


@dataclass(frozen=True)
class Bounce:
    """Give a change back to its author, because of a trial that it alone can have made red."""

    change: int
    trial: int


@dataclass(frozen=True)
class Start:
    """Begin a trial of `members` on the tip as it is, for the last `about` of them.

    `needed` is the probability that its verdict will be used.
    """

    members: tuple[int, ...]
    about: int = 1
    whole: bool = False
    needed: float = 1.0


@dataclass(frozen=True)
class Step:
    """What to do now. What lands or bounces changes everything else: then nothing is started, and one asks again."""

    land: tuple[Land, ...] = ()
    bounce: tuple[Bounce, ...] = ()
    stop: tuple[int, ...] = ()
    start: tuple[Start, ...] = ()
