"""What the queue is compared with: an oracle, and three policies that others use. Each returns turnaround times.

*Oracle*: knows every outcome, runs one gate for each change on k workers in order of arrival; changes whose targets
overlap settle in order. *Sequential*: one gate at a time on the tip. *bors*: batches of at most 8, halved when red.
*Zuul*: trials of prefixes, all behind a red one begin anew; window 20, plus one for each landing, halved at a red.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.queue_world import World, duration


@dataclass
class Outcome:
    """What a policy made of a world: turnaround of each change, what landed, gate runs, time until all was settled."""

    turnaround: dict[int, float]
    landed: set[int]
    runs: int
    broken: int = 0
    wrong: int = 0
    """Sound changes that were given back although nothing that landed conflicts with them."""


def oracle(world: World, workers: int, seed: int) -> Outcome:
    """The yardstick of every ratio."""
    dice, free, settled = random.Random(seed), [0.0] * workers, {}
    landed: set[int] = set()
    runs = 0
    for change in world.changes:
        before = [other for other in range(change.id) if world.changes[other].targets & change.targets]
        rival = next((one for one in landed if (one, change.id) in world.text), None)
        if rival is not None:
            settled[change.id] = max(change.at, settled[rival])
            continue
        end = max(change.at, heapq.heappop(free)) + duration(dice)
        heapq.heappush(free, end)
        runs += 1
        settled[change.id] = max([end, *(settled[other] for other in before)])
        if not world.breaks([change.id], landed, leaks=False):
            landed.add(change.id)
    return Outcome({one: at - world.changes[one].at for one, at in settled.items()}, landed, runs)


def sequential(world: World, workers: int, seed: int) -> Outcome:
    """One gate at a time, whatever the machine has."""
    return _batches(world, seed, most=1)


def bors(world: World, workers: int, seed: int) -> Outcome:
    """Batches of at most eight, halved when red, the first half first."""
    return _batches(world, seed, most=8)


def _batches(world: World, seed: int, *, most: int) -> Outcome:
    dice, now, runs = random.Random(seed), 0.0, 0
    landed: set[int] = set()
    settled: dict[int, float] = {}
    todo = [one.id for one in world.changes]
    split: list[list[int]] = []
    while todo or split:
        if not split:
            now = max(now, world.changes[todo[0]].at)
            batch = [one for one in todo if world.changes[one].at <= now][:most]
            todo = [one for one in todo if one not in batch]
            split = [batch]
        batch: list[int] = []
        for one in split.pop(0):
            if any((other, one) in world.text for other in (*landed, *batch)):
                settled[one] = now
            else:
                batch.append(one)
        if not batch:
            continue
        now, runs = now + duration(dice), runs + 1
        if not world.breaks(batch, landed, leaks=True):
            landed.update(batch)
        elif len(batch) > 1:
            half = len(batch) // 2
            split = [batch[:half], batch[half:], *split]
            continue
        settled.update(dict.fromkeys(batch, now))
    return Outcome({one: at - world.changes[one].at for one, at in settled.items()}, landed, runs)


def zuul(world: World, workers: int, seed: int) -> Outcome:
    """Speculative prefixes with a window that grows by one and halves."""
    return _Zuul(world, workers, seed).run()


class _Zuul:
    def __init__(self, world: World, workers: int, seed: int) -> None:
        self.world, self.workers, self.dice = world, workers, random.Random(seed)
        self.window, self.runs, self.now = 20, 0, 0.0
        self.line: list[int] = []
        self.landed: set[int] = set()
        self.settled: dict[int, float] = {}
        self.ends: dict[int, float] = {}
        self.verdict: dict[int, bool] = {}

    def run(self) -> Outcome:
        coming = [one.id for one in self.world.changes]
        while coming or self.line:
            ends = [(end, one) for one, end in self.ends.items()]
            arrival = self.world.changes[coming[0]].at if coming else float("inf")
            if ends and min(ends)[0] <= arrival:
                self.now, one = min(ends)
                del self.ends[one]
                ahead = self.line[: self.line.index(one) + 1]
                self.verdict[one] = not self.world.breaks(ahead, self.landed, leaks=True)
            else:
                self.now = arrival
                self.line.append(coming.pop(0))
            self._settle()
            self._begin()
        took = {one: at - self.world.changes[one].at for one, at in self.settled.items()}
        return Outcome(took, self.landed, self.runs)

    def _settle(self) -> None:
        # A red one behind others is dropped from the line it was tried in only when those before it have landed.
        while self.line and self.line[0] in self.verdict:
            one = self.line.pop(0)
            self.settled[one] = self.now
            if self.verdict.pop(one):
                self.landed.add(one)
                self.window += 1
            else:
                self.window = max(3, self.window // 2)
                self.ends, self.verdict = {}, {}
        for one in [one for one in self.line if any((other, one) in self.world.text for other in self.landed)]:
            behind = self.line[self.line.index(one) :]
            self.line.remove(one)
            self.settled[one] = self.now
            for other in behind:
                self.ends.pop(other, None)
                self.verdict.pop(other, None)

    def _begin(self) -> None:
        for place, one in enumerate(self.line[: self.window]):
            if len(self.ends) >= self.workers:
                return
            if any((other, one) in self.world.text for other in self.line[:place]):
                return
            if one not in self.ends and one not in self.verdict:
                self.ends[one], self.runs = self.now + duration(self.dice), self.runs + 1


RIVALS: dict[str, Callable[[World, int, int], Outcome]] = {"sequential": sequential, "bors": bors, "zuul": zuul}
