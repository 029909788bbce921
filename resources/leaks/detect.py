"""What is a leak? One subtraction: what bears our mark, less what the ledger says is held.

Pure. The inventory lists things that bear our mark and nothing else, so this module never has to ask whose
something is; it only asks whether a live lease, a slot row or a live task holds it. A thing whose kind has no
rule here is never a leak.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

LIVE_TASKS = frozenset({"waiting", "working", "judging", "bounced", "retry"})
"""Task states in which the task's branch is still needed; landed, handed off and released work is elsewhere."""

DATABASE_KINDS = frozenset({"database", "role", "template", "spare", "retired", "half-dropped", "half-made", "server"})

RETIRED_AGE = 600.0
"""Seconds after which nobody will drop a replaced database any more."""

LOCK_AGE = 600.0
"""Seconds after which a git lock that nobody has open was left by a killed git."""

TEMPORARY_AGE = 3600.0
"""Seconds after which a half-written file was left by a killed writer."""


@dataclass(frozen=True)
class Thing:
    """One thing that bears our mark. `since` is when it came to be (wall-clock seconds, None when unknown)."""

    kind: str
    name: str
    since: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other thing."""
        return self.kind, self.name


@dataclass(frozen=True)
class Inventory:
    """Everything of ours that was seen. When not `complete`, absence proves nothing; `why` says what was missing.

    `unseen` are kinds that were left out on purpose (a sleeping server was not woken): nothing of them is
    reclaimed or pardoned by this inventory, the other kinds do not depend on them.
    """

    complete: bool
    why: str
    things: tuple[Thing, ...]
    unseen: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Held:
    """What the ledger says is held: slots with a row, valid leases' fences and issues, live branches.

    `making` tells that some slot is being made now; `condemned` maps a leak's key to its first sighting.
    """

    slots: frozenset[str] = frozenset()
    fences: frozenset[int] = frozenset()
    issues: frozenset[str] = frozenset()
    branches: frozenset[str] = frozenset()
    making: bool = False
    condemned: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Leak:
    """A thing that nobody holds: why, and what will be done about it.

    `age` is in seconds and `since` and `condemned_at` are wall-clock seconds; None when not known or not yet.
    """

    kind: str
    name: str
    why: str
    age: float | None
    since: float | None
    action: str
    condemned_at: float | None
    thing: Thing

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other leak."""
        return self.kind, self.name


def detect(inventory: Inventory, held: Held, now: float) -> tuple[Leak, ...]:
    """The leaks among the things seen at `now` (wall-clock seconds), in the order in which they are to be reclaimed."""
    leaks = [leak for thing in inventory.things if (leak := _judged(thing, held, now)) is not None]
    return tuple(sorted(leaks, key=lambda leak: (_ORDER.index(leak.kind), leak.name)))


def due(leak: Leak, now: float, wait: float) -> bool:
    """Whether the leak was first seen at least `wait` seconds ago."""
    return leak.condemned_at is not None and now - leak.condemned_at >= wait


def _judged(thing: Thing, held: Held, now: float) -> Leak | None:
    rule = _RULES.get(thing.kind)
    age = None if thing.since is None else max(now - thing.since, 0.0)
    why = rule.why(thing, held, age) if rule else ""
    if rule is None or not why:
        return None
    return Leak(
        thing.kind, thing.name, why, age, thing.since, rule.action, held.condemned.get(thing.key), thing
    )  # fmt: skip


def _process(thing: Thing, held: Held, _: float | None) -> str:
    return "" if _fence_held(thing, held) else f"{thing.facts['program']} still runs; {_ended_lease(thing)}"


def _zombie(thing: Thing, held: Held, _: float | None) -> str:
    if _fence_held(thing, held):
        return ""
    return f"dead, but its parent {thing.facts['parent']} has not taken note; {_ended_lease(thing)}"


def _port(thing: Thing, held: Held, _: float | None) -> str:
    return "" if _fence_held(thing, held) else f"process {thing.facts['pid']} listens on it; {_ended_lease(thing)}"


def _fence_held(thing: Thing, held: Held) -> bool:
    # Fence 0 marks what sets a slot up before it can be leased.
    fence = thing.facts["fence"]
    return fence in held.fences or (fence == 0 and held.making)


def _ended_lease(thing: Thing) -> str:
    fence = thing.facts["fence"]
    return f"lease {fence} is over" if fence else "no slot is being made"


def _stated(thing: Thing, _held: Held, _: float | None) -> str:
    # Rows of the ledger and what copies them: whether an owner lives is asked where the ledger is read.
    return thing.facts["over"]


def _worktree(thing: Thing, held: Held, _: float | None) -> str:
    if thing.name in held.slots:
        return ""
    home = thing.facts.get("home")
    return f"{home.name} was renamed" if home else "the ledger knows no such slot"


def _branch(thing: Thing, held: Held, _: float | None) -> str:
    facts = thing.facts
    if thing.name in held.branches or facts["issue"] in held.issues or facts["used_by_others"]:
        return ""
    return f"no live task works on {facts['issue']}"


def _database(thing: Thing, held: Held, _: float | None) -> str:
    slot = thing.facts["slot"]
    if slot is None or slot in held.slots or thing.facts["sessions"]:
        return ""
    return f"made for {slot}, which the ledger does not know"


def _server(thing: Thing, held: Held, age: float | None) -> str:
    # The one that belongs to no slot is the golden one, listed when it runs and nobody builds in it.
    return _database(thing, held, age) if thing.facts["slot"] else "whoever built the template was killed"


def _template(thing: Thing, _held: Held, _: float | None) -> str:
    # A finished template is a cache that the databases' room keeps in bounds by itself. A database that only its
    # owner's mark tells of was made and not yet marked: a build or a spare.
    unfinished = thing.facts["mark"] in {"build", "app"} and not thing.facts["sessions"]
    return "making it was interrupted" if unfinished else ""


def _spare(_thing: Thing, held: Held, _: float | None) -> str:
    return "" if held.slots or held.making else "there are no slots that it could serve"


def _retired(_thing: Thing, _held: Held, age: float | None) -> str:
    return "" if age is None or age < RETIRED_AGE else "a fresh database replaced it, and nobody has dropped it"


def _half_made(thing: Thing, _held: Held, age: float | None) -> str:
    if thing.facts["sessions"] or age is None or age < RETIRED_AGE:
        return ""
    return "files of a database whose making was interrupted"


def _half_dropped(thing: Thing, _held: Held, _: float | None) -> str:
    return "" if thing.facts["sessions"] else "dropping it was interrupted"


def _lock(thing: Thing, _held: Held, age: float | None) -> str:
    if thing.facts["open"] or age is None or age < LOCK_AGE:
        return ""
    return "nobody has it open and no git runs there"


def _login(thing: Thing, held: Held, _: float | None) -> str:
    return "" if thing.name in held.slots else "the ledger knows no such slot"


def _temporary(_thing: Thing, _held: Held, age: float | None) -> str:
    return "" if age is None or age < TEMPORARY_AGE else "its writer was killed"


@dataclass(frozen=True)
class _Rule:
    why: Callable[[Thing, Held, float | None], str]
    action: str


_RULES: dict[str, _Rule] = {
    "process": _Rule(_process, "end it: TERM, then KILL"),
    "port": _Rule(_port, "freed with the process that listens"),
    "zombie": _Rule(_zombie, "reported: only its parent can clear it"),
    "task": _Rule(_stated, "put it back for another attempt"),
    "lease": _Rule(_stated, "save the work, then give it back"),
    "reservation": _Rule(_stated, "give it back"),
    "wait": _Rule(_stated, "strike it out"),
    "lock": _Rule(_lock, "remove it"),
    "slot": _Rule(_stated, "take it down, or put it in order"),
    "worktree": _Rule(_worktree, "save the work, then remove it; a renamed slot gets its name back"),
    "branch": _Rule(_branch, "save commits that have not landed, then delete it"),
    "half-dropped": _Rule(_half_dropped, "drop it again"),
    "half-made": _Rule(_half_made, "remove the files"),
    "template": _Rule(_template, "drop it"),
    "retired": _Rule(_retired, "drop it"),
    "spare": _Rule(_spare, "drop it"),
    "server": _Rule(_server, "stop it, then delete its cluster; the golden one is only stopped"),
    "database": _Rule(_database, "drop it"),
    "role": _Rule(_database, "drop it"),
    "login": _Rule(_login, "remove the file with the password"),
    "port-range": _Rule(_stated, "give it back to the host"),
    "temporary": _Rule(_temporary, "remove it"),
}
_ORDER = tuple(_RULES)
"""Who writes goes before what is written to: processes, then leases, then worktrees, branches and databases."""
