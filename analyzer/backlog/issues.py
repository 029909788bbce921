"""The vocabulary of a backlog: issues, dependencies and their states as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """Where an issue stands. Statuses that a tracker adds are read as the nearest of these."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    DEFERRED = "deferred"
    CLOSED = "closed"
    PINNED = "pinned"
    HOOKED = "hooked"


class Bond(StrEnum):
    """What a dependency does to its issue.

    BLOCKS and CONDITIONAL hold it back until the target is closed, WAITS_FOR until the target's children
    are, PARENT names the epic it belongs to (and inherits that epic's own blockers), RELATED does nothing.
    """

    BLOCKS = "blocks"
    CONDITIONAL = "conditional-blocks"
    WAITS_FOR = "waits-for"
    PARENT = "parent-child"
    RELATED = "related"


@dataclass(frozen=True, slots=True)
class Dependency:
    """An edge from its issue to `target`; `kind` is the tracker's own word, `bond` what it means to us."""

    target: str
    bond: Bond
    kind: str = ""
    any_child: bool = False
    """For WAITS_FOR: one closed child is enough."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One unit of work. Times are seconds since 1970 (None: not told); priority 0 is the most urgent."""

    id: str
    title: str = ""
    description: str = ""
    design: str = ""
    acceptance: str = ""
    notes: str = ""
    status: Status = Status.OPEN
    priority: int = 2
    kind: str = "task"
    """task, bug, feature, epic, gate, …"""
    labels: tuple[str, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    assignee: str = ""
    created: float | None = None
    updated: float | None = None
    started: float | None = None
    """When work on it began, where the tracker tells."""
    closed: float | None = None
    defer_until: float | None = None
    estimated_minutes: int | None = None
    ephemeral: bool = False
    metadata: dict[str, object] = field(default_factory=dict, hash=False, compare=False)
    where: str = ""
    """file:line it was read from."""

    @property
    def text(self) -> str:
        """Everything a person wrote about the work, title first."""
        return "\n".join(
            part for part in (self.title, self.description, self.design, self.acceptance, self.notes) if part
        )

    @property
    def is_open(self) -> bool:
        """Still to be done: anything but closed or pinned."""
        return self.status not in (Status.CLOSED, Status.PINNED)


@dataclass(frozen=True)
class Trouble:
    """A bad spot in the input: where (file:line), what is wrong, what was done about it."""

    where: str
    what: str
    did: str
