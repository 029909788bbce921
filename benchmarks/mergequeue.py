"""Simulates the merge queue: the product's own `plan` against an oracle, and other policies in the same worlds.

    python benchmarks/mergequeue.py [--worlds 10] [--passes 0.85] [--workers 1,2,4,8] [--table]

Prints one JSON object. For each policy and number of workers: P50 and P95 of the turnaround (from arrival to
verdict, all worlds pooled) divided by the oracle's, gate runs per change, landed changes, changes given back
wrongly, and broken mains: landings after which main holds a pair that conflicts in meaning. The worlds are those of
`queue_world`, without leaks; `leaks` repeats the three modes in worlds where one pair in 500 conflicts although its
targets do not overlap. `plan_ms` is the longest of 30 steps with 1,000 queued changes, in processor time.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.queue_rivals import RIVALS, Outcome, oracle
from benchmarks.queue_world import World, duration, make_world
from coordinator.merging.belief import chance
from coordinator.merging.changes import Change, Landed, Mode, Queue, Start, Trial
from coordinator.merging.plan import SPARE, plan

CHANGES = 200
LOAD = 0.7
LEAK = 0.002


def main(argv: Sequence[str]) -> int:
    """Run the simulation and print what came of it."""
    options = _options(argv)
    workers = [int(word) for word in options.workers.split(",")]
    result = {
        "schema": 1,
        "passes": options.passes,
        "worlds": options.worlds,
        "ratios": ratios(workers, options.passes, options.worlds),
        "leaks": leaking([count for count in workers if count > 1], options.passes, options.worlds),
        "plan_ms": {mode.value: round(max(plan_time(mode), plan_time(mode, 0.97)), 1) for mode in Mode},
    }
    sys.stdout.write((table(result) if options.table else json.dumps(result)) + "\n")
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Simulate the merge queue with the product's own planner.")
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--passes", type=float, default=0.85)
    parser.add_argument("--workers", default="1,2,4,8")
    parser.add_argument("--table", action="store_true")
    return parser.parse_args(argv)


class Simulation:
    """One world, judged by the product's planner."""

    def __init__(self, world: World, workers: int, seed: int, mode: Mode) -> None:
        self._world, self._dice, self._mode, self._workers = world, random.Random(seed), mode, workers
        self._now = 0.0
        self._partners: dict[int, set[int]] = {one.id: set() for one in world.changes}
        for one, other in world.text:
            self._partners[one].add(other)
            self._partners[other].add(one)
        self._coming = list(world.changes)
        self._waiting: list[int] = []
        self._landed: list[Landed] = []
        self._trials: dict[int, Trial] = {}
        self._ends: dict[int, float] = {}
        self._verdicts: list[bool] = []
        self._bounced: list[int] = []
        self._outcome = Outcome({}, set(), 0)

    def run(self) -> Outcome:
        """Let every change arrive and be settled."""
        while self._coming or self._waiting:
            self.advance()
        there = self._outcome.landed
        self._outcome.wrong = sum(not self._world.breaks([one], there, leaks=True) for one in self._bounced)
        return self._outcome

    def arrive(self, count: int) -> None:
        """Let so many changes arrive at once, now."""
        self._waiting += [one.id for one in self._coming[:count]]
        del self._coming[:count]

    def advance(self) -> None:
        """Go on to the next event and do what the planner says."""
        end = min(self._ends.values(), default=float("inf"))
        if self._coming and self._coming[0].at < end:
            self._now = self._coming[0].at
            self.arrive(1)
        else:
            self._now = end
            self._end(min(self._ends, key=self._ends.__getitem__))
        self._settle()

    def _end(self, number: int) -> None:
        trial = self._trials[number]
        there = [one.id for one in self._landed if one.tip <= trial.tip]
        # A trial of the exact tree runs every target; the others only those of the changes that they are about.
        leaks = trial.whole or self._mode is Mode.EXACT or (self._mode is Mode.CONFIRM and self._workers < SPARE)
        red = self._world.breaks(trial.members, there, leaks=leaks)
        self._trials[number] = replace(trial, passed=not red)
        del self._ends[number]

    def _settle(self) -> None:
        while True:
            self._drop_clashing()
            step = plan(self.queue())
            for number in step.stop:
                del self._ends[number], self._trials[number]
            for landing in step.land:
                self._land(landing.members)
            for bounce in step.bounce:
                self._bounce(bounce.change)
            for start in step.start:
                self._start(start)
            if not step.land and not step.bounce:
                return

    def queue(self) -> Queue:
        """What the planner is told."""
        waiting = set(self._waiting)
        self._trials = {
            number: trial
            for number, trial in self._trials.items()
            if number in self._ends or waiting & {*trial.members}
        }
        oldest = min((trial.tip for trial in self._trials.values()), default=len(self._landed))
        changes = self._world.changes
        return Queue(
            waiting=tuple(Change(one, changes[one].targets) for one in self._waiting),
            trials=tuple(self._trials.values()),
            landed=tuple(self._landed[oldest:]),
            tip=len(self._landed),
            clashes=frozenset(
                (one, other) for one in waiting for other in self._partners[one] & waiting if one < other
            ),
            workers=self._workers,
            mode=self._mode,
            chance=chance(self._verdicts),
        )

    def _start(self, start: Start) -> None:
        number = self._outcome.runs = self._outcome.runs + 1
        self._trials[number] = Trial(number, len(self._landed), start.members, None, start.about, start.whole)
        self._ends[number] = self._now + duration(self._dice)

    def _land(self, members: Sequence[int]) -> None:
        before = {one.id for one in self._landed}
        pairs = self._world.meaning | self._world.leaks
        self._outcome.broken += any(
            a in before | {*members} and b in before | {*members} and (a in members or b in members) for a, b in pairs
        )
        for one in members:
            self._landed.append(Landed(one, self._world.changes[one].targets, len(self._landed) + 1))
            self._leave(one)
            self._outcome.landed.add(one)
            self._verdicts.append(True)

    def _bounce(self, change: int) -> None:
        self._leave(change)
        self._verdicts.append(False)
        self._bounced.append(change)

    def _drop_clashing(self) -> None:
        for one in [one for one in self._waiting if self._partners[one] & self._outcome.landed]:
            self._leave(one)

    def _leave(self, change: int) -> None:
        self._waiting.remove(change)
        self._outcome.turnaround[change] = self._now - self._world.changes[change].at


Policy = Callable[[World, int, int], Outcome]


def _ours(mode: Mode) -> Policy:
    return lambda world, workers, seed: Simulation(world, workers, seed, mode).run()


OURS: dict[str, Policy] = {mode.value: _ours(mode) for mode in Mode}


def ratios(workers: Sequence[int], passes: float, worlds: int) -> list[dict[str, Any]]:
    """Every policy in the same worlds."""
    cells = []
    for count in workers:
        made = [make_world(seed, CHANGES, LOAD * count, passes) for seed in range(worlds)]
        ideal = [oracle(world, count, 1000 + seed) for seed, world in enumerate(made)]
        for name, policy in (OURS | RIVALS).items():
            got = [policy(world, count, 2000 + seed) for seed, world in enumerate(made)]
            cells.append({"policy": name, "workers": count} | _measure(got, ideal))
    return cells


def leaking(workers: Sequence[int], passes: float, worlds: int) -> list[dict[str, Any]]:
    """The three modes where the analysis of targets is wrong now and then."""
    cells = []
    for count in workers:
        made = [make_world(seed, CHANGES, LOAD * count, passes, LEAK) for seed in range(worlds)]
        for name, policy in OURS.items():
            got = [policy(world, count, 2000 + seed) for seed, world in enumerate(made)]
            cells.append({"policy": name, "workers": count, "broken_mains": sum(one.broken for one in got)})
    return cells


def _measure(got: Sequence[Outcome], ideal: Sequence[Outcome]) -> dict[str, Any]:
    changes = sum(len(one.turnaround) for one in got)
    return {
        "p50": round(_quantile(got, 0.5) / _quantile(ideal, 0.5), 3),
        "p95": round(_quantile(got, 0.95) / _quantile(ideal, 0.95), 3),
        "runs_per_change": round(sum(one.runs for one in got) / changes, 2),
        "landed": sum(len(one.landed) for one in got),
        "oracle_landed": sum(len(one.landed) for one in ideal),
        "wrongly_bounced": sum(one.wrong for one in got),
        "broken_mains": sum(one.broken for one in got),
    }


def _quantile(outcomes: Sequence[Outcome], share: float) -> float:
    times = sorted(took for one in outcomes for took in one.turnaround.values())
    return times[min(len(times) - 1, int(share * len(times)))]


def plan_time(mode: Mode, passes: float = 0.85, waiting: int = 1000, steps: int = 30) -> float:
    """The longest of some steps with so many queued changes, in milliseconds of processor time.

    Every third change is built on the one before it; what lands is followed by new ones.
    """
    world = make_world(7, waiting + steps * 8, 8.0, passes)
    crowd = Simulation(world, 8, 7, mode)
    crowd.arrive(waiting)
    longest = 0.0
    for _ in range(steps):
        found = crowd.queue()
        pairs = zip(found.waiting, found.waiting[1:], strict=False)
        stacked = (replace(one, on=(before.id,)) if one.id % 3 == 0 else one for before, one in pairs)
        queue = replace(found, waiting=(*found.waiting[:1], *stacked), chance=passes)
        began = time.process_time()
        plan(queue)
        longest = max(longest, time.process_time() - began)
        crowd.advance()
    return longest * 1000


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    lines = [f"pass rate {result['passes']}, {result['worlds']} worlds: P50/P95 over the oracle's, runs per change"]
    for cell in result["ratios"]:
        lines.append(
            f"  k={cell['workers']:<2} {cell['policy']:14} {cell['p50']:6.2f} {cell['p95']:6.2f}"
            f"   {cell['runs_per_change']:.2f}   landed {cell['landed']} ({cell['oracle_landed']}),"
            f" wrong {cell['wrongly_bounced']},"
            f" broken {cell['broken_mains']}"
        )
    lines += [
        f"  leaks, k={one['workers']:<2} {one['policy']:14} broken {one['broken_mains']}" for one in result["leaks"]
    ]
    return "\n".join([*lines, f"  plan, 1,000 queued: {result['plan_ms']} ms"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
