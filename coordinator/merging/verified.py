"""In `lanes` mode the base branch may stand on a tree that nobody has judged: this judges it afterwards.

Whenever a worker would be idle, the tip is tried as a whole. Green moves `refs/agent-coord/verified` there, so that
there is always a commit to release from; red is told to people, because it is nobody's change alone.
"""

from __future__ import annotations

from coordinator.bootstrap import Project
from coordinator.gate.checks import Verdict
from coordinator.merging.gates import Gates
from coordinator.merging.judging import Judging
from resources.system.commits import content_of
from resources.system.git import move_ref, resolve

VERIFIED = "refs/agent-coord/verified"
"""The newest commit of the base branch that was judged as a whole."""


class Verifier:
    """Keeps the ref of a project up to date."""

    def __init__(self, project: Project, gates: Gates, judging: Judging) -> None:
        self._project = project
        self._gates = gates
        self._judging = judging
        self._told = ""

    def step(self, base: str) -> None:
        """Judge the commit `base`, or record what is known about it."""
        root = self._project.repository.root
        old = resolve(root, VERIFIED) or ""
        if base in (old, self._told):
            return
        known = self._judging.verdict(content_of(root, base), self._gates.keys[0])
        if known is not None:
            self._record(base, old, known)
        else:
            self._judging.bare(base, self._gates.choice(()))

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
