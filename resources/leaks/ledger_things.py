"""The rows of the ledger that claim something: leases, reservations, waits, tasks at work, slots.

Whether a row's owner lives can only be asked on this host, so it is asked here; the fact `over` says why a row
is void, "" when it is not.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from resources.leaks.detect import Thing
from resources.state.leases import FOR_EVER, Lease, Owner, is_over, live, owner_is_dead
from resources.state.store import Ledger, Row
from resources.system.clock import boot_id, boot_seconds
from resources.system.process import ProcessId, is_alive


def ledger_things(ledger: Ledger) -> Iterator[Thing]:
    """Every live lease, every reservation not given back, every wait for one, every task at work."""
    with ledger.read() as snapshot:
        leases = live(snapshot)
        reservations = snapshot.all("reservations-live")
        tasks = snapshot.all("tasks")
        waits = snapshot.all("waits")
    over = {lease.fence: over_because(lease.owner, lease.expires) for lease in leases if is_over(lease)}
    yield from (_lease(lease, over.get(lease.fence, "")) for lease in leases)
    for row in reservations:
        why = over_because(Owner.of(row["owner"]), row["expires"])
        yield Thing("reservation", str(row["id"]), row["taken_at"], {"over": why, "pattern": row["pattern"]})
    for row in waits:
        why = over_because(Owner.of(row["owner"]), FOR_EVER)
        facts = {"over": why, "agent": row["agent"], "issue": row["issue"]}
        yield Thing("wait", f"{row['agent']}/{row['issue']}", row["since_at"], facts)
    valid = {lease.fence for lease in leases} - over.keys()
    yield from (_task(row, valid) for row in tasks if row["state"] in ("working", "bounced"))


def slot_things(ledger: Ledger, *, at_work: bool) -> Iterator[Thing]:
    """Every slot that is being made or given out; `at_work` tells whether some process is at the pool now."""
    with ledger.read() as snapshot:
        held = {lease.resource for lease in live(snapshot, "slot")}
        slots = snapshot.all("slots")
    for row in slots:
        over = ""
        if row["state"] == "making" and not at_work:
            over = "whoever made it, or took it down, was interrupted"
        elif row["state"] == "leased" and row["name"] not in held:
            over = "it is given out, and nobody holds a lease on it"
        yield Thing("slot", row["name"], row["changed_at"], {"over": over})


def over_because(owner: Owner, expires: float) -> str:
    """Why a claim of `owner` until boot-clock second `expires` is void; "" when it is valid."""
    if owner_is_dead(owner):
        return f"its owner (process {owner.pid}) is dead" if owner.boot == boot_id() else "the system was started anew"
    if owner.boot == boot_id() and expires < boot_seconds():
        return f"it expired {boot_seconds() - expires:.0f} s ago"
    return ""


def _lease(lease: Lease, over: str) -> Thing:
    facts = {"over": over, "lease": lease}
    return Thing("lease", str(lease.fence), lease.taken_at, facts)


def _task(row: Row, valid: Collection[int]) -> Thing:
    over = ""
    if row["fence"] not in valid and not _runs(row["process"]):
        over = f"its agent does not run and lease {row['fence']} is over"
    return Thing("task", row["issue"], row["changed_at"], {"over": over, "fence": row["fence"], "row": row})


def _runs(text: str) -> bool:
    try:
        process = json.loads(text)
        return is_alive(ProcessId(int(process["pid"]), str(process["start"])))
    except (ValueError, KeyError, TypeError):
        return False
