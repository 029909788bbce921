"""The queue of a shared checkout: the commits are on the branch already, and it is decided whether they are accepted.

One entry is judged at a time, in landing order: the newest state of the branch without what others have not finished
(`merging.own`), as a detached commit on a bench. Green: the issue is closed, and `refs/agent-coord/accepted` moves to
that commit. Red, weakened tests, somebody else's files: the same rulings as in the queue of slots, so the agent goes
on in its session with the output. No commit is ever taken back: what is given up stays on the branch, is named in the
handoff, and is left out of what is judged for the others until somebody writes the same files again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from coordinator.bootstrap import Project
from coordinator.gate.bench import Subject
from coordinator.gate.checks import Verdict
from coordinator.gate.choice import Choice
from coordinator.gate.evidence import outline
from coordinator.merging import queue, trials
from coordinator.merging.benches import Benches, Ended, Workers
from coordinator.merging.changes import Start
from coordinator.merging.examine import Examiner
from coordinator.merging.gates import Gates
from coordinator.merging.land import Merged
from coordinator.merging.lane import PATIENCE
from coordinator.merging.order import Entry
from coordinator.merging.own import ACCEPTED, Unfinished, commit_without, history, oldest, rewound
from coordinator.merging.register import Register
from coordinator.merging.rewritten import Dropped
from coordinator.merging.rulings import Ruling
from coordinator.merging.trials import Made, Run
from coordinator.tasks import claims
from coordinator.tasks.lifecycle import Outcome
from resources.state.leases import Lease
from resources.system.errors import Failure
from resources.system.git import changed_files, git, resolve, tree_of


@dataclass(frozen=True)
class _Judged:
    """An entry that is being judged: what it is merged into, the trial, its key and what it may change."""

    part: Merged
    trial: int
    made: Made
    choice: Choice


class OneBranch:
    """Judges what is committed on the one branch of a project; stands where `Lane` stands otherwise."""

    def __init__(self, project: Project, title: Callable[[str], str], workers: Workers | None = None) -> None:
        """`title` tells an issue's title; `workers` judge, by default benches."""
        self._project, self._title = project, title
        self._gates = Gates(project.config)
        self._register = Register(project)
        self._benches: Workers = workers or Benches(project)
        self._examiner = Examiner(project, self._register, Dropped(project), title)
        self._now: _Judged | None = None
        self._more = False
        self._resume_at = 0.0
        with project.ledger.write() as tx:
            trials.stop_all(tx, "its coordinator stopped")

    @property
    def busy(self) -> bool:
        """Whether something is being judged, or will be at the next tick."""
        return self._now is not None or self._more

    @property
    def leases(self) -> list[Lease]:
        """The leases of the benches' slots, to be renewed by the loop."""
        return self._benches.leases

    def tick(self) -> list[Ruling]:
        """Do what can be done now; the rulings on entries that were decided."""
        for ended in self._benches.ended():
            self._conclude(ended)
        if self._now is not None:
            return self._decide(self._now)
        with self._project.ledger.read() as snapshot:
            entries = [entry for entry in queue.waiting(snapshot) if entry.state != "look"]
            self._more = bool(entries) and not queue.is_paused(snapshot)
        if not self._more or time.monotonic() < self._resume_at:
            return []
        try:
            return self._begin(entries[0])
        except Failure as failure:
            self._trouble(failure)
            return []

    def close(self) -> None:
        """Stop what is being judged, put it back into the queue, and give the benches back."""
        self._benches.close()
        with self._project.ledger.write() as tx:
            trials.stop_all(tx, "the coordinator stopped")
            for entry in queue.waiting(tx):
                if entry.state == "checking":
                    queue.move(tx, entry, "queued", "the coordinator stopped")

    # -- one entry ----------------------------------------------------------------------------------------

    def _begin(self, entry: Entry) -> list[Ruling]:
        if not self._register.is_claimed(entry):
            self._register.withdraw(entry)
            return []
        part = self._part(entry)
        if part is None:
            why = f"no commit that bears the mark of {entry.issue} is on {self._project.base}"
            return self._register.bounced(entry, Ruling(entry.issue, Outcome.RED, why))
        found = self._examiner.trespass(part)
        if found is None:
            found = self._examiner.objection(part)
        if found is None:
            self._try(part)
        return found or []

    def _part(self, entry: Entry) -> Merged | None:
        """The branch without what others have not finished, over that without this entry; None if it adds nothing."""
        project, root = self._project, self._project.repository.root
        tip = project.base_tip()
        others = self._unfinished()
        commits = history(root, oldest(root, [one.base for one in others], tip), tip)
        mine = [one for one in others if one.issue == entry.issue]
        without = rewound(commits, [one for one in others if one.issue != entry.issue])
        ground = rewound(commits, others)
        if not mine or ground == without:
            return None
        accepted = resolve(root, ACCEPTED)
        below = commit_without(root, tip, ground, [tip, *([accepted] if accepted else [])], f"Below {entry.issue}")
        message = f"{entry.issue}: {self._title(entry.issue)}\n\nAgent-Coord-Fence: {entry.fence}"
        return Merged(entry, below, commit_without(root, tip, without, [below], message))

    def _unfinished(self) -> list[Unfinished]:
        with self._project.ledger.read() as snapshot:
            tasks = [task for task in claims.all_tasks(snapshot) if task.state != "landed" and task.base]
        closed = {issue.id for issue in self._project.facts().issues if not issue.is_open} if tasks else set()
        active = claims.ACTIVE
        return [Unfinished(one.issue, one.base) for one in tasks if one.state in active or one.issue not in closed]

    def _try(self, part: Merged) -> None:
        root, entry = self._project.repository.root, part.entry
        choice = self._gates.choice(changed_files(root, part.onto, part.commit))
        made = Made(part.onto, part.commit, tree_of(root, part.commit), self._gates.key(choice))
        with self._project.ledger.write() as tx:
            known = self._gates.verdict(tx, made.tree, made.gate)
            number = trials.begin(tx, Start((entry.id,), 1), made, known)
            queue.move(tx, entry, "checking")
            moved = Entry.of(tx.one("landing", id=entry.id) or {})
            if known is None:
                self._register.event(tx, "gate.started", entry)
        self._now = _Judged(Merged(moved, part.onto, part.commit), number, made, choice)
        if known is None:
            label = f"gate/{entry.issue.replace('/', '_')}-{number}"
            subject = Subject(part.commit, part.onto, entry.issue, self._title(entry.issue), label, choice)
            try:
                self._benches.judge(number, subject)
            except Failure as failure:
                self._not_judged(failure)

    def _decide(self, judged: _Judged) -> list[Ruling]:
        """The ruling on what has been judged, once its verdict is there."""
        with self._project.ledger.read() as snapshot:
            verdict = self._gates.verdict(snapshot, judged.made.tree, judged.made.gate)
        if verdict is None:
            return []
        self._now = None
        entry = judged.part.entry
        if not self._register.is_claimed(entry):
            self._register.withdraw(entry)
            return []
        if not verdict.passed:
            return self._bounce(judged, verdict)
        # First the ref: when we are killed between the two, the entry is looked at again, and its verdict is known.
        git(self._project.repository.root, "update-ref", ACCEPTED, judged.part.commit)
        return self._register.landed([judged.part])

    def _bounce(self, judged: _Judged, verdict: Verdict) -> list[Ruling]:
        part, red = judged.part, verdict.failed
        files = changed_files(self._project.repository.root, part.onto, part.commit)
        why = f"{verdict.why} on {self._project.base} without what others have not finished ({outline(files)})"
        ruling = Ruling(part.entry.issue, Outcome.RED, why, red.tail if red else "")
        return self._register.bounced(part.entry, ruling, judged.trial)

    # -- what the bench tells -----------------------------------------------------------------------------

    def _conclude(self, ended: Ended) -> None:
        judged, verdict = self._now, ended.verdict
        if judged is None or judged.trial != ended.trial:
            return
        if verdict is None:
            self._not_judged(ended.failure)
            return
        red = verdict.failed
        with self._project.ledger.write() as tx:
            row = next((row for row in tx.all("trials-running") if row["id"] == ended.trial), None)
            if row is None or not trials.conclude(tx, Run.of(row), verdict, ended.beside):
                return
            self._register.event(
                tx, "gate.ended", judged.part.entry, passed=verdict.passed, seconds=verdict.seconds,
                failed_check=red.name if red else "", flaky=list(verdict.flaky),
            )  # fmt: skip

    def _not_judged(self, failure: Failure | None) -> None:
        judged, self._now = self._now, None
        if judged is not None:
            with self._project.ledger.write() as tx:
                trials.stop(tx, judged.trial, failure.what if failure else "")
        if failure is not None:
            self._trouble(failure)

    def _trouble(self, failure: Failure) -> None:
        """The machine, not a change, is at fault: everybody keeps his place, and the next try waits a little."""
        self._resume_at = time.monotonic() + PATIENCE
        self._project.say(f"nothing could be judged: {failure.render()}")
