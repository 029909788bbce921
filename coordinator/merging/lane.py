"""Drives the landing queue: what the planner decides is done here, one step at a time.

`tick` never waits: gates run on their benches, and what the planner knows is read from ledger and git each time, so
that a coordinator that was killed at any moment is followed by one that goes on from the same facts. There is one
writer of the base branch, and every write is conditional: on the claim's fence, on the entry's state, on the commit
that the branch stands on, and (in every mode but `lanes`) on a recorded pass of exactly the tree that would land.

What is decided about an entry is told as a `Ruling`; what becomes of its task is the loop's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from coordinator.bootstrap import Project
from coordinator.gate.bench import Subject
from coordinator.gate.evidence import outline
from coordinator.merging import queue, stack, trials
from coordinator.merging.benches import Benches, Workers, measured_workers
from coordinator.merging.blame import Blame
from coordinator.merging.changes import Bounce, Land, Mode, Start
from coordinator.merging.examine import Examiner
from coordinator.merging.gates import Gates
from coordinator.merging.judging import Judging
from coordinator.merging.land import Candidate, Landing, build, clashes_of, land
from coordinator.merging.order import Entry
from coordinator.merging.picture import Line, Seen
from coordinator.merging.plan import plan
from coordinator.merging.register import Register
from coordinator.merging.rewritten import Dropped
from coordinator.merging.rulings import Ruling
from coordinator.merging.stacks import Stacks
from coordinator.merging.trials import Made, Run
from coordinator.merging.verified import Verifier
from coordinator.tasks.lifecycle import Outcome
from resources.state.leases import Lease
from resources.system.commits import paths_between
from resources.system.errors import Failure

PATIENCE = 5.0
"""Seconds between two tries when the machine, not the change, is at fault."""

HELD = 1.0
"""Seconds between two looks at whether edits are still in the way of a landing."""

MOST_STEPS = 50
"""Steps in one tick: the agents are to be watched too."""

AHEAD = 4
"""Entries per worker that are looked at before they are tried."""


class Lane:
    """The queue of one project, its benches and its base branch. There may be one at a time."""

    def __init__(self, project: Project, title: Callable[[str], str], workers: Workers | None = None) -> None:
        """`title` tells an issue's title, for the message of the merge commit; `workers` judge, by default benches."""
        self._project = project
        self._title = title
        self._gates = Gates(project.config)
        self._mode = Mode(project.config.merge.mode)
        self._register = Register(project)
        self._benches: Workers = workers or Benches(project)
        self._judging = Judging(project, self._gates, self._register, self._benches)
        self._blame = Blame(project, self._gates, self._judging, self._register, title)
        self._stacks = Stacks(project)
        self._dropped = Dropped(project)
        self._examiner = Examiner(project, self._register, self._dropped, title)
        self._verifier = Verifier(project, self._gates, self._judging)
        self._line = Line(project.repository, self._mode, project.config.merge.targets)
        self._clashes: frozenset[tuple[int, int]] = frozenset()
        self._done: object = None
        self._more = False
        self._resume_at = self._held_until = 0.0
        with project.ledger.write() as tx:
            trials.stop_all(tx, "its coordinator stopped")

    @property
    def busy(self) -> bool:
        """Whether something is being judged, or will be at the next tick."""
        return bool(self._benches.running) or self._more

    @property
    def leases(self) -> list[Lease]:
        """The leases of the benches' slots, to be renewed by the loop."""
        return self._benches.leases

    def tick(self) -> list[Ruling]:
        """Do what can be done now; the rulings on entries that were decided."""
        for ended in self._benches.ended():
            self._done = None
            try:
                self._judging.conclude(ended)
            except Failure as failure:
                self._trouble(failure)
        rulings: list[Ruling] = []
        for _ in range(MOST_STEPS):
            if time.monotonic() < self._resume_at or not self._look(rulings):
                break
        if time.monotonic() >= self._resume_at:
            self._verify()
        return rulings

    def _look(self, rulings: list[Ruling]) -> bool:
        """One look at everything and one step; whether there may be another."""
        base = self._project.base_tip()
        if base:
            self._dropped.see(base)
        with self._project.ledger.read() as snapshot:
            entries = [entry for entry in queue.waiting(snapshot) if entry.state != "look"]
            stacked = self._stacks.on(snapshot, base, entries)
            paused = queue.is_paused(snapshot)
            runs = trials.telling(snapshot, self._gates.keys, {entry.id for entry in entries})
        on = {number: stack.lands_after(supports) for number, supports in stacked.items()}
        entries = stack.parents_first(entries, on)
        self._more = bool(entries) and not paused and not self._blame.stuck(entries, base)
        held = any(entry.state == "held" for entry in entries)
        seen = (base, entries, stacked, runs, self._benches.running, self._clashes)
        if held and time.monotonic() < self._held_until:
            return False
        if paused or (seen == self._done and not held) or not (entries or runs):
            return False
        try:
            self._examiner.stacked = stacked
            first = entries[: AHEAD * self._workers()]
            if self._examine(first, base, rulings) or self._step(Seen(entries, on, runs), base, rulings):
                return True
        except Failure as failure:
            self._trouble(failure)
            return False
        self._done = seen
        return False

    def _verify(self) -> None:
        if self._mode is Mode.LANES and self._benches.running < self._workers():
            try:
                self._verifier.step(self._project.base_tip())
            except Failure as failure:
                self._trouble(failure)

    def _examine(self, entries: Sequence[Entry], base: str, rulings: list[Ruling]) -> bool:
        self._examiner.foresee(entries, base)
        for entry in entries:
            found = self._examiner.look(entry, base)
            if found is not None:
                rulings += found
                return True
        return False

    def _step(self, seen: Seen, base: str, rulings: list[Ruling]) -> bool:
        by_id, runs = {entry.id: entry for entry in seen.entries}, seen.runs
        self._line.read(base)
        workers = self._workers()
        with self._project.ledger.read() as snapshot:
            picture = self._line.queue(snapshot, seen, self._clashes, workers)
        known = {trial.id for trial in picture.trials}
        step = plan(picture)
        self._blame.begin(base)
        while aside := self._not_to_blame(step.bounce, by_id, runs, base):
            # What stands on one of them would bring it along.
            left = (one for one in picture.waiting if aside.isdisjoint((one.id, *stack.below(one.id, seen.on))))
            picture = replace(picture, waiting=tuple(left))
            step = plan(picture)
        rulings += self._blame.parked(seen.entries, seen.on)
        gone = [run.id for run in runs if run.state == "running" and run.id not in known]
        for number in (*step.stop, *gone):
            self._judging.stop(next(run for run in runs if run.id == number), by_id)
        for landing in step.land:
            rulings += self._land(landing, by_id, base)
        for bounce in step.bounce:
            rulings += self._bounce(bounce, by_id, next(run for run in runs if run.id == bounce.trial))
        # One at a time: whatever a start has changed, the planner hears of it before the next.
        return bool(step.land or step.bounce) or any(self._start(start, by_id, base, rulings) for start in step.start)

    def _not_to_blame(
        self, bounces: Sequence[Bounce], by_id: Mapping[int, Entry], runs: Sequence[Run], base: str
    ) -> set[int]:
        """The changes that nothing can be held against yet."""
        of_trial = {run.id: run for run in runs}
        return {
            one.change
            for one in bounces
            if not self._blame.is_fair(by_id[one.change], of_trial[one.trial], base, self._workers())
        }

    def _workers(self) -> int:
        wanted = self._project.config.merge.workers
        if wanted:
            return wanted
        with self._project.ledger.read() as snapshot:
            return measured_workers(snapshot, self._gates.keys)

    # -- what the planner asks for ------------------------------------------------------------------------

    def _start(self, start: Start, by_id: Mapping[int, Entry], base: str, rulings: list[Ruling]) -> bool:
        """Begin a trial; True when it told something at once, so that the planner is to be asked again."""
        entries = [by_id[number] for number in start.members]
        if self._examine(entries, base, rulings):
            return True
        candidate = build(self._project.repository, base, entries, self._title)
        if candidate.stuck is not None:
            self._clashes |= clashes_of(self._project.repository, candidate)
            return True
        if self._benches.running >= self._workers():
            return False
        choice = self._gates.choice(paths_between(self._project.repository.root, base, candidate.tree))
        made = Made(base, candidate.commit, candidate.tree, self._gates.key(choice))
        issue = entries[-1].issue
        label = f"gate/{issue.replace('/', '_')}"
        subject = Subject(made.commit, made.tip, issue, self._title(issue), label, choice)
        self._judging.begin(start, made, entries, subject)
        return True

    def _land(self, landing: Land, by_id: Mapping[int, Entry], base: str) -> list[Ruling]:
        project, register = self._project, self._register
        entries = [by_id[number] for number in landing.members]
        stale = [entry for entry in entries if not register.is_claimed(entry)]
        for entry in stale:
            register.withdraw(entry)
        if stale:
            return []
        candidate = build(project.repository, base, entries, self._title)
        if (found := self._refused(candidate, landing.trial)) is not None:
            return found
        how, why = land(project.repository, project.base, candidate)
        if how is Landing.LANDED:
            return register.landed(candidate.parts)
        if how is Landing.HELD:
            if any(entry.state != "held" for entry in entries):
                project.say(f"landing of {', '.join(entry.issue for entry in entries)} is held: {why}")
            register.move(entries, "held", why)
            self._held_until = time.monotonic() + HELD
        # Whoever moved the base first, or whoever edits it: the next look is with fresh eyes.
        return []

    def _refused(self, candidate: Candidate, trial: int) -> list[Ruling] | None:
        """The rulings when the candidate may not land, None when it may."""
        if candidate.stuck is not None or not self._may_land(candidate):
            with self._project.ledger.write() as tx:
                trials.void(tx, trial, "what would land is not what was judged")
            return []
        # Once more: a reservation may have come between.
        found = (self._examiner.trespass(part) for part in candidate.parts)
        return next((rulings for rulings in found if rulings is not None), None)

    def _may_land(self, candidate: Candidate) -> bool:
        changed = paths_between(self._project.repository.root, candidate.base, candidate.tree)
        verdict = self._judging.verdict(candidate.tree, self._gates.key(self._gates.choice(changed)))
        return self._mode is Mode.LANES or (verdict is not None and verdict.passed)

    def _bounce(self, bounce: Bounce, by_id: Mapping[int, Entry], run: Run) -> list[Ruling]:
        project, entry = self._project, by_id[bounce.change]
        verdict = self._judging.verdict(run.tree, run.gate)
        red = verdict.failed if verdict else None
        files = paths_between(project.repository.root, run.tip, run.tree)
        others = [by_id[number].issue for number in run.members if number in by_id and number != entry.id]
        onto = " and ".join([project.base, *others])
        why = f"{verdict.why if verdict else 'red'} on the merge with {onto}"
        ruling = Ruling(entry.issue, Outcome.RED, f"{why} ({outline(files)})", red.tail if red else "")
        return self._register.bounced(entry, ruling, run.id)

    def _trouble(self, failure: Failure) -> None:
        """The machine, not a change, is at fault: everybody keeps his place, and the next try waits a little."""
        self._resume_at = time.monotonic() + PATIENCE
        self._done = None
        self._project.say(f"nothing could be judged: {failure.render()}")

    def close(self) -> None:
        """Stop the running gates, put their entries back into the queue, and give the benches back."""
        self._judging.close()
