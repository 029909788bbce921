"""Work that begins on finished, unlanded work: what it may stand on, and what its ground has become; pure.

A dependency is *finished* when its work waits in the landing queue. Work that waits for nothing else may begin on the
merge of the base branch with those tips. One level by default: most of what stacking saves is saved by the first, and
every further level is lost whenever one below it is bounced.

What a piece of stacked work stands on is a tip of each dependency. Such a tip has *landed*, is *queued* (the entry
that waits now contains it), is being *mended* (its author goes on from it, on the same branch), or is *gone*:
abandoned, begun anew, rewritten. Landed needs nothing, because the tip's own history lands. Queued lands first. What
stands on work that is being mended waits in the queue, untried. What stands on something gone would bring it in by
itself, so it is begun anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from coordinator.merging.order import Entry

NOBODY = -1
"""The number of the entry that a dependency does not have: what stands on it cannot be tried."""


@dataclass(frozen=True)
class Finished:
    """An issue whose work waits in the queue. `depth` is how many levels of unlanded work are below it.

    `paths` are those that its work changes.
    """

    issue: str
    tip: str
    depth: int = 0
    paths: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Footing:
    """The finished work to begin on, in landing order; none when the work waits, and `why` where there is more to say
    than that it waits for its dependencies.
    """

    parents: tuple[Finished, ...] = ()
    why: str = ""


def footing(waits_for: Sequence[str], finished: Iterable[Finished], most: int) -> Footing:
    """What work that waits for these issues may begin on; `finished` in landing order, `most` levels at the most."""
    wanted = frozenset(waits_for)
    parents = tuple(one for one in finished if one.issue in wanted)
    if most < 1 or not wanted or len(parents) < len(wanted):
        return Footing()
    high = next((one.issue for one in parents if one.depth >= most), "")
    if high:
        return Footing(why=f"waits until {high} has landed: it is finished, and stands on unlanded work itself")
    return Footing(parents)


class Ground(StrEnum):
    """What became of a tip that work stands on."""

    LANDED = "landed"
    QUEUED = "queued"
    SHOWN = "shown"
    """Its entry waits for a person, who must look at it first."""
    MENDED = "being mended"
    GONE = "gone"


@dataclass(frozen=True)
class Support:
    """One dependency below stacked work: what became of the tip, and the entry and tip that wait now (if any do)."""

    parent: str
    ground: Ground
    entry: int = NOBODY
    tip: str = ""


def lands_after(supports: Iterable[Support]) -> tuple[int, ...]:
    """The entries that must land first; NOBODY among them when one of them is not there."""
    return tuple(one.entry for one in supports if one.ground is not Ground.LANDED)


def lost(supports: Iterable[Support]) -> str:
    """Why the work must be begun anew, "" while it stands."""
    gone = [one.parent for one in supports if one.ground is Ground.GONE]
    return f"it stands on work for {' and '.join(gone)} that will not land" if gone else ""


def shown(supports: Iterable[Support]) -> str:
    """Why a person must look at work below this first, "" when nobody must."""
    found = [one.parent for one in supports if one.ground is Ground.SHOWN]
    return f"it stands on {' and '.join(found)}, which must be looked at first" if found else ""


def parents_first(entries: Sequence[Entry], on: Mapping[int, Sequence[int]]) -> list[Entry]:
    """The entries in landing order, where each comes after those that it stands on: they inherit its urgency."""
    by_id = {entry.id: entry for entry in entries}
    order = dict.fromkeys(number for entry in entries for number in (*below(entry.id, on), entry.id))
    return [by_id[number] for number in order if number in by_id]


def below(entry: int, on: Mapping[int, Sequence[int]]) -> tuple[int, ...]:
    """The numbers of all entries below one, the lowest first."""
    found: dict[int, None] = {}
    met = {entry}

    def descend(number: int) -> None:
        for parent in on.get(number, ()):
            # Whoever turned a dependency round while both waited has made a circle.
            if parent not in met:
                met.add(parent)
                descend(parent)
                found[parent] = None

    descend(entry)
    return tuple(found)


def depth(entry: int, on: Mapping[int, Sequence[int]], above: frozenset[int] = frozenset()) -> int:
    """How many levels of unlanded work are below an entry, and not among those `above` it."""
    above |= {entry}
    return max((1 + depth(parent, on, above) for parent in on.get(entry, ()) if parent not in above), default=0)
