"""Drives the real queue (ledger, git, planner) by a random schedule, kills it between any two steps, and looks on.

    python benchmarks/queue_model.py [--steps 2000] [--seed 1] [--mode exact]

Only the gate is played: when a trial ends is the schedule's choice, and its verdict is a rule about the files of the
tree (a file `bad-…` is red, so are `one-N` and `two-N` together). Each step is one of: a branch is queued, a
trial ends, the lane ticks, the coordinator dies before or after one of its next writes and is replaced, somebody else
commits to main, landing is paused or resumed, a claim ends, an entry's priority changes, a person approves.

After each step, whatever was killed:
  1. the tree that main stands on is green by the rule, and the gate has said so (or somebody else committed it);
  2. no entry has landed twice, and what the ledger calls landed is on main;
  3. who was bounced by the gate is red on top of others that are green without it;
  4. no tree is judged again once the gate has spoken about it, and no more trials run than there are workers.
At the end all trials end in peace: then everybody is settled.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.queue_played import Frail, Killed, Played
from benchmarks.queue_trees import FILES, Trees
from coordinator.bootstrap import Project, init_project, open_project
from coordinator.merging import queue
from coordinator.merging.gates import Gates
from coordinator.merging.land import build
from coordinator.merging.lane import Lane
from resources.state import leases
from resources.system.git import git, move_ref

WORKERS = 3


class Model:
    """A repository with its queue, and what has been seen of it."""

    def __init__(self, home: Path, seed: int, mode: str) -> None:
        self.dice = random.Random(seed)
        self.root = home / "repo"
        self.steps = self.deaths = 0
        self._line: tuple[str, list[str]] = ("", [])
        self._foreign: set[str] = set()
        self._checked: set[int] = set()
        self._number = 0
        self.trees = Trees(self.root)
        self._make(home, mode)
        self.project = self._open()
        self._gate = Gates(self.project.config).keys[0]
        self.workers = Played(self.trees, self.verdict)
        self.lane = Lane(self.project, str, self.workers)

    def _make(self, home: Path, mode: str) -> None:
        git(home, "init", "--quiet", "--initial-branch=main", str(self.root))
        for key, value in (("user.name", "model"), ("user.email", "model@example.com")):
            git(self.root, "config", key, value)
        first = self.trees.commit({f"file-{number}": "0" for number in range(FILES)}, [], "first")
        git(self.root, "update-ref", "refs/heads/main", first)
        targets = "".join(f'file-{n} = ["file-{n}", "*-{n}", "*-{n}-*"]\n' for n in range(FILES))
        config = self.root / ".agent-worktrees" / "config.toml"
        config.parent.mkdir()
        config.write_text(
            f'[database]\nprovider = "none"\n[merge]\nmode = "{mode}"\nworkers = {WORKERS}\n[merge.targets]\n{targets}'
        )
        init_project(self.root).close()
        # Nowhere checked out, so that landing is a plain compare-and-swap.
        git(self.root, "update-ref", "--no-deref", "HEAD", first)

    def _open(self) -> Project:
        project = open_project(self.root)
        project.ledger.close()
        project.ledger = Frail(project.repository.state)
        return project

    # -- the schedule -------------------------------------------------------------------------------------

    def step(self) -> None:
        """One random step, then a look at everything."""
        weights = {self.enqueue: 4, self.end: 8, self.tick: 8, self.die: 4, self.intrude: 0.5}
        weights |= {self.pause: 0.2, self.unclaim: 0.3, self.reorder: 0.5, self.approve: 1}
        (action,) = self.dice.choices(list(weights), list(weights.values()))
        action()
        self.look()

    def enqueue(self) -> None:
        """A branch made on some newer commit of main is queued; never more than a dozen wait."""
        if len(self.waiting()) > 12:
            return
        self._number += 1
        line = git(self.root, "rev-list", "--first-parent", "--max-count=4", "main", read=True).lines
        base = self.dice.choice(line)
        tip = self.trees.commit(
            self._changed(dict(self.trees.files(self.trees.tree(base)))), [base], f"work {self._number}"
        )
        issue = f"i{self._number}"
        git(self.root, "update-ref", f"refs/heads/{issue}", tip)
        with self.project.ledger.write() as tx:
            fence = leases.take(tx, "issue", issue, agent="a", issue=issue).fence if self.dice.random() < 0.5 else 0
            queue.enqueue(tx, queue.Finished(issue, issue, tip, fence, self.dice.randrange(3)))

    def _changed(self, files: dict[str, str]) -> dict[str, str]:
        kind, place = self.dice.random(), self.dice.randrange(FILES)
        if kind < 0.15:
            files[f"bad-{place}-{self._number}"] = "x"
        elif kind < 0.35:
            files[f"{self.dice.choice(('one', 'two'))}-{place}"] = "x"
        elif kind < 0.4:
            files["Makefile"] = str(self._number)
        else:
            files[f"file-{place}"] = str(self.dice.randrange(3))
        files[f"new-{place}-{self._number}"] = "x"
        return files

    def end(self) -> None:
        """A trial ends."""
        if self.workers.trials:
            self.workers.end(self.dice.choice(sorted(self.workers.trials)))

    def tick(self) -> None:
        """The lane does what it can."""
        self.lane.tick()

    def die(self) -> None:
        """The coordinator dies in the middle of a tick, and another one takes over."""
        self.enqueue()
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
        self.workers = Played(self.trees, self.verdict)
        self.lane = Lane(self.project, str, self.workers)

    def intrude(self) -> None:
        """Somebody else commits to main; his commit is green, or he would hear of it."""
        old = git(self.root, "rev-parse", "main", read=True).text
        files = dict(self.trees.files(self.trees.tree(old)))
        files[f"file-{self.dice.randrange(FILES)}"] = str(self.dice.randrange(3))
        new = self.trees.commit(files, [old], "somebody else")
        self._foreign.add(new)
        assert move_ref(self.root, "refs/heads/main", new, old)

    def pause(self) -> None:
        """Landing is paused or resumed."""
        with self.project.ledger.write() as tx:
            queue.pause(tx, not queue.is_paused(tx))

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
                queue.approve(tx, entry)

    def finish(self) -> None:
        """Everything ends in peace; everybody must be settled."""
        with self.project.ledger.write() as tx:
            queue.pause(tx, False)
        for _ in range(40 * (1 + len(self.waiting()))):
            self.approve()
            self.lane.tick()
            self.look()
            if not self.waiting():
                return
            self.end()
        self.demand(False, f"still waiting: {self.waiting()}")

    # -- what must hold -----------------------------------------------------------------------------------

    def look(self) -> None:
        """All invariants."""
        self.steps += 1
        with self.project.ledger.read() as snapshot:
            entries = queue.history(snapshot)
        self.demand(self.workers.running <= WORKERS, "too many trials run")
        tip = self.project.base_tip()
        tree = self.trees.tree(tip)
        self.demand(self.trees.is_green(tree), f"main is red at {tip}")
        if tip not in self._foreign and len(self.line()) > 1:
            self.demand(self.verdict(tree) is True, f"main stands on {tip}, which nobody has judged")
        landed = [subject for subject in self.line() if subject.startswith("Land ")]
        self.demand(len(landed) == len(set(landed)), "somebody landed twice")
        on_main = {subject.split()[1].rstrip(":") for subject in landed}
        for entry in entries:
            self.demand(entry.state != "landed" or entry.issue in on_main, f"{entry.issue} has not landed")
            if entry.state == "bounced" and entry.blamed and entry.id not in self._checked:
                self._checked.add(entry.id)
                self._look_at_bounce(entry)

    def _look_at_bounce(self, entry: queue.Entry) -> None:
        with self.project.ledger.read() as snapshot:
            row = snapshot.one("trial", id=entry.blamed) or {}
            members = [snapshot.one("landing", id=one) for one in json.loads(row["members"]) if one != entry.id]
        others = build(self.project.repository, row["tip"], [queue.Entry.of(one) for one in members if one], str)
        self.demand(not self.trees.is_green(row["tree"]), f"{entry.issue} bounced for a green trial")
        self.demand(self.trees.is_green(others.tree), f"{entry.issue} was blamed for others")

    def verdict(self, tree: str) -> bool | None:
        """What the gate has said about a tree."""
        with self.project.ledger.read() as snapshot:
            row = snapshot.one("verdict", tree=tree, gate=self._gate)
        return bool(row["passed"]) if row else None

    def demand(self, holds: bool, what: str) -> None:
        """Raise AssertionError unless it holds."""
        if not holds:
            raise AssertionError(f"after {self.steps} steps and {self.deaths} deaths: {what}")

    def waiting(self) -> list[Any]:
        """The live entries."""
        with self.project.ledger.read() as snapshot:
            return queue.waiting(snapshot)

    def line(self) -> list[str]:
        """The subjects of main's first-parent line."""
        tip = self.project.base_tip()
        if self._line[0] != tip:
            self._line = tip, git(self.root, "log", "--first-parent", "--format=%s", tip, read=True).lines
        return self._line[1]


def check(steps: int, seed: int, mode: str, say: Callable[[str], None] = lambda line: None) -> Model:
    """Run a random schedule of so many steps; raises AssertionError when an invariant is broken."""
    with tempfile.TemporaryDirectory(prefix="agent-coord-model-") as folder:
        model = Model(Path(folder).resolve(), seed, mode)
        try:
            while model.steps < steps:
                model.step()
                if model.steps % 1000 == 0:
                    say(f"{model.steps} steps, {model.deaths} deaths, {len(model.line())} commits on main")
            model.finish()
        finally:
            model.project.close()
        return model


def main(argv: Sequence[str]) -> int:
    """Run schedules and print what was met."""
    parser = argparse.ArgumentParser(description="Check the merge queue against random schedules with crashes.")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--part", type=int, default=2000, help="steps in one repository; then a new one is begun")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", default="exact", choices=("exact", "lanes+confirm"))
    options = parser.parse_args(argv)
    began, done, deaths, seed = time.monotonic(), 0, 0, options.seed
    while done < options.steps:
        model = check(
            min(options.part, options.steps - done), seed, options.mode, lambda line: print(line, file=sys.stderr)
        )
        done, deaths, seed = done + model.steps, deaths + model.deaths, seed + 1
    result = {"schema": 1, "mode": options.mode, "steps": done, "deaths": deaths, "violations": 0}
    sys.stdout.write(json.dumps(result | {"seconds": round(time.monotonic() - began, 1)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
