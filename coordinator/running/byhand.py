"""An issue given to an agent by hand: the same claim, slot and reservations, no process of ours.

The claim answers to no process: it lasts until it is released, has landed, or its issue is closed in the
tracker, which the coordinator and `doctor --fix` notice.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from analyzer.backlog.issues import Issue
from coordinator.bootstrap import Project
from coordinator.crowd import BY_HAND
from coordinator.gate.recall import ran_before
from coordinator.guard.strays import Strays, find_strays
from coordinator.mail import reservations
from coordinator.merging.rewritten import Dropped
from coordinator.merging.rulings import Ruling
from coordinator.running import attempts
from coordinator.running.attempts import Job
from coordinator.running.handoff_file import forget_handoffs, handoff_file, write_handoff_file
from coordinator.running.planning import find_scope
from coordinator.tasks import claims, progress
from coordinator.tasks.claims import ACTIVE, Task, Wish
from coordinator.tasks.handoffs import Handoff, leave
from coordinator.tasks.lifecycle import Next, Outcome, decide
from resources.state import leases
from resources.state.leases import Lease
from resources.system.errors import Failure, NotNow
from resources.system.process import is_alive, stop_group
from resources.worktrees.pool import Held


def assign_by_hand(project: Project, agent: str, issue: str) -> Held:
    """Claim `issue` for `agent` and lease a slot. Raises NotNow("held"), ("pool-full"), ("reserved")."""
    if project.config.shared:
        raise Failure(
            "shared-checkout", "in a shared checkout nobody is given a place by hand",
            mend=f"agent-coord task start {issue}; agent-coord reserve add FILE --why TEXT",
        )  # fmt: skip
    found, scope = find_scope(project, issue)
    if not found.is_open:
        raise Failure("issue-closed", f"{issue} is {found.status}", mend="track-analyzer recommend")
    with project.ledger.write() as tx:
        claims.enlist(tx, [Wish(issue, found.title, "", BY_HAND, "independent", 0)], again=True)
        task = claims.find_task(tx, issue)
    if task is None or task.state in ACTIVE:
        holder = task.agent if task else "somebody"
        raise NotNow("held", f"{issue} is being worked on by {holder}", mend="agent-coord status")
    base = project.base_tip()
    Dropped(project).see(base)
    attempt = attempts.take(project, Job(task, found, scope, agent, base))
    with project.ledger.write() as tx:
        attempts.record(tx, attempt)
        for lease in attempt.leases:
            leases.entrust(tx, lease.fence)
        reservations.entrust(tx, issue)
    project.mirror(lambda tracker: tracker.claim(issue, agent))
    return attempt.held


@dataclass(frozen=True)
class GivenBack:
    """What a slot was given back with: the ref that holds unlanded work ("" none), and what lay where it should not."""

    saved: str
    strays: Strays

    @property
    def told(self) -> str:
        """Where the work is kept, for the end of a line; "" when there was none."""
        return f"; its work is kept under {self.saved}" if self.saved else ""


def release_by_hand(project: Project, slot: str, *, keep: bool) -> GivenBack:
    """Give `slot` back whoever holds it; strays are told.

    Raises NotNow("coordinator-owns") while a running coordinator works with it.
    """
    lease, task = _holder(project, slot)
    owner = lease.owner
    if owner.pid and not leases.owner_is_dead(owner):
        raise NotNow(
            "coordinator-owns", f"{slot} belongs to the running coordinator (pid {owner.pid})",
            mend="agent-coord cleanup --yes stops it and gives everything back",
        )  # fmt: skip
    if task is not None and task.worker is not None and is_alive(task.worker):
        stop_group(task.worker)
    given = _give_back(project, lease, keep=keep)
    if task is not None:
        _free(project, task, "released")
        project.mirror(lambda tracker: tracker.unclaim(task.issue))
    return given


def _give_back(project: Project, lease: Lease, *, keep: bool = False) -> GivenBack:
    """Release the slot; what its attempt left in the main checkout or out of its scope is told and noted before."""
    strays = _strays(project, lease)
    for line in filter(None, (strays.told, *strays.slot)):
        project.say(f"{lease.issue}: {line}")
    if strays.told:
        with project.ledger.write() as tx:
            tx.event("strays.found", issue=lease.issue, slot=lease.resource, agent=lease.agent, strays=strays.told)
    return GivenBack(project.pool.release(lease, keep=keep).saved_ref or "", strays)


def _strays(project: Project, lease: Lease) -> Strays:
    slot = next((slot for slot in project.pool.slots() if slot.name == lease.resource), None)
    if slot is None or not slot.path.is_dir():
        return Strays()
    try:
        project.pool.regain(slot)
    except Failure:
        return Strays()
    return find_strays(slot.path)


def free_closed(project: Project, issues: Mapping[str, Issue], own: Container[str] = ()) -> list[str]:
    """Give back what was assigned or claimed by hand and has been closed since; `own` are the loop's attempts."""
    with project.ledger.write() as tx:
        tasks = [task for task in claims.all_tasks(tx) if task.state in ACTIVE and task.program == BY_HAND]
        closed = {name for name, issue in issues.items() if not issue.is_open}
        lines = [f"{issue} was closed: its claim is over" for issue in progress.free_done(tx, closed)]
    for task in tasks:
        if task.issue in own or task.issue not in issues or issues[task.issue].is_open:
            continue
        lease, _ = _holder(project, task.slot)
        given = _give_back(project, lease)
        _free(project, task, "released")
        lines.append(f"{task.slot} is free: {task.issue} was closed{given.told}")
    return lines


def settle_alone(project: Project, ruling: Ruling) -> None:
    """What a ruling means for work that no attempt of the loop stands for: queued by a person, or left in the queue."""
    with project.ledger.read() as snapshot:
        task = claims.find_task(snapshot, ruling.issue)
    if ruling.outcome is Outcome.LANDED:
        project.mirror(lambda tracker: tracker.close(ruling.issue, ruling.why))
        forget_handoffs(project, ruling.issue)
        if task is not None and task.slot:
            lease, _ = _holder(project, task.slot)
            _give_back(project, lease)
        if task is not None and task.state in ACTIVE:
            _free(project, task, "landed")
    elif task is not None:
        _bounce_alone(project, task, ruling)
        project.say(f"{ruling.issue} did not land: {ruling.why}\n{ruling.evidence}".rstrip())


def _bounce_alone(project: Project, task: Task, ruling: Ruling) -> None:
    state, why, left = "working", f"did not land: {ruling.why}", False
    if ruling.outcome is Outcome.LOOK:
        state, why = task.state, ruling.why
    elif task.program != BY_HAND and not task.slot:
        step = decide(ruling.outcome, task.attempt, project.config.agents.attempts, ruling.why)
        states = {Next.HAND_OFF: "handed_off", Next.BEGIN_ANEW: "waiting"}
        state, why = states.get(step.next, "retry"), step.why
        left = step.next is not Next.BEGIN_ANEW
        note = f"agent-coord: {why}; what was tried: {handoff_file(project, task.issue)}"
        project.mirror(
            (lambda tracker: tracker.hand_off(task.issue, note))
            if state == "handed_off"
            else (lambda tracker: tracker.unclaim(task.issue))
        )
    with project.ledger.write() as tx:
        claims.move(tx, task, state, why)
        if state == "waiting":
            tx.change("task-uncount", issue=task.issue)
        if left:
            ran = ran_before(tx, project.config.gate, task.issue)
            leave(tx, task.issue, Handoff(task.attempt, ruling.why, ruling.evidence, ran=ran))
    if left:
        write_handoff_file(project, task.issue, task.title)


def _holder(project: Project, slot: str) -> tuple[Lease, Task | None]:
    with project.ledger.read() as snapshot:
        lease = next((one for one in leases.live(snapshot, "slot") if one.resource == slot), None)
        if lease is None:
            known = any(row["name"] == slot for row in snapshot.all("slots"))
            what = f"{slot} is not leased" if known else f"there is no slot {slot}"
            raise Failure("not-leased", what, mend="agent-coord pool status")
        return lease, claims.find_task(snapshot, lease.issue)


def _free(project: Project, task: Task, state: str) -> None:
    with project.ledger.write() as tx:
        reservations.release_issue(tx, task.issue)
        claims.move(tx, task, state, "given back by hand" if state == "released" else state)
        claims.give_back(tx, task)
