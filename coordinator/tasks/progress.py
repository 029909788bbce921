"""What agents say of their issues: started, completed, failed, each at once and without a merge.

An agent that works by itself claims with `start` (the same lease on the issue that the coordinator takes, so the two
never work on one issue) and gives the claim back with `fail`. `complete` keeps it until the issue is closed in the
tracker: nobody shall take up finished work again because its merge takes long. In a coordinator's slot the claim
is the coordinator's, and what the agent says is only news: the gate judges.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from resources.state import leases
from resources.state.leases import Lease
from resources.state.store import Row, Snapshot, Transaction
from resources.system.clock import wall
from resources.system.errors import Failure, NotNow

STARTED, COMPLETED, FAILED = "started", "completed", "failed"


@dataclass(frozen=True)
class Progress:
    """The last word on an issue; `pr` is 0 without a pull request. Times are wall-clock seconds."""

    issue: str
    state: str
    agent: str
    fence: int
    pr: int
    why: str
    started_at: float
    changed_at: float

    @classmethod
    def of(cls, row: Row) -> Progress:
        """From a row of the ledger."""
        return cls(**row)


def all_progress(snapshot: Snapshot) -> dict[str, Progress]:
    """Issue -> the last word on it."""
    return {row["issue"]: Progress.of(row) for row in snapshot.all("progress-all")}


def start(tx: Transaction, issue: str, agent: str) -> Progress:
    """The agent begins. Safe to repeat. Raises NotNow("held") naming who works on it."""
    row = tx.one("lease-live", kind="issue", resource=issue)
    held = Lease.of(row) if row else None
    said = tx.one("progress-of", issue=issue)
    if held is None or held.agent != agent:
        held = leases.take(tx, "issue", issue, agent=agent, issue=issue)
        leases.entrust(tx, held.fence)
    elif said is not None and said["state"] == STARTED and said["fence"] == held.fence:
        return Progress.of(said)
    tx.change("progress-start", issue=issue, agent=agent, fence=held.fence, now_at=wall())
    tx.event("progress.started", issue=issue, agent=agent)
    return Progress.of(tx.one("progress-of", issue=issue) or {})


def complete(tx: Transaction, issue: str, agent: str, pr: int = 0) -> None:
    """The agent has finished; what waits for the issue may start. Raises NotNow("not-yours")."""
    _end(tx, issue, agent, COMPLETED, pr=pr)


def fail(tx: Transaction, issue: str, agent: str, why: str) -> None:
    """The agent gives up; somebody else may start. Raises NotNow("not-yours")."""
    said = _end(tx, issue, agent, FAILED, why=why)
    _free(tx, said)


def _end(tx: Transaction, issue: str, agent: str, state: str, *, pr: int = 0, why: str = "") -> Progress:
    said = tx.one("progress-of", issue=issue)
    if not tx.change("progress-end", issue=issue, agent=agent, state=state, pr=pr, why=why, now_at=wall()):
        if said is None:
            raise Failure("not-started", f"{issue} was not started", mend=f"agent-coord task start {issue}")
        raise NotNow(
            "not-yours", f"{issue} was {said['state']} by {said['agent']}; you are {agent}",
            mend="agent-coord task progress",
        )  # fmt: skip
    tx.event(f"progress.{state}", issue=issue, agent=agent, pr=pr, why=why)
    return Progress.of(said or {})


def _free(tx: Transaction, said: Progress) -> None:
    """End the claim that `start` took; a coordinator's own claim answers to a process and stays."""
    row = tx.one("lease-live", kind="issue", resource=said.issue)
    lease = Lease.of(row) if row else None
    if lease is not None and lease.fence == said.fence and not lease.owner.pid:
        leases.release(tx, lease)


def free_done(tx: Transaction, closed: Container[str]) -> list[str]:
    """End the claims of what was completed by agents and is closed in the tracker now; returns the issues."""
    done = [said for said in all_progress(tx).values() if said.issue in closed]
    held = {lease.resource for lease in leases.live(tx, "issue")}
    for said in done:
        _free(tx, said)
    return [said.issue for said in done if said.issue in held]
