"""A seeded world of changes for the queue: when they arrive, what they touch, which of them cannot live together.

Unit of time: the mean duration of one gate run (lognormal, coefficient of variation 0.4, drawn anew for each run).
Changes arrive as a Poisson process at 70 % of what the workers can do. A change touches 1 + Exp(3) files, most of
them in a home module out of 20 (Zipf), now and then one of two hot text files; its targets are the modules touched
and those that depend on them. Only *concurrent* pairs (the later one was begun before the earlier one arrived) can
conflict: in text with 0.30 for each shared file, known at once and for free; in meaning with 0.04 when their targets
overlap, found only by a gate. A *leak* is a conflict in meaning between changes whose targets do not overlap.

All relations are drawn once for a world, so that every policy meets the same conflicts.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

MODULES = 20
FILES = 36
"""Files of a module."""
HOME = 0.92
"""The share of a change's files that lie in its home module."""
HOT = 0.05
"""The chance that a change touches a given one of the two hot files."""
BEGUN = 4.5
"""Mean age of a change's base when it arrives, in gate durations."""
SPREAD = math.sqrt(math.log(1 + 0.4**2))


@dataclass(frozen=True)
class Born:
    """A change of the world. `sound`: it passes the gate by itself."""

    id: int
    at: float
    begun: float
    sound: bool
    files: frozenset[str]
    targets: frozenset[str]


@dataclass
class World:
    """The changes in order of arrival and the pairs (earlier, later) that conflict in text, in meaning, by a leak."""

    changes: list[Born]
    text: set[tuple[int, int]] = field(default_factory=set)
    meaning: set[tuple[int, int]] = field(default_factory=set)
    leaks: set[tuple[int, int]] = field(default_factory=set)

    def breaks(self, members: Iterable[int], landed: Iterable[int], *, leaks: bool) -> bool:
        """Whether the gate finds `members` red on top of `landed`."""
        inside, pairs = set(members), self.meaning | self.leaks if leaks else self.meaning
        there = inside | set(landed)
        if not all(self.changes[one].sound for one in inside):
            return True
        return any(a in there and b in there and (a in inside or b in inside) for a, b in pairs)


def duration(dice: random.Random) -> float:
    """How long one gate run takes."""
    return dice.lognormvariate(-SPREAD * SPREAD / 2, SPREAD)


def make_world(seed: int, count: int, rate: float, passes: float, leak: float = 0.0) -> World:
    """A world of `count` changes that arrive at `rate` per gate duration and pass with probability `passes`."""
    dice = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(MODULES)]
    dependents = {module: dice.sample(range(MODULES), dice.choice((0, 0, 0, 1))) for module in range(MODULES)}
    now, changes = 0.0, []
    for number in range(count):
        now += dice.expovariate(rate)
        files = _files(dice, weights)
        modules = {int(name.split("/")[0]) for name in files if not name.startswith("hot")}
        targets = frozenset(str(one) for module in modules for one in (module, *dependents[module]))
        begun = now - dice.expovariate(1 / BEGUN)
        changes.append(Born(number, now, begun, dice.random() < passes, files, targets))
    world = World(changes)
    _relate(world, dice, leak)
    return world


def _files(dice: random.Random, weights: list[float]) -> frozenset[str]:
    home = dice.choices(range(MODULES), weights)[0]
    found = {f"hot{number}" for number in range(2) if dice.random() < HOT}
    for _ in range(1 + round(dice.expovariate(1 / 3))):
        module = home if dice.random() < HOME else dice.randrange(MODULES)
        found.add(f"{module}/{dice.randrange(FILES)}")
    return frozenset(found)


def _relate(world: World, dice: random.Random, leak: float) -> None:
    for later in world.changes:
        for earlier in world.changes[: later.id]:
            pair, shared = (earlier.id, later.id), len(earlier.files & later.files)
            draws = (dice.random(), dice.random())
            if later.begun >= earlier.at:
                continue
            if draws[0] >= 0.7**shared:
                world.text.add(pair)
            elif earlier.targets & later.targets:
                if draws[1] < 0.04:
                    world.meaning.add(pair)
            elif draws[1] < leak:
                world.leaks.add(pair)
