"""The pool's rows in the ledger, in words: which slots there are, who has them, and every change of state.

A slot moves  making -> idle -> leased -> idle,  and from anywhere to quarantine. Each move names the state
that it leaves and changes no row when somebody else was faster; each writes its event in the same
transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from resources.settings import PoolSettings
from resources.state import leases
from resources.state.leases import Lease
from resources.state.store import Ledger, Transaction
from resources.system.clock import wall
from resources.worktrees.ports import find_range
from resources.worktrees.slots import Slot, free_numbers, slot_name
from resources.worktrees.view import View


class Records:
    """What the ledger says about slots."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def slots(self, purpose: str | None = None) -> list[Slot]:
        """Every slot (of one purpose), in order of number."""
        with self.ledger.read() as snapshot:
            found = [Slot.of(row) for row in snapshot.all("slots")]
        return [slot for slot in found if purpose in (None, slot.purpose)]

    def slot(self, name: str) -> Slot | None:
        """One slot, None when there is none of that name."""
        with self.ledger.read() as snapshot:
            row = snapshot.one("slot", name=name)
        return Slot.of(row) if row else None

    def idle_since(self) -> dict[str, float]:
        """When each idle slot was last given back or made, in seconds since 1970."""
        with self.ledger.read() as snapshot:
            return {row["name"]: row["changed_at"] for row in snapshot.all("slots") if row["state"] == "idle"}

    def leases(self) -> dict[str, Lease]:
        """The live lease of each slot that has one."""
        with self.ledger.read() as snapshot:
            return {lease.resource: lease for lease in leases.live(snapshot, "slot")}

    def holds(self, lease: Lease) -> bool:
        """Whether the lease still stands, by its fence: only then may its holder touch the slot."""
        with self.ledger.read() as snapshot:
            row = snapshot.one("lease-live", kind=lease.kind, resource=lease.resource)
        return row is not None and row["fence"] == lease.fence

    def announce(
        self, purpose: str, folder: Path, count: int, settings: PoolSettings, elsewhere: Sequence[tuple[int, int]]
    ) -> list[Slot]:
        """Rows for `count` slots that are about to be made, with a free range of ports each, none of `elsewhere`.

        Raises Failure("no-ports").
        """
        made: list[Slot] = []
        with self.ledger.write() as tx:
            known = [Slot.of(row) for row in tx.all("slots")]
            taken = [*elsewhere, *(slot.ports for slot in known)]
            for number in free_numbers(known, purpose, count):
                taken.append(find_range(taken, settings.port_base, settings.ports_per_slot))
                name = slot_name(purpose, number)
                made.append(
                    _insert(tx, Slot(name, number, purpose, folder / name, "making", "", {}, "", taken[-1], ""))
                )
        return made

    def adopt(self, slot: Slot, why: str) -> None:
        """A quarantined row for a worktree of ours that the ledger does not know; a number that is taken is changed."""
        with self.ledger.write() as tx:
            known = [Slot.of(row) for row in tx.all("slots")]
            taken = {one.number for one in known if one.purpose == slot.purpose}
            number = slot.number if slot.number not in taken else free_numbers(known, slot.purpose, 1)[0]
            _insert(tx, replace(slot, number=number))
            _move(tx, slot.name, "making", "quarantine", why)

    def claim(
        self, choose: Callable[[list[Slot]], list[Slot]], purpose: str, agent: str, issue: str
    ) -> tuple[Slot, Lease] | None:
        """Lease the first of the idle slots in the order of `choose`, in one transaction; None when none is idle."""
        with self.ledger.write() as tx:
            busy = {lease.resource for lease in leases.live(tx, "slot")}
            slots = [Slot.of(row) for row in tx.all("slots")]
            idle = [one for one in slots if one.purpose == purpose and one.state == "idle" and one.name not in busy]
            for slot in choose(idle):
                _move(tx, slot.name, "idle", "leased", "")
                return slot, leases.take(tx, "slot", slot.name, agent=agent, issue=issue)
        return None

    def prepared(self, slot: Slot, *, base: str, view: View, database: str, ports: tuple[int, int]) -> Slot:
        """Record what a slot stands on, shows and has; returns it as it now is. Writes nothing when nothing changed."""
        shown = view.to_json()
        if (slot.base, dict(slot.view), slot.database, slot.ports) != (base, shown, database, ports):
            with self.ledger.write() as tx:
                tx.change(
                    "slot-prepared", name=slot.name, base=base, view=json.dumps(shown, sort_keys=True),
                    database=database, port_low=ports[0], port_high=ports[1],
                )  # fmt: skip
        return Slot(
            slot.name, slot.number, slot.purpose, slot.path, slot.state, base, shown, database, ports, slot.note
        )

    def move(self, slot: Slot, old: str, new: str, note: str = "", *, ending: Lease | None = None) -> bool:
        """Move a slot from one state to another and end the lease `ending`, in one transaction.

        False, and nothing is changed, when the slot is no longer in `old` or the lease is no longer live.
        """
        with self.ledger.write() as tx:
            row = tx.one("slot", name=slot.name)
            live = tx.one("lease-live", kind="slot", resource=slot.name)
            if row is None or row["state"] != old or (ending and (live is None or live["fence"] != ending.fence)):
                return False
            if ending:
                leases.release(tx, ending)
            _move(tx, slot.name, old, new, note)
        return True

    def ports(self) -> list[tuple[int, int]]:
        """The ranges that the slots have."""
        return [slot.ports for slot in self.slots() if slot.ports[0]]

    def note_database(self, name: str, source: str, seconds: float) -> None:
        """Tell the log that a slot was given a new database, from where, and how long it took."""
        with self.ledger.write() as tx:
            tx.event("database.given", slot=name, source=source, seconds=round(seconds, 4))

    def forget(self, slot: Slot) -> None:
        """Delete the row of a slot whose folder and database are gone."""
        with self.ledger.write() as tx:
            tx.change("slot-delete", name=slot.name)
            tx.event("slot.removed", slot=slot.name)

    def end(self, lease: Lease) -> None:
        """End a lease whose slot is no more."""
        with self.ledger.write() as tx:
            leases.release(tx, lease)

    def set_aside_leaseless(self) -> list[Slot]:
        """Move every slot that is given out though nobody holds a lease on it to quarantine; returns them."""
        with self.ledger.write() as tx:
            held = {lease.resource for lease in leases.live(tx, "slot")}
            found = [Slot.of(row) for row in tx.all("slots") if row["state"] == "leased" and row["name"] not in held]
            for slot in found:
                _move(tx, slot.name, "leased", "quarantine", "nobody holds a lease on it")
        return found

    def agent_of(self, lease: Lease) -> dict[str, object]:
        """The process that the task in this slot recorded for its agent, {} when there is none."""
        with self.ledger.read() as snapshot:
            rows = snapshot.all("tasks")
        found: Sequence[dict[str, object]] = [
            json.loads(row["process"]) for row in rows if (row["slot"], row["issue"]) == (lease.resource, lease.issue)
        ]
        return found[0] if found else {}

    def waiting_branches(self) -> set[str]:
        """The branches in the landing queue: nobody else may delete them."""
        with self.ledger.read() as snapshot:
            return {row["branch"] for row in snapshot.all("landing-live")}

    def project(self) -> str:
        """This project's uid; made at the first question when `init` did not."""
        return self._meta("project") or self._make_project()

    def base_branch(self) -> str:
        """The name of the branch that work lands on, "" when it was not recorded."""
        return self._meta("base_branch")

    def note(self, key: str) -> str:
        """A word that the pool keeps in the ledger, "" when it was never said."""
        return self._meta(key)

    def set_note(self, key: str, value: str) -> None:
        """Keep a word in the ledger."""
        with self.ledger.write() as tx:
            tx.change("meta-put", key=key, value=value)

    def _meta(self, key: str) -> str:
        with self.ledger.read() as snapshot:
            row = snapshot.one("meta-get", key=key)
        return row["value"] if row else ""

    def _make_project(self) -> str:
        import secrets

        with self.ledger.write() as tx:
            row = tx.one("meta-get", key="project")
            if row is None:
                row = {"value": secrets.token_hex(6)}
                tx.change("meta-put", key="project", value=row["value"])
        return row["value"]


def _insert(tx: Transaction, slot: Slot) -> Slot:
    low, high = slot.ports
    tx.change(
        "slot-insert", name=slot.name, number=slot.number, purpose=slot.purpose, path=str(slot.path), changed_at=wall()
    )
    tx.change("slot-prepared", name=slot.name, base="", view="{}", database="", port_low=low, port_high=high)
    tx.event("slot.announced", slot=slot.name)
    return slot


def _move(tx: Transaction, name: str, old: str, new: str, note: str) -> None:
    tx.change("slot-state", name=name, old=old, new=new, note=note, changed_at=wall())
    if new == "leased":
        return  # the lease writes its own event
    tx.event(f"slot.{new}", slot=name, was=old, why=note)
