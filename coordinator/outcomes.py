"""What an ended attempt shows, and what is done about it.

`inspect` reads git, `settle` carries out a step that `tasks.lifecycle.decide` has chosen: it writes to
the tracker, gives back what is no longer needed, and tells what the next attempt must know.
"""

from __future__ import annotations

from coordinator import attempts
from coordinator.agents.briefing import Handoff
from coordinator.attempts import Attempt
from coordinator.bootstrap import Project
from coordinator.gate.evidence import Work
from coordinator.guard.strays import find_strays
from coordinator.mail import letters
from coordinator.merging import queue
from coordinator.tasks.lifecycle import Next, Step
from resources.system.errors import Failure
from resources.system.git import changed_files, commit_messages, dirty_files, resolve

LEAVES = {
    Next.FINISH: "landed",
    Next.RETRY: "retry",
    Next.HAND_OFF: "handed_off",
    Next.RELEASE: "released",
    Next.FREE: "released",
    Next.PARK: "judging",
}
"""The state that a task is left in by each step that gives the slot back."""


def inspect(project: Project, attempt: Attempt) -> tuple[Work, str]:
    """What the attempt left in its slot, and the tip of its branch, which is in the main repository then."""
    project.pool.collect(attempt.held.slot)
    place, base = attempt.held.slot.path, attempt.held.base
    tip = resolve(place, "HEAD") or base
    messages = tuple(message for _, message in commit_messages(place, [f"{base}..{tip}"]))
    found = find_strays(place)
    attempt.strays = found.told
    strays = (*([found.told] if found.told else ()), *found.slot)
    changed, dirty = tuple(changed_files(place, base, tip)), tuple(dirty_files(place))
    return Work(attempt.issue.id, messages, changed, dirty, strays), tip


def settle(project: Project, attempt: Attempt, step: Step, evidence: str = "") -> Handoff:
    """Do what was decided; returns what a next attempt should be told. Safe to repeat after a crash."""
    issue, number = attempt.issue.id, attempt.task.attempt
    if step.next is Next.RESUME:
        handoff = Handoff(number, step.why, evidence)
        attempt.handoffs = (*attempt.handoffs, handoff)
        try:
            attempts.start_agent(project, attempt)
        except Failure as failure:
            return settle(project, attempt, Step(Next.RELEASE, f"could not be resumed: {failure.what}"), evidence)
        return handoff
    if step.next is Next.FINISH:
        project.mirror(lambda tracker: tracker.close(issue, step.why))
    elif step.next in (Next.RETRY, Next.RELEASE):
        project.mirror(lambda tracker: tracker.unclaim(issue))
    if step.next is Next.PARK:
        # Before the slot goes: a branch that waits to land stays when its slot is cleaned.
        with project.ledger.write() as tx:
            queue.stand_alone(tx, issue, attempt.task.fence)
    released = attempts.give_back(project, attempt, LEAVES[step.next], step.why)
    saved = released.saved_ref or ""
    if step.next is Next.HAND_OFF:
        _tell_people(project, attempt, step.why, saved)
    return Handoff(number, step.why, evidence, saved)


def _tell_people(project: Project, attempt: Attempt, why: str, saved: str) -> None:
    refs = dict.fromkeys([*(handoff.saved for handoff in attempt.handoffs), saved])
    kept = ", ".join(ref for ref in refs if ref)
    note = f"agent-coord: {why}" + (f"; work is kept under {kept}" if kept else "")
    note += f"; {attempt.strays}" if attempt.strays else ""
    note += f"; log: {project.logs / attempt.issue.id}"
    project.mirror(lambda tracker: tracker.hand_off(attempt.issue.id, note))
    subject = f"{attempt.issue.id} needs a person: {why}"
    with project.ledger.write() as tx:
        letters.send(tx, letters.COORDINATOR, letters.Draft((letters.PEOPLE,), subject, note, attempt.issue.id, "high"))
        tx.event(
            "task.handed_off", issue=attempt.issue.id, slot=attempt.held.slot.name, agent=attempt.claim.agent, why=why
        )
