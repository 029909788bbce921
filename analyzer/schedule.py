"""Tracks + slots -> waves and a finishing time.

A *wave* is what may run side by side: at most as many tracks as there are slots, none of which waits for another and
no two of which conflict. Everything a track waits for is in an earlier wave.

Who goes first is the order in which the jobs are given; `plan` ranks them by
  1. urgency: the priority of the issue, or of the most urgent one that waits for it;
  2. the length of the longest chain of work that hangs on it, longest first;
  3. the issue's id.
A job that conflicts with one already chosen is passed over, not waited for, so the next in order gets the slot.

The finishing time is that of list scheduling: whenever a slot falls free, the first job in order that may begin
begins. Under precedence alone that is at most twice the optimum (Graham 1966). The waves are for people; the
finishing time has no barrier between them.

A milestone is a job that needs no slot and no time.
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


@dataclass(frozen=True)
class Job:
    """A track, or a milestone (`is_track` false); `after` are the jobs that must have ended before it begins."""

    name: Name
    after: frozenset[Name] = frozenset()
    seconds: float = 0.0
    is_track: bool = True


@dataclass
class _Backlog:
    """The jobs that may begin, best first, as positions in the given order."""

    jobs: Sequence[Job]
    left: dict[Name, int] = field(default_factory=dict)
    waiting: dict[Name, list[int]] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        known = {job.name for job in self.jobs}
        for position, job in enumerate(self.jobs):
            before = job.after & known
            self.left[job.name] = len(before)
            for name in before:
                self.waiting.setdefault(name, []).append(position)
        self.end(
            [name for position, job in enumerate(self.jobs) if not self.left[job.name] for name in self._open(position)]
        )

    def end(self, ended: Iterable[Name]) -> None:
        """These jobs have ended: what waited only for them may begin, milestones pass at once."""
        over = list(ended)
        while over:
            for position in self.waiting.get(over.pop(), ()):
                waiter = self.jobs[position].name
                self.left[waiter] -= 1
                if not self.left[waiter]:
                    over += self._open(position)

    def _open(self, position: int) -> list[Name]:
        """The job may begin; a milestone has ended with that and is returned."""
        if self.jobs[position].is_track:
            heappush(self.free, position)
            return []
        return [self.jobs[position].name]


def waves(
    jobs: Sequence[Job], apart: Apart, slots: int, later: frozenset[Name] = frozenset()
) -> list[tuple[Name, ...]]:
    """The tracks among `jobs`, wave by wave, `slots` (1 or more) at most in each.

    `later` are those that must not be in the first wave; it is empty when they are all there is.
    """
    backlog = _Backlog(jobs)
    found: list[tuple[Name, ...]] = []
    shut = set(later)
    while backlog.free:
        wave: list[Name] = []
        passed: list[int] = []
        while backlog.free and len(wave) < slots:
            position = heappop(backlog.free)
            name = jobs[position].name
            if name in shut:
                passed.append(position)
            else:
                wave.append(name)
                shut |= apart.get(name, frozenset())
        for position in passed:
            heappush(backlog.free, position)
        backlog.end(wave)
        if wave or not found:
            found.append(tuple(wave))
        shut = set()
    return found


def finishing_time(jobs: Sequence[Job], apart: Apart, slots: int) -> float:
    """Seconds until the last job has ended when each begins as soon as a slot and its conflicts let it."""
    backlog = _Backlog(jobs)
    running: list[tuple[float, int]] = []
    at_work: set[Name] = set()
    parked: dict[Name, list[int]] = {}
    now = 0.0
    while backlog.free or running:
        while backlog.free and len(running) < slots:
            position = heappop(backlog.free)
            job = jobs[position]
            rival = next(iter(sorted(apart.get(job.name, frozenset()) & at_work, key=str)), None)
            if rival is not None:
                parked.setdefault(rival, []).append(position)
                continue
            at_work.add(job.name)
            heappush(running, (now + job.seconds, position))
        now, position = heappop(running)
        name = jobs[position].name
        at_work.discard(name)
        for waiter in parked.pop(name, ()):
            heappush(backlog.free, waiter)
        backlog.end([name])
    return now
