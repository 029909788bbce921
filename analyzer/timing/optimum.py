"""The least makespan, proven: branch and bound for few jobs.

Every start in some best schedule is at 0 or at the end of another job. So time goes from end to end, and at each of
them the choice is which of the jobs that may begin do begin (in the order of their numbers, so that no set is tried
twice; those with a price in any order, for it decides who pays) and when to let time pass. Cut off is what cannot beat
the best so far (by the chain behind a job, the work left over the slots, a clique of conflicts), what was reached
before no later with the same work running, and a slot left idle for so long that a job which asks for nothing else
would have fitted in. Of jobs that differ in nothing the first goes first.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.timing.bounds import grain, tails
from analyzer.timing.schedule import Shop, Timetable

MOST_JOBS = 14
"""So many jobs are searched to the end, but for oddities."""
MOST_STEPS, FEWER_STEPS = 100_000, 15_000
"""Steps of a search, for up to MOST_JOBS and for more, after which it gives up the proof."""
EPSILON = 1e-6


@dataclass
class _Search:
    shop: Shop
    real: Sequence[int]
    needs: Sequence[int]
    """Job -> the jobs that must have ended, as bits."""
    last: Sequence[float]
    clique: int
    best: float
    goal: float
    steps: int
    priced: bool
    grain: float
    """What ends earlier than the best so far ends at least this much earlier."""
    twins: Mapping[int, int]
    """Job -> the one before it that differs in nothing: there is no need to try both first."""
    starts: dict[int, tuple[float, float]] = field(default_factory=dict)
    found: dict[int, tuple[float, float]] | None = None
    seen: dict[tuple[int, tuple[tuple[float, int], ...]], float] = field(default_factory=dict)

    def go(self, now: float, begun: int, ended: int, running: tuple[tuple[float, int], ...], floor: int) -> None:
        """From one state on. `running` are (end, job) in the order of their ends, `floor` the last that began now."""
        self.steps -= 1
        if self.steps < 0 or self.best <= self.goal + EPSILON:
            return
        idle = [at for at in self.real if not begun >> at & 1]
        if not idle:
            self._note(running[-1][0] if running else now)
            return
        hopeless = self._least(now, idle, running) > self.best - self.grain + EPSILON
        if hopeless or (self.priced and self._is_known(now, begun, running)):
            return
        able = self._able(idle, ended, running)
        for at, paid in able:
            twin_first = self.twins.get(at, at) == at or begun >> self.twins[at] & 1
            if twin_first and (at > floor or self.shop.prices[at]):
                end = now + self.shop.jobs[at].seconds + paid
                self.starts[at] = (now, end)
                self.go(now, begun | 1 << at, ended, tuple(sorted((*running, (end, at)))), max(at, floor))
                del self.starts[at]
        if running and not self._wasted(now, able, running):
            self._pass(begun, ended, running)

    def _note(self, end: float) -> None:
        if end < self.best - EPSILON:
            self.best, self.found = end, dict(self.starts)

    def _pass(self, begun: int, ended: int, running: tuple[tuple[float, int], ...]) -> None:
        now = running[0][0]
        left = tuple(pair for pair in running if pair[0] > now)
        if not self.priced and self._is_known(now, begun, left):
            return
        for end, at in running:
            ended |= (1 << at) if end <= now else 0
        self.go(now, begun, ended, left, -1)

    def _is_known(self, now: float, begun: int, running: tuple[tuple[float, int], ...]) -> bool:
        """Whether the same work was running, with the same begun, no later than now."""
        state = (begun, tuple((end - now, at) for end, at in running))
        if self.seen.get(state, float("inf")) <= now + EPSILON:
            return True
        self.seen[state] = now
        return False

    def _able(self, idle: list[int], ended: int, running: tuple[tuple[float, int], ...]) -> list[tuple[int, float]]:
        """The jobs that may begin now, with the rework that each would pay for."""
        if len(running) >= self.shop.slots:
            return []
        at_work = [at for _, at in running]
        free = [at for at in idle if not self.needs[at] & ~ended and self.shop.apart[at].isdisjoint(at_work)]
        return [(at, sum(self.shop.prices[at].get(other, 0.0) for other in at_work)) for at in free]

    def _wasted(self, now: float, able: list[tuple[int, float]], running: tuple[tuple[float, int], ...]) -> bool:
        """Whether a job would fit into the time for which a slot is now to be left idle."""
        gap = running[0][0] - now
        return any(not paid and not self.shop.prices[at] and self.shop.jobs[at].seconds <= gap for at, paid in able)

    def _least(self, now: float, idle: list[int], running: tuple[tuple[float, int], ...]) -> float:
        jobs, last = self.shop.jobs, self.last
        chain = max(jobs[at].seconds + last[at] for at in idle) + (
            now if len(running) < self.shop.slots else running[0][0]
        )
        tail = max((end + last[at] for end, at in running), default=0.0)
        left = sum(jobs[at].seconds for at in idle) + sum(end - now for end, _ in running)
        alone = sum(jobs[at].seconds for at in idle if self.clique >> at & 1)
        alone += max((end - now for end, at in running if self.clique >> at & 1), default=0.0)
        return max(chain, tail, now + left / self.shop.slots, now + alone)


def _twins(shop: Shop, real: Sequence[int]) -> dict[int, int]:
    last: dict[Hashable, int] = {}
    found: dict[int, int] = {}
    for at in sorted(real):
        if not shop.prices[at]:
            nature = shop.jobs[at].seconds, shop.before[at], shop.after[at], shop.apart[at]
            if nature in last:
                found[at] = last[nature]
            last[nature] = at
    return found


def optimum(
    shop: Shop, order: Sequence[int], known: float, goal: float, clique: Sequence[int] = ()
) -> tuple[Timetable | None, bool]:
    """A timetable that ends before `known`, None when there is none, and whether that is proven.

    `goal` is a proven lower bound: what reaches it is taken at once.
    """
    real = [at for at in order if shop.jobs[at].is_track]
    needs = [0] * len(shop.jobs)
    for at in order:
        for other in shop.before[at]:
            needs[at] |= needs[other] | (1 << other if shop.jobs[other].is_track else 0)
    bits = sum(1 << at for at in clique)
    priced = any(shop.prices)
    step = 2 * EPSILON if priced else max(grain(shop, real), 2 * EPSILON)
    steps = MOST_STEPS if len(real) <= MOST_JOBS else FEWER_STEPS
    search = _Search(
        shop, sorted(real), needs, tails(shop, order), bits, known, goal, steps, priced, step, _twins(shop, real)
    )
    search.go(0.0, 0, 0, (), -1)
    proven = search.steps >= 0
    if search.found is None:
        return None, proven
    starts, ends = ([search.found.get(at, (0.0, 0.0))[side] for at in range(len(shop.jobs))] for side in (0, 1))
    for at in order:
        if not shop.jobs[at].is_track:
            starts[at] = ends[at] = max((ends[other] for other in shop.before[at]), default=0.0)
    return Timetable(tuple(starts), tuple(ends), search.best), proven
