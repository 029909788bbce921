"""What a slot is, and every decision about slots that needs no machine.

A slot is a folder that belongs to the pool and to nobody else: `pool-wt-3` for work, `gate-1` for the
gate. Its number is never its place in a list: numbers have gaps after a shrink, and the lowest free one
is given out next. Branches are named after the slot, so that a branch tells whose it is and the fence
around a slot's refs is one prefix.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.state.leases import Lease
from resources.state.store import Row
from resources.system.repository import git_dir_of
from resources.worktrees.view import View, same_view

PREFIX = {"work": "pool-wt-", "gate": "gate-"}
"""How the slots of each purpose are named; leak detection knows our folders by it."""


@dataclass(frozen=True)
class Slot:
    """One slot as the ledger knows it. `base` is the commit it stands on, `ports` the first and last port."""

    name: str
    number: int
    purpose: str
    path: Path
    state: str
    base: str
    view: Mapping[str, Any]
    database: str
    ports: tuple[int, int]
    note: str
    home: Path | None = None
    """Of a berth: the folder that is its own; its `path` is the checkout that all share."""

    @property
    def is_berth(self) -> bool:
        """Whether it is a place in a shared checkout and no worktree of the pool."""
        return self.home is not None

    @property
    def admin(self) -> Path:
        """Where its guard and its agent keep their files, outside of the tree."""
        return self.home or git_dir_of(self.path) / "agent-coord"

    @classmethod
    def of(cls, row: Row) -> Slot:
        """From a row of the ledger."""
        return cls(
            row["name"], row["number"], row["purpose"], Path(row["path"]), row["state"], row["base"],
            json.loads(row["view"]), row["database"], (row["port_low"], row["port_high"]), row["note"],
        )  # fmt: skip


@dataclass(frozen=True)
class Held:
    """A slot that was just leased: where to work, on which branch ("" in a gate slot), from which commit."""

    slot: Slot
    lease: Lease
    branch: str
    base: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Released:
    """What giving a slot back left: the newest ref that saved work, and why the slot was set aside, if it was."""

    saved_ref: str | None
    quarantined: str | None


def slot_name(purpose: str, number: int) -> str:
    """`pool-wt-3`, `gate-1`."""
    return f"{PREFIX[purpose]}{number}"


def parse_name(name: str) -> tuple[str, int] | None:
    """(purpose, number) of a folder that bears a slot's name, None for any other folder."""
    for purpose, prefix in PREFIX.items():
        number = name.removeprefix(prefix)
        if name.startswith(prefix) and number.isascii() and number.isdigit():
            return purpose, int(number)
    return None


def free_numbers(slots: Iterable[Slot], purpose: str, count: int) -> list[int]:
    """The `count` lowest numbers, from 1, that no slot of that purpose bears."""
    taken = {slot.number for slot in slots if slot.purpose == purpose}
    return [number for number in range(1, len(taken) + count + 1) if number not in taken][:count]


def by_affinity(slots: Iterable[Slot], view: View, base: str, prefer: str) -> list[Slot]:
    """Idle slots, best first: same view (a new one rewrites the tree), same base, then `prefer`, then the number."""
    return sorted(
        slots,
        key=lambda slot: (
            not same_view(View.of(slot.view), view), slot.base != base, slot.name != prefer, slot.number,
        ),
    )  # fmt: skip


def to_remove(slots: Sequence[Slot], count: int, floor: int) -> list[Slot]:
    """The idle slots to take down: highest number first, and never so many that fewer than `floor` remain."""
    idle = sorted((slot for slot in slots if slot.state == "idle"), key=lambda slot: -slot.number)
    return idle[: max(0, min(count, len(slots) - floor))]


def ref_part(text: str) -> str:
    """`text` as one component of a ref name: git's rules (`check-ref-format`) and no slash."""
    part = re.sub(r"[^\w.+=-]+|\.\.+", "-", text).strip(".-")
    return f"{part}-" if part.endswith(".lock") else part or "unnamed"


def branch_of(slot: str, issue: str, attempt: int) -> str:
    """The branch on which a slot works for an issue."""
    return f"{branches_of(slot)}{ref_part(issue)}/{attempt}"


def branches_of(slot: str) -> str:
    """The prefix of every branch that belongs to a slot."""
    return f"agent/{slot}/"


def next_number(refs: Iterable[str]) -> int:
    """One more than the highest number at the end of the refs; 1 when there is none."""
    ends = [ref.rpartition("/")[2] for ref in refs]
    return max((int(end) for end in ends if end.isascii() and end.isdigit()), default=0) + 1


def who_holds(slots: Sequence[Slot], leases: Sequence[Lease]) -> str:
    """A sentence on why none of the slots is free."""
    holders = {lease.resource: f"{lease.agent} for {lease.issue}" for lease in leases}
    said = [f"{slot.name}: {holders.get(slot.name) or slot.note or slot.state}" for slot in slots]
    return "; ".join(said) or "the pool is empty"
