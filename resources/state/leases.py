"""Who holds what, until when.

A lease has one owner: a process, known by host, boot, pid and start time. It ends when it is released,
when its owner is dead (known at once on the same host) or when its time is up. The supervisor renews
it, never the agent. Whoever acts on a lease names its fence number, and a stale fence changes nothing:
a holder that slept through its expiry cannot undo its successor's work (Kleppmann's fencing token).
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

from resources.state.store import Row, Snapshot, Transaction
from resources.system.boot import owner_gone
from resources.system.clock import boot_id, boot_seconds, host_id, wall
from resources.system.errors import NotNow
from resources.system.process import ProcessId, identify

TTL = 60.0
"""Seconds a lease lives without renewal; agents run for minutes to hours, renewals come every 10 s."""


FOR_EVER = 1e12
"""Boot-clock seconds that never come: what was given by hand ends when it is given back."""


@dataclass(frozen=True)
class Owner:
    """The process that answers for a lease."""

    host: str
    boot: str
    pid: int
    start: str

    @classmethod
    def here(cls) -> Owner:
        """This very process."""
        process = identify()
        return cls(host_id(), boot_id(), process.pid, process.start)

    @classmethod
    def timed(cls) -> Owner:
        """No process answers for it: it ends by its term alone (what a person holds from a terminal)."""
        return cls(host_id(), boot_id(), 0, "")

    @property
    def process(self) -> ProcessId:
        """The process, as far as this host can see it."""
        return ProcessId(self.pid, self.start)

    def to_json(self) -> str:
        """As stored in the ledger."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, text: str) -> Owner:
        """From the ledger."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Lease:
    """One live lease. `taken_at` is wall-clock, `expires` boot-clock seconds."""

    fence: int
    kind: str
    resource: str
    agent: str
    issue: str
    owner: Owner
    taken_at: float
    expires: float

    @classmethod
    def of(cls, row: Row) -> Lease:
        """From a row of the ledger."""
        return cls(
            row["fence"], row["kind"], row["resource"], row["agent"], row["issue"], Owner.of(row["owner"]),
            row["taken_at"], row["expires"],
        )  # fmt: skip


def owner_is_dead(owner: Owner) -> bool:
    """Whether the owner certainly runs no more: another boot of this host, or the process is gone."""
    return owner_gone(owner.host, owner.boot, owner.pid, owner.start)


def is_over(lease: Lease) -> bool:
    """Whether the lease may be taken back: its owner is dead, or its time is up."""
    return owner_is_dead(lease.owner) or (lease.owner.boot == boot_id() and lease.expires < boot_seconds())


def take(tx: Transaction, kind: str, resource: str, *, agent: str, issue: str, ttl: float = TTL) -> Lease:
    """Lease `resource` to `agent`. Raises NotNow("held") naming the holder when somebody has it."""
    fence, owner, now = tx.next_fence(), Owner.here(), wall()
    expires = boot_seconds() + ttl
    try:
        tx.change(
            "lease-insert", fence=fence, kind=kind, resource=resource, agent=agent, issue=issue,
            owner=owner.to_json(), taken_at=now, expires=expires,
        )  # fmt: skip
    except sqlite3.IntegrityError as error:
        row = tx.one("lease-live", kind=kind, resource=resource)
        holder = f"{row['agent']} for {row['issue']}" if row else "another process"
        raise NotNow("held", f"{kind} {resource} is leased to {holder}", mend="agent-coord status") from error
    tx.event(f"{kind}.leased", issue=issue, agent=agent, slot=resource if kind == "slot" else "", fence=fence)
    return Lease(fence, kind, resource, agent, issue, owner, now, expires)


def renew(tx: Transaction, fence: int, *, ttl: float = TTL) -> bool:
    """Extend a lease; False when the fence is no longer valid: the holder must stop."""
    return tx.change("lease-renew", fence=fence, expires=boot_seconds() + ttl) == 1


def is_valid(snapshot: Snapshot, fence: int) -> bool:
    """Whether the lease with this fence number still lives."""
    return any(lease.fence == fence for lease in live(snapshot))


def owner_of(snapshot: Snapshot, fence: int) -> Owner:
    """Who answers for the live lease with this fence number; nobody but the clock when there is none."""
    return next((lease.owner for lease in live(snapshot) if lease.fence == fence), Owner.timed())


def entrust(tx: Transaction, fence: int) -> bool:
    """Let a live lease answer to no process and no term, only to its release; False when the fence is stale."""
    return tx.change("lease-entrust", fence=fence, owner=Owner.timed().to_json(), expires=FOR_EVER) == 1


def inherit(tx: Transaction, lease: Lease) -> Lease | None:
    """Let a live lease, whose owner is dead, answer to this process under its old fence; None when it has ended."""
    owner, expires = Owner.here(), boot_seconds() + TTL
    if tx.change("lease-entrust", fence=lease.fence, owner=owner.to_json(), expires=expires) != 1:
        return None
    return replace(lease, owner=owner, expires=expires)


def release(tx: Transaction, lease: Lease) -> bool:
    """End a lease; False when it had ended before."""
    ended = tx.change("lease-release", fence=lease.fence, now_at=wall()) == 1
    if ended:
        slot = lease.resource if lease.kind == "slot" else ""
        tx.event(f"{lease.kind}.released", issue=lease.issue, agent=lease.agent, slot=slot, fence=lease.fence)
    return ended


def live(snapshot: Snapshot, kind: str | None = None) -> list[Lease]:
    """Every live lease (of one kind), oldest first."""
    found = [Lease.of(row) for row in snapshot.all("leases-live")]
    return [lease for lease in found if kind is None or lease.kind == kind]
