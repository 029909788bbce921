"""The timetable that ends first: several orders tried, the best improved, few jobs solved outright.

The rule, in this order:
  1. The order of rank (urgent work first) is kept when its timetable ends at the lower bound; with more than 14 jobs,
     when it ends within 1 % of it. Rivals that would cost rework wait for each other where that ends as soon.
  2. Else orders by the longest chain behind a job, by the work it conflicts with, by both, and by its length are tried
     too; each also with the patience to wait for a rival that would cost rework. The best is improved by scheduling
     from its end backwards and again forwards, and by moving jobs of its last chain to the front, a bounded number of
     times. Up to 14 jobs are then searched for the proven optimum, up to 40 as far as a bounded search gets.
  3. The shortest makespan wins. Rank wins when nothing ends sooner (by more than 1 % with more than 14 jobs); among
     others of one makespan the least sum of weight times end wins, then the order tried first.

Where work of others has to be waited for, no optimum is searched.

Everything is counted, nothing is timed or drawn by lot: the same jobs give the same timetable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analyzer.timing.bounds import Bound, lower_bound, tails
from analyzer.timing.optimum import EPSILON, MOST_JOBS, optimum
from analyzer.timing.schedule import Shop, Timetable, list_schedule

NEAR = 0.01
"""What more than MOST_JOBS jobs may miss of the bound, as a share of it, before the order of rank is given up."""
MOST_SEARCHED = 40
WORK = 20_000
"""Jobs begun while improving, all tries together."""
MOST_TRIES = 300


@dataclass(frozen=True)
class Answer:
    """The best timetable found, the bound, and whether no better one exists."""

    timetable: Timetable
    bound: Bound
    proven: bool


@dataclass(frozen=True)
class _Draft:
    timetable: Timetable
    order: tuple[int, ...]
    patient: bool
    weighted: float

    @property
    def worth(self) -> tuple[float, float]:
        return round(self.timetable.makespan, 3), self.weighted


def best_timetable(shop: Shop) -> Answer:
    """The timetable of all jobs that can be begun."""
    order = shop.order()
    bound = lower_bound(shop, order)
    real = [at for at in order if shop.jobs[at].is_track]
    slack = NEAR * bound.seconds if len(real) > MOST_JOBS else EPSILON
    rank = _by_rank(shop, slack)
    if rank.timetable.makespan <= bound.seconds + slack:
        return Answer(rank.timetable, bound, rank.timetable.makespan <= bound.seconds + EPSILON)
    best = min([rank, *_rules(shop, order)], key=lambda draft: draft.worth)
    best = _improved(shop, _justified(shop, best, bound), bound, len(real))
    found, proven = best.timetable, False
    waiting = any(job.seconds for job in shop.jobs if not job.is_track)
    if len(real) <= MOST_SEARCHED and not waiting and found.makespan > bound.seconds + EPSILON:
        clique = bound.jobs if bound.kind == "conflicts" else ()
        shorter, proven = optimum(shop, order, found.makespan, bound.seconds, clique)
        found = shorter or found
    proven = proven or found.makespan <= bound.seconds + EPSILON
    if rank.timetable.makespan <= found.makespan + slack:
        found, proven = rank.timetable, proven and rank.timetable.makespan <= found.makespan + EPSILON
    return Answer(found, bound, proven)


def _by_rank(shop: Shop, slack: float) -> _Draft:
    """The timetable in the order of rank; without rework where that ends as soon."""
    order = tuple(range(len(shop.jobs)))
    rank = _draft(shop, order, patient=False)
    if any(shop.prices):
        calm = _draft(shop, order, patient=True)
        return calm if calm.timetable.makespan <= rank.timetable.makespan + slack else rank
    return rank


def _draft(shop: Shop, order: tuple[int, ...], *, patient: bool) -> _Draft:
    made = list_schedule(shop, order, patient=patient)
    weighted = sum(
        job.weight * end for job, end in zip(shop.jobs, made.ends, strict=True) if job.is_track and end < float("inf")
    )
    return _Draft(made, order, patient, weighted)


def _rules(shop: Shop, order: Sequence[int]) -> Iterator[_Draft]:
    """The timetables of the other orders."""
    behind = tails(shop, order)
    work = [job.seconds for job in shop.jobs]
    load = [work[at] + sum(work[other] for other in shop.apart[at]) for at in range(len(work))]
    chain = [work[at] + behind[at] for at in range(len(work))]
    keys = (
        [0.0] * len(work),
        chain,
        load,
        [max(chain[at], load[at] + behind[at]) for at in range(len(work))],
        [chain[at] + load[at] for at in range(len(work))],
        work,
    )
    patience = (False, True) if any(shop.prices) else (False,)
    for key in keys:
        listed = tuple(sorted(range(len(work)), key=lambda at, key=key: (-key[at], at)))
        for patient in patience:
            yield _draft(shop, listed, patient=patient)


def _justified(shop: Shop, best: _Draft, bound: Bound) -> _Draft:
    """Schedule from the end backwards, what ended last first, and again forwards, while that helps (Valls 2005)."""
    mirror = replace(shop, before=shop.after, after=shop.before, prices=tuple({} for _ in shop.jobs))
    size = range(len(shop.jobs))
    while best.timetable.makespan > bound.seconds + EPSILON:
        ends = best.timetable.ends
        back = list_schedule(mirror, sorted(size, key=lambda at: (-ends[at], at)))
        order = tuple(sorted(size, key=lambda at: (-back.ends[at], at)))
        again = _draft(shop, order, patient=best.patient)
        if again.worth >= best.worth:
            break
        best = again
    return best


def _improved(shop: Shop, best: _Draft, bound: Bound, count: int) -> _Draft:
    """Move jobs that hold up the end to earlier places of the order, as long as that does no harm."""
    tries = min(MOST_TRIES, WORK // max(1, count))
    for number in range(tries):
        if best.timetable.makespan <= bound.seconds + EPSILON:
            break
        chain = _last_chain(shop, best.timetable)
        at = chain[number % len(chain)]
        place = best.order.index(at)
        # The places before it are visited by strides that share no factor with the number of tries.
        target = (number * 7919) % place if place else 0
        rest = [other for other in best.order if other != at]
        moved = _draft(shop, (*rest[:target], at, *rest[target:]), patient=best.patient)
        if moved.worth <= best.worth:
            best = moved
    return best


def _last_chain(shop: Shop, made: Timetable) -> list[int]:
    """The jobs that hold up the end: the last to end, one that ended as that began, and so on back to the start."""
    by_end: dict[float, list[int]] = {}
    for at, job in enumerate(shop.jobs):
        if job.is_track and made.ends[at] < float("inf"):
            by_end.setdefault(made.ends[at], []).append(at)
    chain = [min(by_end[made.makespan])]
    while made.starts[chain[-1]] > 0:
        at = chain[-1]
        held = by_end.get(made.starts[at], [])
        closest = [other for other in held if other in shop.before[at] or other in shop.apart[at]]
        if not held:
            break
        chain.append(min(closest or held))
    return chain
