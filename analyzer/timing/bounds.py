"""How early could the last job end at best? Three proofs, the strongest of which is the lower bound.

* chain: jobs that wait for one another run one after another, however many slots there are.
* slots: of any k·m + 1 jobs on m slots, one slot gets k + 1; so the k + 1 shortest of the k·m + 1 longest follow each
  other somewhere. And all work together takes at least its sum over m. Both hold for any subset of the jobs, and
  before it lies the earliest beginning of its members, behind it the shortest chain that still waits for one of them.
* conflicts: of jobs that must pairwise not run side by side (or wait for one another), one runs at a time: a clique of
  the graph of conflicts and dependencies. Cliques are looked for greedily, from the heaviest seeds.

Where all lengths are multiples of one time, so is the end: the bound is rounded up to the next, and up again while few
jobs cannot be packed into that much of each slot (bin packing, searched to the end).

A subset is taken by its heads and tails: all jobs that cannot begin before some time and have at least so much behind
them. Rework for priced conflicts is left out: the bound holds for the work that is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from math import ceil, gcd

from analyzer.timing.schedule import Shop

CUTS, FINE = 6, 24
"""How many heads and tails are tried, for many jobs and for few."""
FEW = 300
SEEDS = 24
"""How many jobs a clique is grown from."""
PACKED = 14
"""So few jobs are packed into the slots to see whether they fit."""
MOST_ORDERED = 1500
"""With more jobs that conflict, cliques are made of conflicts alone."""


@dataclass(frozen=True)
class Bound:
    """No schedule ends before `seconds`; `kind` is "chain", "slots" or "conflicts", `jobs` the numbers of the proof."""

    seconds: float
    kind: str
    jobs: tuple[int, ...] = ()


def heads(shop: Shop, order: Sequence[int]) -> list[float]:
    """The earliest beginning of each job: the longest chain before it."""
    found = [0.0] * len(shop.jobs)
    for at in order:
        begin = found[at] + shop.jobs[at].seconds
        for other in shop.after[at]:
            found[other] = max(found[other], begin)
    return found


def tails(shop: Shop, order: Sequence[int]) -> list[float]:
    """What must follow the end of each job: the longest chain behind it."""
    found = [0.0] * len(shop.jobs)
    for at in reversed(order):
        for other in shop.after[at]:
            found[at] = max(found[at], found[other] + shop.jobs[other].seconds)
    return found


def lower_bound(shop: Shop, order: Sequence[int]) -> Bound:
    """The strongest of the proofs; `order` is topological and holds the jobs that can be done."""
    first, last = heads(shop, order), tails(shop, order)
    real = [at for at in order if shop.jobs[at].is_track]
    if not real:
        return Bound(0.0, "chain")
    work = [job.seconds for job in shop.jobs]
    end = max(real, key=lambda at: (first[at] + work[at] + last[at], -at))
    chain = Bound(first[end] + work[end] + last[end], "chain")

    def over_slots(jobs: Sequence[int]) -> float:
        return _share([work[at] for at in jobs], shop.slots)

    def one_by_one(jobs: Sequence[int]) -> float:
        return sum(work[at] for at in jobs)

    best = max(chain, _framed(real, first, last, over_slots, "slots"), key=lambda bound: bound.seconds)
    for clique in _cliques(shop, order, [at for at in real if shop.apart[at]], last):
        found = _framed(clique, first, last, one_by_one, "conflicts")
        best = found if found.seconds > best.seconds else best
    step = grain(shop, [at for at in order if shop.jobs[at].is_track or shop.jobs[at].seconds])
    if not step:
        return best
    best = replace(best, seconds=step * ceil(best.seconds / step - 1e-9))
    lengths = sorted((work[at] for at in real), reverse=True)
    while len(real) <= PACKED and not _fit(tuple(lengths), (best.seconds,) * shop.slots):
        best = Bound(best.seconds + step, "slots", tuple(real))
    return best


def _fit(lengths: tuple[float, ...], room: tuple[float, ...]) -> bool:
    """Whether pieces of these lengths, the longest first, can be packed into so much room."""

    @cache
    def rest(place: int, left: tuple[float, ...]) -> bool:
        if place == len(lengths):
            return True
        options = {each for each in left if each >= lengths[place]}
        for each in options:
            others = list(left)
            others.remove(each)
            if rest(place + 1, tuple(sorted((*others, each - lengths[place])))):
                return True
        return False

    return rest(0, room)


def grain(shop: Shop, jobs: Iterable[int]) -> int:
    """The greatest common divisor of the lengths in seconds, 0 where one is no whole number.

    All begins and ends of a schedule without rework are multiples of it.
    """
    seconds = {shop.jobs[at].seconds for at in jobs}
    return gcd(*map(int, seconds)) if all(one == int(one) for one in seconds) else 0


def _share(seconds: list[float], slots: int) -> float:
    """What so much work takes at least on that many slots."""
    longest = sorted(seconds, reverse=True)
    sums = [0.0, *accumulate(longest)]
    stacked = (sums[at + 1] - sums[at - at // slots] for at in range(slots, len(longest), slots))
    return max(sums[-1] / slots, longest[0] if longest else 0.0, *stacked, 0.0)


def _framed(
    jobs: Sequence[int],
    first: Sequence[float],
    last: Sequence[float],
    cost: Callable[[Sequence[int]], float],
    kind: str,
) -> Bound:
    """The best over subsets by head and tail: the least head, the cost of the subset, the least tail."""
    fine = FINE if len(jobs) <= FEW else CUTS
    best = Bound(0.0, kind)
    for head in _cuts((first[at] for at in jobs), fine):
        after = [at for at in jobs if first[at] >= head]
        for tail in _cuts((last[at] for at in after), fine):
            members = [at for at in after if last[at] >= tail]
            seconds = head + cost(members) + tail
            if seconds > best.seconds:
                best = Bound(seconds, kind, tuple(members))
    return best


def _cuts(values: Iterable[float], most: int) -> list[float]:
    """At most so many of the different values, evenly spread, the least among them."""
    known = sorted(set(values))
    step = max(1, -(-len(known) // most))
    return known[::step]


def _cliques(shop: Shop, order: Sequence[int], jobs: Sequence[int], last: Sequence[float]) -> Iterable[tuple[int, ...]]:
    """Sets of jobs of which no two can run side by side, grown from the heaviest."""
    if not jobs:
        return
    rivals: Mapping[int, Set[int]] = {at: shop.apart[at] for at in jobs}
    if len(jobs) <= MOST_ORDERED:
        rivals = _with_ordered(shop, order, rivals)
    work = {at: shop.jobs[at].seconds for at in jobs}
    load = {at: work[at] + sum(map(work.__getitem__, rivals[at])) for at in jobs}
    for seed in sorted(jobs, key=lambda at: (-load[at], at))[:SEEDS]:
        clique, near = [seed], set(rivals[seed])
        while near:
            chosen = min(
                near, key=lambda at: (-work[at] - sum(work[other] for other in rivals[at] & near), -last[at], at)
            )
            clique.append(chosen)
            near &= rivals[chosen]
        yield tuple(sorted(clique))


def _with_ordered(shop: Shop, order: Sequence[int], apart: Mapping[int, Set[int]]) -> dict[int, set[int]]:
    """Count jobs that wait for one another as rivals; the sets of what comes before are bits of one number."""
    rivals = {at: set(others & apart.keys()) for at, others in apart.items()}
    bit = {at: 1 << place for place, at in enumerate(rivals)}
    members = list(rivals)
    earlier: dict[int, int] = {}
    for at in order:
        found = 0
        for other in shop.before[at]:
            found |= earlier.get(other, 0) | bit.get(other, 0)
        if found:
            earlier[at] = found
        if at in rivals:
            for other in _members(found, members):
                rivals[at].add(other)
                rivals[other].add(at)
    return rivals


def _members(bits: int, members: Sequence[int]) -> Iterable[int]:
    while bits:
        low = bits & -bits
        yield members[low.bit_length() - 1]
        bits ^= low
