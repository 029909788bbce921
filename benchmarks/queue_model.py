"""Drives the real queue (ledger, git, planner) by a random schedule, kills it between any two steps, and looks on.

    python benchmarks/queue_model.py [--steps 2000] [--seed 1] [--mode exact]

Only the gate and the authors are played: when a trial ends is the schedule's choice, and its verdict is a rule about
the files of the tree (a file `bad-…` is red, so are `one-N` and `two-N` together). Each step is one of: an author
begins (often on finished, unlanded work), queues what he has done, or hears what became of it and mends, begins anew or
gives up; a trial ends; the lane ticks; the coordinator dies before or after one of its next writes and is replaced;
somebody else commits to main, green or red, or takes commits off it; landing is paused or resumed, a claim ends, an
entry's priority changes, a person approves.

What must hold after each step stands in `queue_promises`. At the end all trials end in peace and everybody is settled.
The world stands on a memory file system where there is one: what is checked is the order of writes, not the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.queue_authors import Authors
from benchmarks.queue_played import Frail, Killed, Played
from benchmarks.queue_promises import Promises
from benchmarks.queue_trees import FILES, FOREIGN, Trees
from coordinator.bootstrap import Project, init_project, open_project
from coordinator.merging import queue
from coordinator.merging.gates import Gates
from coordinator.merging.lane import Lane
from resources.state import leases
from resources.system.git import git, move_ref

MEMORY = "/dev/shm"


class Model:
    """A repository with its queue, and those who work on it."""

    def __init__(self, home: Path, seed: int, mode: str) -> None:
        self.dice = random.Random(seed)
        self.root = home / "repo"
        self.count = self.dice.choice((1, 2, 3) if mode == "exact" else (3, 4))
        self.steps = self.deaths = 0
        git(home, "init", "--quiet", "--initial-branch=main", str(self.root))
        self.trees = Trees(self.root)
        first = self._make(mode)
        self.authors = Authors(self.dice, self.trees, self.dice.choice((4, 8, 12)))
        self.promises = Promises(self.trees, self.authors, first)
        self.project = self._open()
        self._gate = Gates(self.project.config).keys[0]
        self._begin()

    def _make(self, mode: str) -> str:
        for key, value in (("user.name", "model"), ("user.email", "model@example.com")):
            git(self.root, "config", key, value)
        first = self.trees.commit({f"file-{number}": "0" for number in range(FILES)}, [], "first")
        git(self.root, "update-ref", "refs/heads/main", first)
        targets = "".join(f'file-{n} = ["file-{n}", "*-{n}", "*-{n}-*"]\n' for n in range(FILES))
        config = self.root / ".agent-worktrees" / "config.toml"
        config.parent.mkdir()
        merge = f'mode = "{mode}"\nworkers = {self.count}\n[merge.targets]\n{targets}'
        config.write_text(f'[database]\nprovider = "none"\n[merge]\n{merge}')
        init_project(self.root).close()
        # Nowhere checked out, so that landing is a plain compare-and-swap.
        git(self.root, "update-ref", "--no-deref", "HEAD", first)
        return first

    def _open(self) -> Project:
        project = open_project(self.root)
        project.ledger.close()
        project.ledger = Frail(project.repository.state)
        return project

    def _begin(self) -> None:
        self.workers = Played(self.trees, self.verdict)
        self.lane = Lane(self.project, str, self.workers)

    def close(self) -> None:
        """Close what is open."""
        self.project.close()
        self.trees.close()

    # -- the schedule -------------------------------------------------------------------------------------

    def step(self) -> None:
        """One random step, then a look at everything."""
        weights: dict[Callable[[], None], float] = {
            self.begin: 2, self.finish: 4, self.settle: 3, self.end: 8, self.tick: 8, self.die: 4, self.intrude: 0.5,
            self.rewind: 0.15, self.pause: 1, self.unclaim: 0.2, self.reorder: 0.5, self.approve: 1,
        }  # fmt: skip
        (action,) = self.dice.choices(list(weights), list(weights.values()))
        action()
        self.look()

    def begin(self) -> None:
        """Somebody begins to work."""
        self.authors.begin(self.project)

    def finish(self) -> None:
        """Somebody queues what he has done."""
        self.authors.finish(self.project)

    def settle(self) -> None:
        """Somebody hears what became of his work."""
        self.authors.settle(self.project)

    def end(self) -> None:
        """A trial ends."""
        if self.workers.trials:
            self.workers.end(self.dice.choice(sorted(self.workers.trials)))

    def tick(self) -> None:
        """The lane does what it can."""
        self.lane.tick()

    def die(self) -> None:
        """The coordinator dies in the middle of a tick, and another one takes over."""
        self.finish()
        ledger = self.project.ledger
        assert isinstance(ledger, Frail)
        ledger.writes_left, ledger.before = self.dice.randrange(3), self.dice.random() < 0.5
        try:
            for _ in range(4):
                self.end()
                self.lane.tick()
        except Killed:
            self.deaths += 1
        ledger.writes_left = -1
        self.project.ledger.close()
        self.project = self._open()
        self._begin()

    def intrude(self) -> None:
        """Somebody else commits to main, sometimes what is red; then he is likely to mend it."""
        red = not self.trees.is_green(self.trees.tree(self.project.base_tip()))
        self._intrude(red=not red and self.dice.random() < 0.3, mend=red and self.dice.random() < 0.7)

    def _intrude(self, *, red: bool = False, mend: bool = False) -> None:
        old = self.project.base_tip()
        files = self.trees.files(self.trees.tree(old))
        files = {name: text for name, text in files.items() if not mend or name.startswith(("file", "new"))}
        files |= {f"bad-{FOREIGN}": old} if red else {}
        files[f"file-{self.dice.randrange(FILES)}"] = str(self.dice.randrange(3))
        self._put(self.trees.commit(files, [old], "somebody else"), old)

    def rewind(self) -> None:
        """Somebody takes commits off main."""
        line = self.trees.first_parents(self.project.base_tip())
        if len(line) > 4:
            new = line[self.dice.randint(1, 3)]
            self.promises.rewound(self.project, new)
            self._put(new, line[0])

    def _put(self, new: str, old: str) -> None:
        self.promises.by_hand.add(new)
        assert move_ref(self.root, "refs/heads/main", new, old)

    def pause(self) -> None:
        """Landing is paused, hardly ever for long."""
        with self.project.ledger.write() as tx:
            queue.pause(tx, self.dice.random() < 0.2)

    def unclaim(self) -> None:
        """Somebody's claim ends."""
        with self.project.ledger.write() as tx:
            held = leases.live(tx, "issue")
            if held:
                leases.release(tx, self.dice.choice(held))

    def reorder(self) -> None:
        """An entry gets another priority."""
        waiting = self.waiting()
        if waiting:
            with self.project.ledger.write() as tx:
                queue.set_priority(tx, self.dice.choice(waiting), self.dice.randrange(3))

    def approve(self) -> None:
        """A person approves what had to be looked at."""
        with self.project.ledger.write() as tx:
            for entry in queue.waiting(tx):
                if queue.approve(tx, entry):
                    self.promises.wanted(entry)

    def finish_all(self) -> None:
        """Everything ends in peace; everybody must be settled."""
        with self.project.ledger.write() as tx:
            queue.pause(tx, False)
        self.authors.stop(self.project)
        for _ in range(40 * (1 + len(self.waiting()))):
            if not self.trees.is_green(self.trees.tree(self.project.base_tip())):
                self._intrude(mend=True)
            self.approve()
            self.lane.tick()
            self.look()
            if not self.waiting():
                return
            self.end()
            self.authors.settle(self.project, mend=False)
        self.demand(f"still waiting: {self.waiting()}")

    # -- what must hold -----------------------------------------------------------------------------------

    def look(self) -> None:
        """All promises."""
        self.steps += 1
        self.demand("too many trials run" if self.workers.running > self.count else "")
        self.demand(self.promises.look(self.project))

    def verdict(self, tree: str) -> bool | None:
        """What the gate has said about a tree."""
        with self.project.ledger.read() as snapshot:
            row = snapshot.one("verdict", tree=tree, gate=self._gate)
        return bool(row["passed"]) if row else None

    def demand(self, broken: str) -> None:
        """Raise AssertionError when a promise is broken."""
        if broken:
            raise AssertionError(f"after {self.steps} steps and {self.deaths} deaths: {broken}")

    def waiting(self) -> list[Any]:
        """The live entries."""
        with self.project.ledger.read() as snapshot:
            return queue.waiting(snapshot)


def check(steps: int, seed: int, mode: str, say: Callable[[str], None] = lambda line: None) -> Model:
    """Run a random schedule of so many steps; raises AssertionError when a promise is broken."""
    memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="agent-coord-model-", dir=memory) as folder:
        model = Model(Path(folder).resolve(), seed, mode)
        try:
            while model.steps < steps:
                model.step()
            model.finish_all()
        except BaseException:
            say(f"seed {seed}")
            raise
        finally:
            model.close()
        return model


def main(argv: Sequence[str]) -> int:
    """Run schedules and print what was met."""
    parser = argparse.ArgumentParser(description="Check the merge queue against random schedules with crashes.")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--part", type=int, default=500, help="steps in one repository; then a new one is begun")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", default="exact", choices=("exact", "lanes+confirm"))
    options = parser.parse_args(argv)
    began, seed = time.monotonic(), options.seed
    done = {"steps": 0, "deaths": 0, "landed": 0, "stacked": 0}
    while done["steps"] < options.steps:
        part = min(options.part, options.steps - done["steps"])
        model = check(part, seed, options.mode, lambda line: print(line, file=sys.stderr))
        met = {"steps": model.steps, "deaths": model.deaths}
        met |= {"landed": model.promises.landed, "stacked": model.promises.stacked}
        done, seed = {name: done[name] + met[name] for name in done}, seed + 1
        print(done, file=sys.stderr)
    result = {"schema": 1, "mode": options.mode, "seed": options.seed, **done, "violations": 0}
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(one.ru_utime + one.ru_stime for one in spent)
    result |= {"seconds": round(time.monotonic() - began, 1), "processor_seconds": round(processor, 1)}
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
