"""Tasks in the ledger: issues that were taken up, who works on them, and their claims.

A claim is a lease on the issue: two coordinators, or a person and a coordinator, cannot both hold it.
The claim's fence number goes with the task, and every later change of the task names it; a change under
a stale fence touches nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from resources.state.leases import Lease, Owner, release, take
from resources.state.store import Row, Snapshot, Transaction
from resources.system.clock import wall
from resources.system.process import ProcessId

ACTIVE = ("working", "judging", "bounced")
"""States in which a task holds a slot; bounced: its work came back, and waits for a free seat."""

PENDING = ("waiting", "retry")
"""States in which a task waits to be started."""

RUN = "run"
"""Who asks for something as long as it runs itself."""


@dataclass(frozen=True)
class Task:
    """An issue that was taken up. `base` is the commit of its last attempt, `rank` its place in the plan."""

    issue: str
    title: str
    state: str
    track: str
    agent: str
    program: str
    slot: str
    branch: str
    base: str
    fence: int
    attempt: int
    why: str
    filter: str
    process: str
    rank: int
    changed_at: float
    asked_by: str = ""

    @classmethod
    def of(cls, row: Row) -> Task:
        """From a row of the ledger."""
        return cls(**row)

    @property
    def worker(self) -> ProcessId | None:
        """The agent's process, None when none was started."""
        known = json.loads(self.process)
        return ProcessId(known["pid"], known["start"]) if known else None

    @property
    def log_begins(self) -> int:
        """Where the output of the agent's process begins in the attempt's log, in bytes."""
        return int(json.loads(self.process).get("offset", 0))


@dataclass(frozen=True)
class Wish:
    """An issue to be taken up: by which program, in which place of the plan, under which filter.

    `asked_by` is RUN for a wish that ends with the run that has it, "" for one that lasts.
    """

    issue: str
    title: str
    track: str
    program: str
    filter: str
    rank: int
    why: str = "waits for its turn"
    asked_by: str = ""


def all_tasks(snapshot: Snapshot) -> list[Task]:
    """Every task, in the order of the plan that took it up."""
    return [Task.of(row) for row in snapshot.all("tasks")]


def find_task(snapshot: Snapshot, issue: str) -> Task | None:
    """The task of an issue."""
    row = snapshot.one("task", issue=issue)
    return Task.of(row) if row else None


def enlist(tx: Transaction, wishes: list[Wish], *, again: bool) -> list[str]:
    """Take up issues; returns those that were not taken up before.

    `again` takes up what was released, handed off or landed before too: a person asks for it, not the loop.
    """
    known = set() if again else {row["issue"] for row in tx.all("tasks")}
    new = []
    for wish in wishes:
        if wish.issue in known:
            continue
        if not wish.asked_by:
            tx.change("task-keep", issue=wish.issue)
        values = {name: getattr(wish, name) for name in wish.__dataclass_fields__}
        if tx.change("task-put", changed_at=wall(), **values):
            tx.event("task.queued", issue=wish.issue, track=wish.track, filter=wish.filter)
            new.append(wish.issue)
    return new


def withdraw(tx: Transaction, *, begun: bool) -> list[str]:
    """Take back what runs that have ended still ask for; returns the issues.

    What was never begun leaves no task, so that it can be taken up again as if for the first time. What has had an
    attempt is left as it is unless `begun`. Only for who holds the coordinator's lock: no run is alive beside it.
    """
    tasks = [task for task in all_tasks(tx) if task.asked_by == RUN and task.state in PENDING]
    gone = [task for task in tasks if begun or not task.attempt]
    for task in gone:
        if not tx.change("task-forget", issue=task.issue):
            move(tx, task, "released", "the run that asked for it has ended")
        tx.event("task.withdrawn", issue=task.issue)
    return [task.issue for task in gone]


def claim(tx: Transaction, issue: str, agent: str) -> Lease:
    """Lease the issue to `agent`. Raises NotNow("held") naming the holder."""
    return take(tx, "issue", issue, agent=agent, issue=issue)


def begin(tx: Transaction, task: Task, lease: Lease, **place: str) -> None:
    """An attempt starts: `place` gives agent, program, slot, branch and base."""
    tx.change(
        "task-work",
        issue=task.issue,
        fence=lease.fence,
        attempt=task.attempt + 1,
        process="{}",
        changed_at=wall(),
        **place,
    )


def record_process(tx: Transaction, issue: str, fence: int, process: ProcessId, offset: int) -> None:
    """Remember the agent's process and where its output begins in the log, so that a later coordinator finds both."""
    known = json.dumps({"pid": process.pid, "start": process.start, "offset": offset})
    tx.change("task-process", issue=issue, fence=fence, process=known, changed_at=wall())


def move(tx: Transaction, task: Task, state: str, why: str = "") -> bool:
    """Change a task's state under its fence; False when somebody else has taken it over."""
    return tx.change("task-move", issue=task.issue, fence=task.fence, state=state, why=why, changed_at=wall()) == 1


def give_back(tx: Transaction, task: Task) -> None:
    """End the claim; the task holds neither slot nor fence any more."""
    row = tx.one("lease-live", kind="issue", resource=task.issue)
    if row is not None and row["fence"] == task.fence:
        release(tx, Lease.of(row))
    tx.change("task-free", issue=task.issue, fence=task.fence, changed_at=wall())


def claim_owner(snapshot: Snapshot, task: Task) -> Owner | None:
    """Who answers for a task's claim, None when it is not claimed."""
    row = snapshot.one("lease-live", kind="issue", resource=task.issue)
    return Owner.of(row["owner"]) if row else None
