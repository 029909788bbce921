"""Puts right what a coordinator left that died: the first thing that the next one does.

Only the dead are touched: a claim whose owner lives is somebody's work. An agent that outlived its
coordinator is stopped (nobody watches it, and its work is in its worktree); its slot is given back by
the pool, which saves what has not landed; the task waits for another attempt. Finished work is not done again: an
entry of the queue has landed, which git knows, or keeps its place without a claim. What has landed is never
opened again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from coordinator.agents.supervisor import shorten
from coordinator.bootstrap import Project
from coordinator.mail import reservations
from coordinator.merging import queue
from coordinator.merging.land import landing_of
from coordinator.running.attempts import log_file
from coordinator.running.handoff_file import forget_handoffs
from coordinator.tasks import claims
from coordinator.tasks.claims import ACTIVE, Task
from coordinator.tasks.tracker import Tracker
from resources.state import leases
from resources.state.leases import owner_is_dead
from resources.system.process import stop_group


def recover(project: Project) -> list[str]:
    """Repair tasks, entries and slots whose owner is dead; returns what was done, in sentences."""
    done = list(_landings(project))
    done += _tasks(project)
    done += _claims(project)
    done += project.pool.repair()
    return done


def _landings(project: Project) -> Iterator[str]:
    with project.ledger.read() as snapshot:
        under_way = {(task.issue, task.fence) for task in claims.all_tasks(snapshot) if task.state in ACTIVE}
        # An entry may be through while its task, its issue in the tracker and its slot do not know it yet.
        through = [entry for entry in queue.history(snapshot) if entry.state == "landed"]
        entries = queue.waiting(snapshot) + [one for one in through if (one.issue, one.fence) in under_way]
    for entry in entries:
        if not entry.fence or not _is_orphan(project, entry.issue):
            # Queued by hand: the lane looks at it afresh.
            continue
        # In a shared checkout every commit is on the branch at once, accepted or not.
        shared = project.config.shared
        merged = None if shared else landing_of(project.repository, project.base, entry.tip)
        if merged is not None or entry.state == "landed":
            _finish(project, entry, merged or "")
            yield f"{entry.issue} had landed before the coordinator stopped"
        else:
            with project.ledger.write() as tx:
                queue.stand_alone(tx, entry.issue, entry.fence)
                task = claims.find_task(tx, entry.issue)
                if task is not None and task.fence == entry.fence:
                    claims.give_back(tx, task)
                    reservations.release_issue(tx, task.issue)
            yield f"{entry.issue} is finished and keeps its place in the landing queue"


def _finish(project: Project, entry: queue.Entry, merged: str) -> None:
    known = entry.state == "landed"
    with project.ledger.write() as tx:
        if not known:
            queue.move(tx, entry, "landed", merged=merged)
        row = tx.one("task", issue=entry.issue)
        task = Task.of(row) if row else None
        if task is not None and task.fence == entry.fence:
            claims.move(tx, task, "landed", "landed")
            claims.give_back(tx, task)
            reservations.release_issue(tx, task.issue)
            if not known:
                tx.event("landing.landed", issue=entry.issue, slot=task.slot, agent=task.agent, attempt=task.attempt)
    forget_handoffs(project, entry.issue)
    project.mirror(lambda tracker: tracker.close(entry.issue, f"landed on {project.base}"))


def _is_orphan(project: Project, issue: str) -> bool:
    with project.ledger.read() as snapshot:
        task = claims.find_task(snapshot, issue)
        owner = claims.claim_owner(snapshot, task) if task else None
    return owner is None or owner_is_dead(owner)


def _tasks(project: Project) -> Iterator[str]:
    with project.ledger.read() as snapshot:
        queued = {entry.issue for entry in queue.waiting(snapshot)}
        tasks = [task for task in claims.all_tasks(snapshot) if task.state in ACTIVE]
    tasks = [task for task in tasks if task.state != "judging" or task.issue not in queued]
    for task in tasks:
        if not _is_orphan(project, task.issue):
            continue
        if task.worker is not None:
            stop_group(task.worker)
            log = log_file(project, task.issue, task.attempt)
            shorten(log, task.log_begins, project.config.agents.log_bytes)
        with project.ledger.write() as tx:
            # Not "retry": the attempt did not fail, so nothing has to land before the next one.
            claims.move(tx, task, "waiting", "its coordinator stopped")
            claims.give_back(tx, task)
            reservations.release_issue(tx, task.issue)
        project.mirror(partial(_unclaim, task.issue))
        yield f"{task.issue} waits for another attempt: its coordinator stopped"


def _unclaim(issue: str, tracker: Tracker) -> None:
    tracker.unclaim(issue)


def _claims(project: Project) -> Iterator[str]:
    # A coordinator can die between taking the claim and recording the attempt.
    with project.ledger.write() as tx:
        for lease in leases.live(tx, "issue"):
            if owner_is_dead(lease.owner):
                leases.release(tx, lease)
                reservations.release_issue(tx, lease.issue)
                yield f"the claim of {lease.agent} on {lease.issue} was given back: its owner is gone"
