"""What an agent says instead of committing: nothing has to be changed. In the ledger, for the attempt it was said in.

An attempt that is resumed has to say it again: what held then need not hold now.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from coordinator.tasks.claims import Task
from resources.state.store import Snapshot, Transaction
from resources.system.clock import wall


class Kind(StrEnum):
    """Why an issue needs no change."""

    NO_CHANGE = "no-change"
    OBSOLETE = "obsolete"
    ALREADY_DONE = "already-done"


@dataclass(frozen=True)
class Resolution:
    """An agent's word on its issue. `proof` is the commit that has done it already, "" to have it looked for."""

    kind: Kind
    why: str
    proof: str = ""


def say(tx: Transaction, task: Task, said: Resolution) -> None:
    """Write it down for the attempt that the task is in."""
    kind, place = said.kind.value, {"slot": task.slot, "agent": task.agent}
    tx.change(
        "resolution-put", issue=task.issue, fence=task.fence, attempt=task.attempt, kind=kind, why=said.why,
        proof=said.proof, now_at=wall(),
    )  # fmt: skip
    tx.event("task.said", issue=task.issue, attempt=task.attempt, resolution=kind, why=said.why, **place)


def said_in(snapshot: Snapshot, task: Task) -> Resolution | None:
    """What was said in the attempt that the task is in, None when nothing was."""
    row = snapshot.one("resolution-of", issue=task.issue, fence=task.fence, attempt=task.attempt)
    return Resolution(Kind(row["kind"]), row["why"], row["proof"]) if row else None
