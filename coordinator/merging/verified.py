"""In `lanes` mode the base branch may stand on a tree that nobody has judged: this judges it afterwards.

Whenever a worker would be idle, the tip is tried as a whole. Green moves `refs/agent-coord/verified` there, so that
there is always a commit to release from; red is told to people, because it is nobody's change alone.
"""

from __future__ import annotations

from coordinator.bootstrap import Project
from coordinator.gate.bench import Subject
from coordinator.gate.checks import Verdict
from coordinator.merging import trials
from coordinator.merging.benches import Workers
from coordinator.merging.changes import Start
from coordinator.merging.gates import Gates
from coordinator.merging.trials import Made
from resources.system.git import move_ref, resolve, tree_of

VERIFIED = "refs/agent-coord/verified"
"""The newest commit of the base branch that was judged as a whole."""


class Verifier:
    """Keeps the ref of a project up to date."""

    def __init__(self, project: Project, gates: Gates) -> None:
        self._project = project
        self._gates = gates
        self._told = ""

    def step(self, base: str, workers: Workers) -> bool:
        """Judge the commit `base`, or record what is known about it; whether a trial was begun."""
        project = self._project
        old = resolve(project.repository.root, VERIFIED) or ""
        if base in (old, self._told):
            return False
        tree = tree_of(project.repository.root, base)
        with project.ledger.write() as tx:
            choice = self._gates.choice(())
            key = self._gates.keys[0]
            known = self._gates.verdict(tx, tree, key)
            running = any(row["tip"] == base and row["members"] == "[]" for row in tx.all("trials-running"))
            if known is None and not running:
                number = trials.begin(tx, Start((), 1, whole=True), Made(base, base, tree, key), None)
        if known is not None:
            self._record(base, old, known)
        elif not running:
            label = f"gate/{project.base.replace('/', '_')}-{number}"
            workers.judge(number, Subject(base, base, project.base, "the base branch as a whole", label, choice))
            return True
        return False

    def _record(self, base: str, old: str, verdict: Verdict) -> None:
        project = self._project
        if verdict.passed:
            move_ref(project.repository.root, VERIFIED, base, old)
            return
        self._told = base
        project.say(
            f"{project.base} is red at {base[:10]} ({verdict.why}): changes that share no target broke it together"
        )
        with project.ledger.write() as tx:
            tx.event("base.red", commit=base, why=verdict.why)
