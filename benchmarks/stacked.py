"""What it saves to begin on finished work instead of waiting until it has landed, in a seeded simulation.

    python benchmarks/stacked.py [--worlds 40] [--passes 0.85] [--work 4] [--agents 4] [--workers 2] [--stack 0,1,2]

The product's own `footing` says who begins on what, its own `plan` drives the queue. Unit of time: one mean gate run.
A world is 48 tasks; each needs one or two of the `reach` tasks before it, the first four need none. Work takes `work`
units, a gate run one (both lognormal, coefficient of variation 0.4). An attempt passes with probability `passes`; red
work is mended by its author in one unit and goes back into the queue. When a dependency is bounced, each piece of work
that stands on it must be mended as well with probability 0.35, for one unit. The product's own `free` says who has a
seat: agents that work, and what was bounced takes the next one; `seats: kept` is the same where work keeps its seat
until it has landed.

Prints one JSON object: for each reach, kind of seat and depth of stacking the median makespan, its ratio to
that of waiting for landing (the same worlds), and the gate runs for each landed task.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.queue_world import duration
from coordinator.crowd import Crowd, free
from coordinator.merging.belief import chance
from coordinator.merging.changes import EVERYTHING, Change, Landed, Queue, Start, Trial
from coordinator.merging.plan import plan
from coordinator.merging.stack import NOBODY, Finished, below, depth, footing

TASKS, ROOTS = 48, 4
MEND, SPOILT = 1.0, 0.35


@dataclass(frozen=True)
class Terms:
    """Under which terms a backlog is worked off."""

    agents: int = 4
    workers: int = 2
    passes: float = 0.85
    work: float = 4.0
    stack: int = 1
    ahead: bool = True
    """Whether finished work frees its seat."""


def backlog(seed: int, reach: int) -> list[tuple[int, ...]]:
    """What each task needs."""
    dice = random.Random(seed)
    return [
        tuple(sorted(dice.sample(range(max(0, one - reach), one), dice.choice((1, 2))))) if one >= ROOTS else ()
        for one in range(TASKS)
    ]


@dataclass
class House:
    """Agents, queue and gate, from event to event."""

    needs: Sequence[tuple[int, ...]]
    terms: Terms
    dice: random.Random
    now: float = 0.0
    runs: int = 0
    ends: dict[int, float] = field(default_factory=dict)
    """Task at work -> when it is finished."""
    bounced: list[int] = field(default_factory=list)
    """Tasks whose work came back and waits for a seat."""
    stands: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Task that was begun -> the unlanded ones that it was begun on."""
    sound: dict[int, bool] = field(default_factory=dict)
    entries: dict[int, int] = field(default_factory=dict)
    """Entry -> task, for the entries that wait."""
    queued: int = 0
    landed: list[Landed] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    trials: dict[int, Trial] = field(default_factory=dict)
    judged: dict[int, float] = field(default_factory=dict)
    """Trial -> when its gate ends."""
    verdicts: list[bool] = field(default_factory=list)

    def run(self) -> float:
        """Work everything off; the makespan."""
        self.begin()
        while len(self.done) < len(self.needs):
            self.advance()
            self.settle()
            self.begin()
        return self.now

    def begin(self) -> None:
        """Give work to whoever is free: what is ready first, then what can be stacked."""
        on = self.on()
        while self.bounced and len(self.ends) < self.terms.agents:
            self.work(self.bounced.pop(0), MEND * duration(self.dice))
        for stacked in (False, True):
            for task, needs in enumerate(self.needs):
                if task in self.stands or not self.room():
                    continue
                waits = [str(one) for one in needs if one not in self.done]
                parents = footing(waits, self.finished(on), self.terms.stack).parents if waits and stacked else ()
                if not waits or parents:
                    self.stands[task] = tuple(int(one.issue) for one in parents)
                    self.work(task, self.terms.work * duration(self.dice))

    def room(self) -> int:
        crowd = Crowd(len(self.ends), len(self.bounced), len(self.entries))
        return free(self.terms.agents, crowd, ahead=self.terms.ahead).agents

    def finished(self, on: dict[int, tuple[int, ...]]) -> list[Finished]:
        return [Finished(str(task), str(entry), depth(entry, on)) for entry, task in self.entries.items()]

    def work(self, task: int, takes: float) -> None:
        self.sound[task] = self.dice.random() < self.terms.passes
        self.ends[task] = self.now + takes

    def on(self) -> dict[int, tuple[int, ...]]:
        """Entry -> the entries that it stands on."""
        entry_of = {task: entry for entry, task in self.entries.items()}
        return {
            entry: tuple(entry_of.get(one, NOBODY) for one in self.stands[task] if one not in self.done)
            for entry, task in self.entries.items()
        }

    def advance(self) -> None:
        """Go on to the next event."""
        task = min(self.ends, key=self.ends.__getitem__, default=None)
        trial = min(self.judged, key=self.judged.__getitem__, default=None)
        if trial is None or (task is not None and self.ends[task] <= self.judged[trial]):
            assert task is not None, "somebody works, or is judged"
            self.now = self.ends.pop(task)
            self.queued += 1
            self.entries[self.queued] = task
            return
        self.now = self.judged.pop(trial)
        found = self.trials[trial]
        red = any(not self.sound[self.entries[one]] for one in found.members if one in self.entries)
        self.trials[trial] = Trial(found.id, found.tip, found.members, not red, found.about)

    def settle(self) -> None:
        """Do what the planner says until it says nothing more."""
        while True:
            step = plan(self.queue())
            for number in step.stop:
                del self.judged[number], self.trials[number]
            for landing in step.land:
                for member in landing.members:
                    self.land(member)
            for bounce in step.bounce:
                self.bounce(bounce.change)
            for start in step.start:
                self.start(start)
            if not step.land and not step.bounce:
                return

    def queue(self) -> Queue:
        on = self.on()
        order = dict.fromkeys(number for entry in self.entries for number in (*below(entry, on), entry))
        waiting = dict.fromkeys(number for number in order if number != NOBODY)
        keep = {
            number for number, one in self.trials.items() if number in self.judged or waiting.keys() & {*one.members}
        }
        self.trials = {number: one for number, one in self.trials.items() if number in keep}
        return Queue(
            tuple(Change(one, on=on[one]) for one in waiting), tuple(self.trials.values()), tuple(self.landed),
            len(self.landed), workers=self.terms.workers, chance=chance(self.verdicts),
        )  # fmt: skip

    def start(self, start: Start) -> None:
        self.runs += 1
        self.trials[self.runs] = Trial(self.runs, len(self.landed), start.members, None, start.about)
        self.judged[self.runs] = self.now + duration(self.dice)

    def land(self, entry: int) -> None:
        self.done.add(self.entries.pop(entry))
        self.landed.append(Landed(entry, EVERYTHING, len(self.landed) + 1))
        self.verdicts.append(True)

    def bounce(self, entry: int) -> None:
        task = self.entries.pop(entry)
        self.verdicts.append(False)
        self.bounced.append(task)
        for child, parents in self.stands.items():
            if task in parents and child not in self.done and self.dice.random() < SPOILT:
                if child in self.ends:
                    self.ends[child] += MEND
                else:
                    self.sound[child] = False


def measure(terms: Terms, reach: int, worlds: int) -> dict[str, float]:
    """The median makespan, and the gate runs for each task."""
    houses = [House(backlog(seed, reach), terms, random.Random(1000 + seed)) for seed in range(worlds)]
    spans = [house.run() for house in houses]
    return {
        "makespan": round(statistics.median(spans), 1),
        "gate_runs": round(sum(house.runs for house in houses) / (worlds * TASKS), 2),
    }


def main(argv: Sequence[str]) -> int:
    """Run the worlds under all terms and print what came of it."""
    parser = argparse.ArgumentParser(description="Simulate stacked work with the product's own decisions.")
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--passes", type=float, default=0.85)
    parser.add_argument("--work", type=float, default=4.0)
    parser.add_argument("--agents", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stack", default="0,1,2")
    parser.add_argument("--reach", default="4,8,16")
    options = parser.parse_args(argv)
    cells: list[dict[str, Any]] = []
    for reach in map(int, options.reach.split(",")):
        for ahead in (True, False):
            waited = 0.0
            for most in sorted({0, *map(int, options.stack.split(","))}):
                terms = Terms(options.agents, options.workers, options.passes, options.work, most, ahead)
                found = measure(terms, reach, options.worlds)
                waited = waited or found["makespan"]
                cells.append(
                    {"reach": reach, "seats": "free" if ahead else "kept", "stack": most}
                    | found | {"ratio": round(found["makespan"] / waited, 3)}
                )  # fmt: skip
    asked = {name: getattr(options, name) for name in ("agents", "workers", "passes", "work", "worlds")}
    sys.stdout.write(json.dumps({"schema": 1} | asked | {"cells": cells}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
