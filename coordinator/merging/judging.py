"""Trials from their beginning to their verdict.

A trial's row stands in the ledger before its gate begins; whatever goes wrong with the machine in between, the row is
stopped and the trouble told, and no change is judged by it. A trial of nothing judges the base branch itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coordinator.bootstrap import Project
from coordinator.gate.bench import Subject
from coordinator.gate.checks import Verdict
from coordinator.gate.choice import Choice
from coordinator.gate_settings import Review
from coordinator.merging import queue, trials
from coordinator.merging.benches import Ended, Workers
from coordinator.merging.changes import Start
from coordinator.merging.gates import Gates
from coordinator.merging.order import Entry
from coordinator.merging.register import Register
from coordinator.merging.trials import Made, Run
from resources.system.commits import content_of
from resources.system.errors import Failure


class Judging:
    """The trials of one project and the benches that they run on."""

    def __init__(self, project: Project, gates: Gates, register: Register, benches: Workers) -> None:
        self._project = project
        self._gates = gates
        self._register = register
        self.benches = benches

    def verdict(self, tree: str, key: str) -> Verdict | None:
        """What the gate with this key has said about a tree."""
        with self._project.ledger.read() as snapshot:
            return self._gates.verdict(snapshot, tree, key)

    def begin(self, start: Start, made: Made, entries: Sequence[Entry], subject: Subject) -> None:
        """Try the entries. Raises Failure when no bench can be had; nothing has begun then."""
        with self._project.ledger.write() as tx:
            known = self._gates.verdict(tx, made.tree, made.gate)
            number = trials.begin(tx, start, made, known)
            if known is None:
                for entry in entries:
                    queue.move(tx, entry, "checking")
                for entry in entries[-start.about :]:
                    self._register.event(tx, "gate.started", entry)
        if known is None:
            self._judge(number, subject)

    def bare(self, base: str, choice: Choice) -> None:
        """Judge the base branch itself, which stands on the commit `base`, unless that is being done already.

        Without the reviewer: there is no change that he could read. Every check has its word: a change that mends what
        is red here and breaks something else is to be told of that.
        """
        project, key = self._project, self._gates.key(choice)
        made = Made(base, base, content_of(project.repository.root, base), key)
        with project.ledger.write() as tx:
            runs = map(Run.of, tx.all("trials-running"))
            if any((run.tip, run.members, run.gate) == (base, (), key) for run in runs):
                return
            number = trials.begin(tx, Start((), whole=True), made, None)
        name = project.base.replace("/", "_")
        choice = replace(choice, review=Review())
        label = f"gate/{name}"
        self._judge(number, Subject(base, base, project.base, "the base branch itself", label, choice, whole=True))

    def _judge(self, number: int, subject: Subject) -> None:
        try:
            self.benches.judge(number, replace(subject, label=f"{subject.label}-{number}"))
        except Failure as failure:
            self._not_judged(number, failure)
            raise

    def stop(self, run: Run, by_id: Mapping[int, Entry]) -> None:
        """Nobody needs the verdict of a trial any more."""
        self.benches.stop(run.id)
        with self._project.ledger.write() as tx:
            if trials.stop(tx, run.id, "its verdict is not needed any more"):
                for number in run.members[-run.about :]:
                    if number in by_id:
                        self._register.event(tx, "gate.stopped", by_id[number])

    def conclude(self, ended: Ended) -> None:
        """Write down what a bench has found. Raises the Failure because of which it could not judge."""
        verdict = ended.verdict
        if verdict is None:
            if self._not_judged(ended.trial, ended.failure) and ended.failure is not None:
                raise ended.failure
            return
        red = verdict.failed
        with self._project.ledger.write() as tx:
            row = next((row for row in tx.all("trials-running") if row["id"] == ended.trial), None)
            if row is None or not trials.conclude(tx, run := Run.of(row), verdict, ended.beside):
                return
            for number in run.members[-run.about :]:
                entry = Entry.of(tx.one("landing", id=number) or {})
                self._register.event(
                    tx, "gate.ended", entry, passed=verdict.passed, seconds=verdict.seconds,
                    failed_check=red.name if red else "", flaky=list(verdict.flaky),
                )  # fmt: skip
        if verdict.flaky:
            self._project.say(f"flaky: {', '.join(verdict.flaky)} failed and then passed on the same tree")

    def _not_judged(self, trial: int, failure: Failure | None) -> bool:
        with self._project.ledger.write() as tx:
            return trials.stop(tx, trial, failure.what if failure else "")

    def close(self) -> None:
        """Stop the running gates, put their entries back into the queue, and give the benches back."""
        self.benches.close()
        with self._project.ledger.write() as tx:
            trials.stop_all(tx, "the coordinator stopped")
            for entry in queue.waiting(tx):
                if entry.state == "checking":
                    queue.move(tx, entry, "queued")
