"""Reads what git shows for an agent's word that its issue needs no change, and takes that word down.

It is judged twice: when the agent says it, so that it learns at once what is missing, and when it has ended, because
only that counts.
"""

from __future__ import annotations

from coordinator.bootstrap import Project
from coordinator.gate.resolution import Shown, missing, sentence
from coordinator.merging.land import landing_of
from coordinator.merging.own import is_accepted, made_by
from coordinator.tasks import claims, resolutions
from coordinator.tasks.resolutions import Kind, Resolution
from coordinator.wherein import Caller
from resources.system.errors import Failure, NotNow
from resources.system.git import commit_messages, resolve
from resources.worktrees.pool import Slot

MOST = 50
"""Commits of the base branch that are read for the issue's name, the newest."""


def look(project: Project, slot: Slot, base: str, issue: str, said: Resolution) -> Shown:
    """What the slot, given at commit `base`, and the base branch show."""
    made = made_by(slot.path, base, issue) if slot.is_berth else commit_messages(slot.path, [f"{base}..HEAD"])
    commits, dirty = len(made), tuple(project.pool.uncommitted(slot))
    if said.kind is not Kind.ALREADY_DONE:
        return Shown(commits, dirty)
    root = project.repository.root
    if said.proof:
        proof = resolve(root, said.proof) or ""
        landed = bool(proof) and landing_of(project.repository, project.base, proof) is not None
        if landed and slot.is_berth:
            with project.ledger.read() as snapshot:
                landed = is_accepted(root, snapshot, proof)
        return Shown(commits, dirty, proof, landed)
    wanted = ["--fixed-strings", f"--grep={issue}", f"--max-count={MOST}", f"refs/heads/{project.base}"]
    return Shown(commits, dirty, naming=tuple(commit_messages(root, wanted)))


def say(project: Project, caller: Caller, issue: str, said: Resolution) -> str:
    """Take down the word of the agent that works on `issue`; returns the sentence that would close it.

    Raises NotNow("not-yours") unless the caller is in its slot, Failure("not-shown") telling what is missing.
    """
    with project.ledger.read() as snapshot:
        task = claims.find_task(snapshot, issue)
    if task is None or task.state != "working" or not caller.slot or task.slot != caller.slot:
        raise NotNow(
            "not-yours", f"{issue} is not being worked on in {caller.slot or 'a slot of yours'}",
            mend="whoever works by himself closes the issue in the tracker",
        )  # fmt: skip
    if task.worker is None:
        raise NotNow(
            "not-yours", f"{issue} was given to {task.agent} by hand: no coordinator would hear it",
            mend=f"close it in the tracker, then agent-coord release {task.slot}",
        )  # fmt: skip
    slot = next(slot for slot in project.pool.slots() if slot.name == task.slot)
    shown = look(project, slot, task.base, issue, said)
    lacks = missing(issue, task.title, said, shown)
    if lacks:
        raise Failure("not-shown", f"{issue} cannot be closed as {said.kind}", why="; ".join(lacks), mend="see above")
    with project.ledger.write() as tx:
        resolutions.say(tx, task, said)
    return sentence(issue, said, shown)
