"""The landing queue as the ledger keeps it: who waits, why, and what became of it.

Every change of an entry names the state it expects; an entry that has moved on is left alone. At most
one live entry per issue exists (a partial unique index), so queueing twice is harmless.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from coordinator.merging.order import Entry, landing_order
from resources.state.store import Snapshot, Transaction
from resources.system.clock import wall
from resources.system.errors import NotNow

PAUSED = "queue_paused"


def waiting(snapshot: Snapshot) -> list[Entry]:
    """The live entries, head first."""
    return landing_order([Entry.of(row) for row in snapshot.all("landing-live")])


def history(snapshot: Snapshot) -> list[Entry]:
    """Every entry ever queued, newest first."""
    return [Entry.of(row) for row in snapshot.all("landings")]


@dataclass(frozen=True)
class Finished:
    """Work that is ready to be judged. `fence` is the claim's, 0 when nobody holds one."""

    issue: str
    branch: str
    tip: str
    fence: int = 0
    priority: int = 2
    slot: str = ""
    agent: str = ""


def enqueue(tx: Transaction, work: Finished) -> None:
    """Queue finished work. Raises NotNow("already-queued") when its issue waits already."""
    values = {name: getattr(work, name) for name in ("issue", "branch", "tip", "fence", "priority")}
    try:
        tx.change("landing-insert", queued_at=wall(), **values)
    except sqlite3.IntegrityError as error:
        raise NotNow(
            "already-queued", f"{work.issue} waits in the landing queue already", mend="agent-coord merge status"
        ) from error
    tx.event("landing.queued", issue=work.issue, slot=work.slot, agent=work.agent, branch=work.branch, tip=work.tip)


def move(tx: Transaction, entry: Entry, new: str, why: str = "", merged: str = "", blamed: int = 0) -> bool:
    """Take `entry` from its state to `new`; False when it had moved on. `blamed` is the trial that it failed."""
    return (
        tx.change(
            "landing-move", id=entry.id, old=entry.state, new=new, why=why, merged=merged, blamed=blamed,
            changed_at=wall(),
        )
        == 1
    )  # fmt: skip


def withdraw(tx: Transaction, issue: str, fence: int, why: str) -> None:
    """Take back what was queued under a claim, so that it is not landed."""
    for entry in waiting(tx):
        if (entry.issue, entry.fence) == (issue, fence):
            move(tx, entry, "withdrawn", why)


def approve(tx: Transaction, entry: Entry) -> bool:
    """A person lets an entry be tried that had to be looked at; False when it does not wait for that."""
    done = tx.change("landing-approve", id=entry.id, changed_at=wall()) == 1
    if done:
        tx.event("landing.approved", issue=entry.issue, why=entry.why)
    return done


def set_priority(tx: Transaction, entry: Entry, priority: int) -> bool:
    """Let a waiting entry land earlier or later; False when it waits no more."""
    done = tx.change("landing-priority", id=entry.id, priority=priority, changed_at=wall()) == 1
    if done:
        tx.event("landing.priority", issue=entry.issue, priority=priority, before=entry.priority)
    return done


def stand_alone(tx: Transaction, issue: str, fence: int) -> None:
    """The claim under which an issue's work was queued is given back, and the work shall land all the same."""
    tx.change("landing-unclaim", issue=issue, fence=fence)


def is_paused(snapshot: Snapshot) -> bool:
    """Whether a person has paused landing."""
    row = snapshot.one("meta-get", key=PAUSED)
    return row is not None and row["value"] == "1"


def pause(tx: Transaction, paused: bool) -> None:
    """Pause or resume landing; what is being checked is finished but not landed while paused."""
    tx.change("meta-put", key=PAUSED, value="1" if paused else "0")
    tx.event("queue.paused" if paused else "queue.resumed")
