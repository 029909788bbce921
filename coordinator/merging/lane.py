"""The one lane through which work lands: head of the queue, candidate, gate, base branch.

`tick` moves the lane one step and never waits: while the checks run in the bench's thread it returns at
once. What it decides is told as a `Ruling`, and what becomes of the task is the loop's business.

A verdict belongs to a tree, not to a branch: the same tree under the same checks is not judged twice,
so a landing that lost the race for the base branch often costs only another merge.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from coordinator.bootstrap import Project
from coordinator.gate.bench import Bench, Subject
from coordinator.gate.checks import Verdict, tool_chain
from coordinator.gate.choice import choose, gate_key
from coordinator.gate.evidence import outline
from coordinator.guard import landing as guard
from coordinator.merging import queue
from coordinator.merging.land import Candidate, Landing, build, has_landed, land
from coordinator.merging.order import Entry
from coordinator.tasks.lifecycle import Outcome
from resources.databases.databases import Databases
from resources.state import leases
from resources.state.leases import Lease
from resources.system.clock import wall
from resources.system.errors import Failure
from resources.system.git import changed_files
from resources.worktrees.pool import Held

PATIENCE = 5.0
"""Seconds between two tries when the machine, not the change, is at fault."""

GATE = "gate"
"""The purpose of the bench's slot, and the name under which it is leased."""


@dataclass(frozen=True)
class Ruling:
    """What the lane decided about an entry. `evidence` is output for the author, `paths` those in conflict."""

    issue: str
    outcome: Outcome
    why: str
    evidence: str = ""
    paths: tuple[str, ...] = ()


@dataclass
class _Run:
    candidate: Candidate
    verdict: Future[Verdict]


class Lane:
    """One validation worker and the base branch."""

    def __init__(self, project: Project, title: Callable[[str], str]) -> None:
        """`title` tells an issue's title, for the message of the merge commit."""
        self._project = project
        self._title = title
        self._key = ""
        self._threads = ThreadPoolExecutor(1, "gate")
        self._databases: Databases | None = project.more_databases()
        self._bench: Bench | None = None
        self._held: Held | None = None
        self._run: _Run | None = None
        self._more = False
        self._resume_at = 0.0

    @property
    def busy(self) -> bool:
        """Whether something is being judged, or will be at the next tick."""
        return self._run is not None or self._more

    @property
    def lease(self) -> Lease | None:
        """The lease of the bench's slot, to be renewed by the loop."""
        return self._held.lease if self._held else None

    def tick(self) -> Ruling | None:
        """One step; the ruling when an entry was decided in it."""
        if self._run is not None:
            return self._conclude(self._run) if self._run.verdict.done() else None
        if time.monotonic() < self._resume_at:
            return None
        with self._project.ledger.read() as snapshot:
            waiting = queue.waiting(snapshot)
            paused = queue.is_paused(snapshot)
        self._more = bool(waiting) and not paused and waiting[0].state != "held"
        if paused or not waiting:
            return None
        try:
            return self._take_up(waiting[0])
        except Failure as failure:
            return self._not_judged(waiting[0], failure)

    def _take_up(self, entry: Entry) -> Ruling | None:
        project = self._project
        if has_landed(project.repository, project.base, entry.tip):
            return self._landed(entry, "")
        candidate = build(project.repository, project.base, entry, self._title(entry.issue))
        if candidate.conflicts:
            why = f"conflicts with {project.base} in {outline(candidate.conflicts)}"
            return replace(self._bounce(entry, Outcome.CONFLICT, why), paths=candidate.conflicts)
        if trespass := self._trespass(candidate):
            return trespass
        if not self._mark(entry, "checking"):
            return None
        candidate = replace(candidate, entry=replace(entry, state="checking"))
        self._run = _Run(candidate, self._judge(candidate))
        return None

    def _judge(self, candidate: Candidate) -> Future[Verdict]:
        changed = changed_files(self._project.repository.root, candidate.base, candidate.commit)
        choice = choose(self._project.config.gate, changed)
        self._key = gate_key(choice, tool_chain(choice.checks))
        known = self._known(candidate.tree)
        if known is not None:
            done: Future[Verdict] = Future()
            done.set_result(known)
            return done
        bench = self._ready_bench(candidate.base)
        self._event("gate.started", candidate.entry)
        issue = candidate.entry.issue
        label = f"gate/{issue.replace('/', '_')}-{candidate.entry.id}"
        subject = Subject(candidate.commit, candidate.base, issue, self._title(issue), label, choice)
        return self._threads.submit(bench.judge, subject, self._databases)

    def _conclude(self, run: _Run) -> Ruling | None:
        entry = run.candidate.entry
        self._run = None
        try:
            verdict = run.verdict.result()
        except Failure as failure:
            return self._not_judged(entry, failure)
        red = verdict.failed
        with self._project.ledger.write() as tx:
            tx.change(
                "verdict-put", tree=run.candidate.tree, gate=self._key, passed=int(verdict.passed),
                evidence=verdict.to_json(), judged_at=wall(),
            )  # fmt: skip
        self._event(
            "gate.ended", entry, passed=verdict.passed, seconds=verdict.seconds, failed_check=red.name if red else ""
        )
        if red is not None:
            files = outline(changed_files(self._project.repository.root, run.candidate.base, run.candidate.commit))
            return self._bounce(
                entry, Outcome.RED, f"{verdict.why} on the merge with {self._project.base} ({files})", red.tail
            )
        return self._land(run.candidate)

    def _not_judged(self, entry: Entry, failure: Failure) -> None:
        """The machine could not judge: the entry keeps its place, and the next try waits a little."""
        self._resume_at = time.monotonic() + PATIENCE
        self._move(replace(entry, state="checking"), "queued", failure.what)
        self._project.say(f"{entry.issue} could not be judged: {failure.render()}")

    def _land(self, candidate: Candidate) -> Ruling | None:
        entry, project = candidate.entry, self._project
        if not self._still_claimed(entry):
            self._move(entry, "withdrawn", "its claim has ended")
            return None
        if trespass := self._trespass(candidate):
            return trespass
        landing, why = land(project.repository, project.base, candidate)
        if landing is Landing.LANDED:
            return self._landed(entry, candidate.commit)
        # Whoever moved the base first, or whoever edits it: the next tick looks again with fresh eyes.
        self._move(entry, "held" if landing is Landing.HELD else "queued", why)
        if landing is Landing.HELD:
            project.say(f"landing of {entry.issue} is held: {why}")
        return None

    def _trespass(self, candidate: Candidate) -> Ruling | None:
        """The ruling on a change that writes outside of its scope, None when it does not."""
        project, entry = self._project, candidate.entry
        change = guard.Landing(entry.issue, entry.fence, entry.tip, candidate.base, candidate.commit)
        found = guard.check_landing(project.repository, project.ledger, project.config.scope, change)
        if found is None:
            return None
        # What somebody holds is free again once that has landed: the next attempt waits for it. The rest is to mend.
        outcome = Outcome.CONFLICT if found.held else Outcome.RED
        return replace(self._bounce(entry, outcome, found.why, found.advice), paths=found.paths)

    def _landed(self, entry: Entry, merged: str) -> Ruling:
        self._move(entry, "landed", merged=merged)
        self._event("landing.landed", entry, merged=merged)
        return Ruling(entry.issue, Outcome.LANDED, f"landed on {self._project.base}")

    def _bounce(self, entry: Entry, outcome: Outcome, why: str, evidence: str = "") -> Ruling:
        self._move(entry, "bounced", why)
        self._event("landing.bounced", entry, why=why)
        return Ruling(entry.issue, outcome, why, evidence)

    def _known(self, tree: str) -> Verdict | None:
        with self._project.ledger.read() as snapshot:
            row = snapshot.one("verdict", tree=tree, gate=self._key)
        return Verdict.of(bool(row["passed"]), row["evidence"]) if row else None

    def _still_claimed(self, entry: Entry) -> bool:
        with self._project.ledger.read() as snapshot:
            return entry.fence == 0 or leases.is_valid(snapshot, entry.fence)

    def _ready_bench(self, base: str) -> Bench:
        if self._bench is None:
            pool = self._project.pool
            if not pool.slots(GATE):
                pool.grow(1, GATE)
            self._held = pool.acquire(GATE, GATE, base=base, purpose=GATE)
            self._bench = Bench(self._held.slot, self._held.environment, self._project.logs)
        return self._bench

    def close(self) -> None:
        """Wait for the running gate, put its entry back into the queue, and give the bench back."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._run is not None:
            self._move(self._run.candidate.entry, "queued", "the coordinator stopped")
        if self._held is not None:
            self._project.pool.release(self._held.lease)
        if self._databases is not None:
            self._databases.close()

    def _mark(self, entry: Entry, state: str) -> bool:
        with self._project.ledger.write() as tx:
            return queue.move(tx, entry, state)

    def _move(self, entry: Entry, state: str, why: str = "", merged: str = "") -> None:
        with self._project.ledger.write() as tx:
            queue.move(tx, entry, state, why, merged)

    def _event(self, kind: str, entry: Entry, **data: object) -> None:
        with self._project.ledger.write() as tx:
            task = tx.one("task", issue=entry.issue) or {"slot": "", "agent": "", "attempt": 0}
            tx.event(kind, issue=entry.issue, slot=task["slot"], agent=task["agent"], attempt=task["attempt"], **data)
