"""Takes over what a coordinator that died had under way: agents that still work, and finished work in the queue.

An agent outlives its coordinator: it writes to a file and needs nobody until it ends. The next coordinator makes
the leases its own, reads the file from the beginning and goes on watching. What cannot be taken over (the agent has
ended meanwhile, its slot is gone, its issue is no longer in the tracker) is left to `recovery`, which saves its work.
Of an agent that is not our child the exit code cannot be had; its last word and git decide instead.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping

from analyzer.backlog.issues import Issue
from coordinator.agents.guard import mark_of
from coordinator.agents.supervisor import Running
from coordinator.bootstrap import Project
from coordinator.mail import reservations
from coordinator.merging import queue
from coordinator.running.attempts import Attempt, assign_again
from coordinator.tasks import claims
from coordinator.tasks.claims import Task
from coordinator.tasks.handoffs import handoffs_of
from resources.state import leases
from resources.state.leases import Lease, owner_is_dead
from resources.state.store import Transaction
from resources.system.errors import Failure
from resources.system.process import is_alive
from resources.worktrees.pool import Held, Slot


def adopt(project: Project) -> list[Attempt]:
    """The attempts that were taken over; they are ours from now on."""
    with project.ledger.read() as snapshot:
        tasks = [task for task in claims.all_tasks(snapshot) if task.state in claims.ACTIVE]
        waiting = {entry.issue for entry in queue.waiting(snapshot)}
    wanted = [task for task in tasks if _goes_on(task, waiting)]
    if not wanted:
        return []
    try:
        issues = {issue.id: issue for issue in project.facts().issues}
    except Failure:
        return []
    slots = {slot.name: slot for slot in project.pool.slots()}
    return [attempt for task in wanted if (attempt := _adopt(project, task, issues, slots)) is not None]


def _goes_on(task: Task, waiting: Iterable[str]) -> bool:
    if task.state == "bounced":
        return True
    if task.state == "judging":
        return task.issue in waiting
    return task.worker is not None and is_alive(task.worker)


def _adopt(project: Project, task: Task, issues: Mapping[str, Issue], slots: Mapping[str, Slot]) -> Attempt | None:
    issue, slot = issues.get(task.issue), slots.get(task.slot)
    if issue is None or not issue.is_open or slot is None or not slot.path.is_dir():
        return None
    with project.ledger.write() as tx:
        claim, lease = _inherit(tx, task)
        if claim is None or lease is None:
            return None
        reservations.inherit(tx, task.issue)
        earlier = handoffs_of(tx, task.issue)
        paths = tuple(one.pattern for one in reservations.live(tx) if one.issue == task.issue)
        session = _session(tx, task)
        tx.event("attempt.adopted", issue=task.issue, slot=slot.name, agent=task.agent, attempt=task.attempt)
    environment = project.pool.environment(slot, lease, task.issue, task.agent)
    held = Held(slot, lease, task.branch, task.base, environment)
    attempt = Attempt(task, issue, claim, held, write=paths, handoffs=earlier, session=session)
    if task.state == "bounced":
        attempt.bounced = task.changed_at
    if task.state == "working":
        attempt.running = _watch_again(project, attempt)
    at_work = "is still at work and" if attempt.running else "has ended; its work"
    project.say(f"{task.issue}: {task.agent} {at_work} was taken over")
    return attempt


def _session(tx: Transaction, task: Task) -> str:
    """The session of an agent that has ended, to be gone on with should its work come back."""
    ended = [row for row in tx.all("events-of-kind", kind="attempt.ended") if row["issue"] == task.issue]
    return str(json.loads(ended[-1]["data"])["session"]) if ended and task.state != "working" else ""


def _inherit(tx: Transaction, task: Task) -> tuple[Lease | None, Lease | None]:
    found = {(lease.kind, lease.resource): lease for lease in leases.live(tx) if lease.issue == task.issue}
    claim, slot = found.get(("issue", task.issue)), found.get(("slot", task.slot))
    if claim is None or slot is None or claim.fence != task.fence:
        return None, None
    if not owner_is_dead(claim.owner) or not owner_is_dead(slot.owner):
        return None, None
    return leases.inherit(tx, claim), leases.inherit(tx, slot)


def _watch_again(project: Project, attempt: Attempt) -> Running:
    adapter = project.adapter(attempt.task.program)
    assignment, log = assign_again(project, attempt)
    worker = attempt.task.worker
    assert worker is not None
    now = time.monotonic()
    mark = mark_of(assignment.room) if adapter.guarded else None
    begin, keep = attempt.task.log_begins, project.config.agents.log_bytes
    return Running(assignment, adapter, worker, log, now, now, mark=mark, begin=begin, keep=keep)
