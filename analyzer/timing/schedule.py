"""Tracks + slots -> waves, and jobs + an order -> a timetable.

A *wave* is what may run side by side: at most as many tracks as there are slots, none of which waits for another and
no two of which conflict. Everything a track waits for is in an earlier wave. The order in which the tracks are given
decides who goes first; one that conflicts with a track already chosen is passed over, not waited for. Waves are for
people: a timetable has no barrier between them.

A *timetable* comes from list scheduling: whenever a slot falls free, the first job in order that may begin begins.
Under precedence alone that is at most twice the optimum (Graham 1966). `timetable` tries several orders and keeps
the best.

Two jobs that are `apart` never run side by side. Two that have a price may: then the one that begins later (the later
in the order, when both begin at once) takes that many seconds longer, for what it has to do again. `patient` lists
wait where others pay.

A milestone is a job that needs no slot; most need no time. One that does is work that others are at already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

Name = Any
"""What a job is called: anything that can be a key."""
Apart = Mapping[Name, frozenset[Name]]
"""Job -> the jobs that must not run at the same time."""
Prices = Mapping[tuple[Name, Name], float]
"""Two jobs (either order) -> the seconds of rework to expect when they run side by side."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work, or a milestone (`is_track` false); `after` are the jobs that must have ended before it begins.

    `weight` says how much it matters that the job ends early.
    """

    name: Name
    after: frozenset[Name] = frozenset()
    seconds: float = 0.0
    is_track: bool = True
    weight: float = 1.0


@dataclass(frozen=True)
class Shop:
    """Jobs as numbers, in the order of their rank: what the arithmetic works on. Jobs in a circle are never begun."""

    jobs: tuple[Job, ...]
    slots: int
    before: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]
    apart: tuple[frozenset[int], ...]
    prices: tuple[Mapping[int, float], ...]

    @classmethod
    def of(cls, jobs: Sequence[Job], apart: Apart, slots: int, prices: Prices | None = None) -> Shop:
        """The jobs with the better ranked first; `slots` is 1 or more."""
        number = {job.name: at for at, job in enumerate(jobs)}
        before = tuple(tuple(sorted(number[name] for name in job.after if name in number)) for job in jobs)
        after: list[list[int]] = [[] for _ in jobs]
        for at, earlier in enumerate(before):
            for other in earlier:
                after[other].append(at)
        none: frozenset[int] = frozenset()
        rivals = tuple(
            frozenset([number[name] for name in apart[job.name] if name in number]) if job.name in apart else none
            for job in jobs
        )
        costs: list[dict[int, float]] = [{} for _ in jobs]
        for (a, b), price in (prices or {}).items():
            if a in number and b in number:
                costs[number[a]][number[b]] = costs[number[b]][number[a]] = price
        return cls(tuple(jobs), slots, before, tuple(map(tuple, after)), rivals, tuple(costs))

    def order(self) -> list[int]:
        """Every job after what it waits for; those in a circle are left out."""
        left = [len(earlier) for earlier in self.before]
        found = [at for at, count in enumerate(left) if not count]
        for at in found:
            for other in self.after[at]:
                left[other] -= 1
                if not left[other]:
                    found.append(other)
        return found


@dataclass(frozen=True)
class Timetable:
    """When each job begins and ends, by its number in the shop (inf: never), and when the last in a slot has ended."""

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    makespan: float


@dataclass
class _Run:
    """One list scheduling at work. `free` are places in the order, `patient` waits where it could pay."""

    shop: Shop
    order: Sequence[int]
    patient: bool
    place: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    free: list[int] = field(default_factory=list)
    parked: dict[int, list[int]] = field(default_factory=dict)
    running: list[tuple[float, int]] = field(default_factory=list)
    at_work: set[int] = field(default_factory=set)
    elsewhere: int = 0
    """How many of those running need no slot."""
    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = len(self.shop.jobs)
        self.place = [0] * size
        for place, at in enumerate(self.order):
            self.place[at] = place
        self.left = [len(earlier) for earlier in self.shop.before]
        self.starts, self.ends = [float("inf")] * size, [float("inf")] * size

    def timetable(self) -> Timetable:
        now = 0.0
        self._open([at for at, count in enumerate(self.left) if not count], now)
        while self.free or self.running:
            while self.free and len(self.running) - self.elsewhere < self.shop.slots:
                self._begin(self.order[heappop(self.free)], now)
            now, at = heappop(self.running)
            self._end(at, now)
            while self.running and self.running[0][0] == now:
                self._end(heappop(self.running)[1], now)
        last = max((self.ends[at] for at, job in enumerate(self.shop.jobs) if job.is_track), key=_finite, default=0.0)
        return Timetable(tuple(self.starts), tuple(self.ends), _finite(last))

    def _begin(self, at: int, now: float) -> None:
        rivals = self.shop.apart[at] & self.at_work if self.shop.apart[at] else ()
        paid = [other for other in self.at_work if other in self.shop.prices[at]] if self.shop.prices[at] else []
        if rivals or (paid and self.patient):
            self.parked.setdefault(min(rivals or paid), []).append(self.place[at])
            return
        self.at_work.add(at)
        self.starts[at] = now
        self.ends[at] = now + self.shop.jobs[at].seconds + sum(self.shop.prices[at][other] for other in paid)
        heappush(self.running, (self.ends[at], at))

    def _end(self, at: int, now: float) -> None:
        self.at_work.discard(at)
        self.elsewhere -= not self.shop.jobs[at].is_track
        for place in self.parked.pop(at, ()):
            heappush(self.free, place)
        self._freed(at, now)

    def _freed(self, at: int, now: float) -> None:
        opened = []
        for other in self.shop.after[at]:
            self.left[other] -= 1
            if not self.left[other]:
                opened.append(other)
        if opened:
            self._open(opened, now)

    def _open(self, ready: list[int], now: float) -> None:
        """These may begin; milestones pass at once."""
        while ready:
            at = ready.pop()
            if self.shop.jobs[at].is_track:
                heappush(self.free, self.place[at])
                continue
            self.starts[at], self.ends[at] = now, now + self.shop.jobs[at].seconds
            if self.ends[at] > now:
                self.elsewhere += 1
                heappush(self.running, (self.ends[at], at))
                continue
            for other in self.shop.after[at]:
                self.left[other] -= 1
                if not self.left[other]:
                    ready.append(other)


def _finite(end: float) -> float:
    """The end, 0 for what never ends."""
    return end if end < float("inf") else 0.0


def list_schedule(shop: Shop, order: Sequence[int] | None = None, *, patient: bool = False) -> Timetable:
    """The timetable of the jobs when each begins as soon as a slot and its conflicts let it, first in order first."""
    return _Run(shop, order if order is not None else range(len(shop.jobs)), patient).timetable()


def waves(
    jobs: Sequence[Job], apart: Apart, slots: int, later: frozenset[Name] = frozenset()
) -> list[tuple[Name, ...]]:
    """The tracks among `jobs`, wave by wave, `slots` (1 or more) at most in each.

    `later` are those that must not be in the first wave; it is empty when they are all there is.
    """
    shop = Shop.of(jobs, apart, slots)
    left = [len(earlier) for earlier in shop.before]
    free = sorted(_passed(shop, left, [at for at, count in enumerate(left) if not count]))
    shut = {at for at, job in enumerate(jobs) if job.name in later} if later else set()
    found: list[tuple[Name, ...]] = []
    while free:
        wave, passed = _wave(shop, free, shut)
        for at in (*passed, *_passed(shop, left, _released(shop, left, wave))):
            heappush(free, at)
        if wave or not found:
            found.append(tuple(jobs[at].name for at in wave))
        shut = set()
    return found


def _wave(shop: Shop, free: list[int], shut: set[int]) -> tuple[list[int], list[int]]:
    """The best of the free jobs that may run side by side, and those that were passed over for them."""
    wave: list[int] = []
    passed: list[int] = []
    while free and len(wave) < shop.slots:
        at = heappop(free)
        if at in shut:
            passed.append(at)
        else:
            wave.append(at)
            shut |= shop.apart[at]
    return wave, passed


def _released(shop: Shop, left: list[int], ended: Iterable[int]) -> list[int]:
    """What may begin now that these have ended."""
    found = []
    for at in ended:
        for other in shop.after[at]:
            left[other] -= 1
            if not left[other]:
                found.append(other)
    return found


def _passed(shop: Shop, left: list[int], ready: list[int]) -> list[int]:
    """The tracks among what may begin, and those behind milestones that pass at once."""
    tracks = []
    while ready:
        at = ready.pop()
        if shop.jobs[at].is_track:
            tracks.append(at)
        else:
            ready += _released(shop, left, [at])
    return tracks
