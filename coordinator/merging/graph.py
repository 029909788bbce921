"""Who must be judged before whom, and what the trials so far tell about those who still wait: pure.

Changes are numbered by their place in the landing order and sets of them are bit masks, because a plan looks at
every pair of a thousand changes at every event.

A trial tells about a change as long as nothing that meets the change differs from what was tried: whoever landed
since was a member, and whoever was a member has landed or still waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import reduce
from operator import or_

from coordinator.merging.changes import EVERYTHING, Change, Mode, Queue, Trial


@dataclass(frozen=True)
class Told:
    """What a trial tells: `members` that still wait, those that it was begun `about`, those for which it `holds`.

    `exact`: with its members on top, the tip would be the very tree that was tried.
    """

    trial: Trial
    members: int
    about: int
    holds: int
    exact: bool


@dataclass(frozen=True)
class Graph:
    """The waiting changes by place. `rivals` must be settled before a change is, `meets` are all that it meets.

    What a rival is built on is a rival too: a trial with the one and without the other would be about work that the
    one brings along, in a shape that does not wait any more, and red for it.
    """

    ids: tuple[int, ...]
    rivals: Sequence[int]
    meets: Sequence[int]
    parents: Sequence[int]
    orphans: int
    clashes: Sequence[int]
    told: tuple[Told, ...]

    def members(self, mask: int) -> tuple[int, ...]:
        """The changes of a mask, in landing order."""
        return tuple(self.ids[place] for place in places(mask))


def places(mask: int) -> Iterator[int]:
    """The places in a mask, first one first."""
    while mask:
        bit = mask & -mask
        yield bit.bit_length() - 1
        mask ^= bit


def make_graph(queue: Queue) -> Graph:
    """Read the queue. Changes are taken to be in landing order."""
    ids = tuple(change.id for change in queue.waiting)
    place = {number: where for where, number in enumerate(ids)}
    clashes = _clashes(queue, place)
    # What git cannot merge meets, whatever the targets say.
    meets = [mask | clashing for mask, clashing in zip(_meets(queue), clashes, strict=True)]
    parents = [_mask(change.on, place) for change in queue.waiting]
    orphans = _orphans(queue, place)
    # Nobody waits for an orphan: it may take its author hours to mend what it is built on.
    rivals = [(meets[where] & ((1 << where) - 1) & ~orphans) | parents[where] for where in range(len(ids))]
    rivals = _closed(rivals, [0 if orphans >> where & 1 else mask for where, mask in enumerate(parents)])
    return Graph(
        ids, rivals, meets, parents, orphans, clashes,
        tuple(_told(queue, trial, place) for trial in queue.trials),
    )  # fmt: skip


def targets(change: Change, mode: Mode) -> Set[str]:
    """What a change may affect, as the mode sees it."""
    return EVERYTHING if mode is Mode.EXACT else change.targets


def _mask(numbers: Iterable[int], place: Mapping[int, int]) -> int:
    mask = 0
    for number in numbers:
        if number in place:
            mask |= 1 << place[number]
    return mask


def _meets(queue: Queue) -> list[int]:
    of_target: dict[str, int] = {}
    every = (1 << len(queue.waiting)) - 1
    wanted = [targets(change, queue.mode) for change in queue.waiting]
    for where, names in enumerate(wanted):
        for name in names:
            of_target[name] = of_target.get(name, 0) | 1 << where
    everywhere = of_target.get("*", 0)
    found = []
    for where, names in enumerate(wanted):
        mask = every if "*" in names else everywhere
        for name in names:
            mask |= of_target[name]
        found.append(mask & ~(1 << where))
    return found


def _orphans(queue: Queue, place: Mapping[int, int]) -> int:
    # What it is built on neither waits nor has landed, or is an orphan itself (and stands before it in the order).
    there = set(place) | {one.id for one in queue.landed}
    mask = 0
    for where, change in enumerate(queue.waiting):
        if not there.issuperset(change.on):
            there.discard(change.id)
            mask |= 1 << where
    return mask


def _closed(rivals: Sequence[int], parents: Sequence[int]) -> list[int]:
    """The rivals of each, with what these are built on, and that again."""
    built = sum(1 << where for where, mask in enumerate(parents) if mask)
    ground = reduce(or_, parents, 0)
    below, found = list(parents), []
    for where, mask in enumerate(rivals):
        for one in places(parents[where]):
            below[where] |= below[one]
        if ground & ((1 << where) - 1) & ~mask:
            for one in places(mask & built):
                mask |= below[one]
        found.append(mask & ~(1 << where))
    return found


def _clashes(queue: Queue, place: Mapping[int, int]) -> list[int]:
    masks = [0] * len(queue.waiting)
    for one, other in queue.clashes:
        if one in place and other in place:
            masks[place[one]] |= 1 << place[other]
            masks[place[other]] |= 1 << place[one]
    return masks


def _share(change: Change, names: Set[str]) -> bool:
    return "*" in change.targets or "*" in names or not change.targets.isdisjoint(names)


def _told(queue: Queue, trial: Trial, place: Mapping[int, int]) -> Told:
    members, about = _mask(trial.members, place), _mask(trial.members[-trial.about :], place)
    landed = {one.id for one in queue.landed}
    strangers = [one for one in queue.landed if one.tip > trial.tip and one.id not in trial.members]
    if any(member not in place and member not in landed for member in trial.members):
        return Told(trial, members, about, 0, False)
    if not strangers:
        return Told(trial, members, about, members, True)
    if queue.mode is not Mode.LANES and (trial.whole or queue.mode is Mode.EXACT):
        return Told(trial, members, about, 0, False)
    moved = frozenset().union(*(one.targets for one in strangers))
    holds = _mask(
        (one for one in trial.members if one in place and not _share(queue.waiting[place[one]], moved)), place
    )
    return Told(trial, members, about, holds, False)
