"""What an ended attempt shows, and what is done about it.

`inspect` reads git, `settle` carries out a step that `tasks.lifecycle.decide` has chosen: it writes to
the tracker, gives back what is no longer needed, and leaves what the next attempt must know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coordinator.bootstrap import Project
from coordinator.gate.evidence import Work, outline
from coordinator.gate.recall import ran_before
from coordinator.guard.strays import find_strays
from coordinator.mail import letters
from coordinator.merging import queue
from coordinator.merging.own import Made, made_by
from coordinator.running import attempts
from coordinator.running.attempts import Attempt
from coordinator.running.handoff_file import forget_handoffs, handoff_file, write_handoff_file
from coordinator.tasks import claims
from coordinator.tasks.claims import Task
from coordinator.tasks.handoffs import Handoff, add_saved, leave
from coordinator.tasks.lifecycle import Next, Outcome, Step, no_progress
from resources.system.clock import wall
from resources.system.errors import Failure
from resources.system.git import changed_files, commit_messages, diff_stat, dirty_files, resolve, tree_of

LEAVES = {
    Next.FINISH: "landed",
    Next.CLOSE: "released",
    Next.RETRY: "retry",
    Next.HAND_OFF: "handed_off",
    Next.RELEASE: "released",
    Next.FREE: "released",
    Next.PARK: "judging",
    Next.BEGIN_ANEW: "waiting",
}
"""The state that a task is left in by each step that gives the slot back."""


def inspect(project: Project, attempt: Attempt) -> tuple[Work, str]:
    """What the attempt left in its slot, and the tip of its branch, which is in the main repository then."""
    if not attempt.held.slot.path.is_dir():
        return _inspect_branch(project, attempt)
    if attempt.held.slot.is_berth:
        return _inspect_berth(project, attempt)
    try:
        project.pool.collect(attempt.held.slot)
    except Failure as failure:
        if failure.reference != "slot-astray":
            raise
        return _inspect_branch(project, attempt)
    place, base = attempt.held.slot.path, attempt.held.base
    tip = resolve(place, "HEAD") or base
    messages = tuple(message for _, message in commit_messages(place, [f"{base}..{tip}"]))
    found = find_strays(place)
    attempt.strays = found.told
    strays = (*([found.told] if found.told else ()), *found.slot)
    changed, dirty = tuple(changed_files(place, base, tip)), tuple(dirty_files(place))
    return Work(attempt.issue.id, messages, changed, dirty, strays), tip


def _inspect_berth(project: Project, attempt: Attempt) -> tuple[Work, str]:
    """The same of a berth: its commits are those that bear its mark, its files those that it has locked."""
    made, held = _made(attempt), attempt.held
    paths = dict.fromkeys(path for one in made for path in one.paths)
    messages = tuple(one.message for one in made)
    work = Work(attempt.issue.id, messages, tuple(paths), tuple(project.pool.uncommitted(held.slot)))
    return work, made[0].commit if made else held.base


def _made(attempt: Attempt) -> list[Made]:
    return made_by(attempt.held.slot.path, attempt.held.base, attempt.issue.id)


def _inspect_branch(project: Project, attempt: Attempt) -> tuple[Work, str]:
    """The same where the agent has taken its worktree away: what it had committed is on its branch."""
    root, held = project.repository.root, attempt.held
    tip = resolve(root, f"refs/heads/{held.branch}") or held.base
    messages = tuple(message for _, message in commit_messages(root, [f"{held.base}..{tip}"]))
    strays = ("its worktree is gone",)
    return Work(attempt.issue.id, messages, tuple(changed_files(root, held.base, tip)), strays=strays), tip


def refused(attempt: Attempt, why: str) -> Outcome:
    """RED, or STUCK when the work is what it was when it was last refused for the same reason."""
    stuck = no_progress(attempt.handoffs, attempt.task.attempt, _tree(attempt), why)
    return Outcome.STUCK if stuck else Outcome.RED


def settle(project: Project, attempt: Attempt, step: Step, why: str = "", evidence: str = "") -> None:
    """Do what was decided because of `why` (default: the step's own words). Safe to repeat after a crash."""
    issue = attempt.issue.id
    if step.next in (Next.RESUME, Next.RETRY, Next.HAND_OFF):
        _leave(project, attempt, why or step.why, evidence)
    if step.next is Next.RESUME:
        attempt.bounced = wall()
        with project.ledger.write() as tx:
            claims.move(tx, attempt.task, attempt.state, step.why)
        return
    _announce(project, attempt, step)
    anew = step.next is Next.BEGIN_ANEW
    released = attempts.give_back(project, attempt, LEAVES[step.next], step.why, uncounted=anew)
    saved = released.saved_ref or ""
    if step.next in (Next.FINISH, Next.CLOSE):
        forget_handoffs(project, issue)
    elif saved and step.next is not Next.PARK:
        _keep(project, attempt, step, saved)
    if step.next is Next.HAND_OFF:
        _tell_people(project, attempt, step.why, saved)
    elif step.next is Next.FREE and saved:
        _tell_of_work(project, attempt, saved)


def _announce(project: Project, attempt: Attempt, step: Step) -> None:
    """Tell tracker and queue, before the slot goes."""
    issue = attempt.issue.id
    if step.next is Next.CLOSE:
        with project.ledger.write() as tx:
            place = {"slot": attempt.held.slot.name, "agent": attempt.claim.agent}
            tx.event("task.resolved", issue=issue, attempt=attempt.task.attempt, why=step.why, **place)
    if step.next in (Next.FINISH, Next.CLOSE):
        project.mirror(lambda tracker: tracker.close(issue, step.why))
    elif step.next in (Next.RETRY, Next.RELEASE, Next.BEGIN_ANEW):
        project.mirror(lambda tracker: tracker.unclaim(issue))
    elif step.next is Next.FREE:
        with project.ledger.write() as tx:
            queue.withdraw(tx, issue, attempt.task.fence, step.why)
    elif step.next is Next.PARK:
        # A branch that waits to land stays when its slot is cleaned.
        with project.ledger.write() as tx:
            queue.stand_alone(tx, issue, attempt.task.fence)


def _leave(project: Project, attempt: Attempt, why: str, evidence: str) -> None:
    """Write down what the attempt leaves, before its slot is given back."""
    issue, number, log = attempt.issue, attempt.task.attempt, attempts.log_of(project, attempt)
    with project.ledger.read() as snapshot:
        task = claims.find_task(snapshot, issue.id)
        ran = ran_before(snapshot, project.config.gate, issue.id) if evidence else ()
    handoff = Handoff(
        number, why, evidence, tree=_tree(attempt), stat=_stat(attempt, "HEAD"), ran=ran, log=str(log),
        log_from=task.log_begins if task else 0, log_to=log.stat().st_size if log.exists() else 0,
    )  # fmt: skip
    attempt.handoffs = (*attempt.handoffs, handoff)
    with project.ledger.write() as tx:
        leave(tx, issue.id, handoff)
    write_handoff_file(project, issue.id, issue.title)


def _keep(project: Project, attempt: Attempt, step: Step, saved: str) -> None:
    """Tell the next attempt where the work is; of one that was stopped, that is all there is to tell."""
    issue, stat = attempt.issue, _stat(attempt, saved)
    with project.ledger.write() as tx:
        if step.next in (Next.RETRY, Next.HAND_OFF):
            add_saved(tx, issue.id, saved, stat)
        else:
            leave(tx, issue.id, Handoff(attempt.task.attempt, step.why, saved=saved, stat=stat))
    write_handoff_file(project, issue.id, issue.title)


def _tree(attempt: Attempt) -> str:
    try:
        if attempt.held.slot.is_berth:
            return next((one.commit for one in _made(attempt)), "")
        return tree_of(attempt.held.slot.path, "HEAD")
    except Failure:
        return ""  # an agent can take its own worktree away


def _stat(attempt: Attempt, revision: str) -> str:
    try:
        if attempt.held.slot.is_berth:
            lines = [f"{one.commit[:10]} {one.message.splitlines()[0]}: {outline(one.paths)}" for one in _made(attempt)]
            return "\n".join(["commits on the branch, which stay there:", *lines]) if lines else ""
        return diff_stat(attempt.held.slot.path, attempt.held.base, revision)
    except Failure:
        return ""


def give_up(project: Project, task: Task, failed_on: Sequence[str]) -> None:
    """Leave a waiting task to a person: what its last attempt failed on will not change by what is under way."""
    why = f"attempt {task.attempt} failed on {outline(failed_on)}, and nothing under way will change that"
    project.say(f"{task.issue}: {why}")
    with project.ledger.write() as tx:
        claims.move(tx, task, "handed_off", why)
    _hand_over(project, Handed(task.issue, task.slot, task.agent, why), "")


def _tell_of_work(project: Project, attempt: Attempt, saved: str) -> None:
    """Somebody closed the issue, perhaps without knowing that there is work on it."""
    issue, agent = attempt.issue.id, attempt.claim.agent
    note = f"It was not landed and is kept under {saved}. Open the issue again, and the next attempt is told of it."
    with project.ledger.write() as tx:
        subject = f"{issue} was closed while {agent} worked on it"
        letters.send(tx, letters.COORDINATOR, letters.Draft((letters.PEOPLE,), subject, note, issue))


def _tell_people(project: Project, attempt: Attempt, why: str, saved: str) -> None:
    refs = dict.fromkeys([*(handoff.saved for handoff in attempt.handoffs), saved])
    kept = ", ".join(ref for ref in refs if ref)
    note = (f"; work is kept under {kept}" if kept else "") + (f"; {attempt.strays}" if attempt.strays else "")
    _hand_over(project, Handed(attempt.issue.id, attempt.held.slot.name, attempt.claim.agent, why), note)


@dataclass(frozen=True)
class Handed:
    """What is handed to a person: the issue, by whom it was tried last and where, and why."""

    issue: str
    slot: str
    agent: str
    why: str


def _hand_over(project: Project, handed: Handed, more: str) -> None:
    issue = handed.issue
    note = f"agent-coord: {handed.why}{more}; what was tried: {handoff_file(project, issue)}"
    note += f"; log: {project.logs / issue}"
    project.mirror(lambda tracker: tracker.hand_off(issue, note))
    with project.ledger.write() as tx:
        draft = letters.Draft((letters.PEOPLE,), f"{issue} needs a person: {handed.why}", note, issue, "high")
        letters.send(tx, letters.COORDINATOR, draft)
        tx.event("task.handed_off", issue=issue, slot=handed.slot, agent=handed.agent, why=handed.why)
