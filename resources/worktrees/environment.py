"""What a process in a slot finds in its environment.

The lease is named by project and fence, so that a leak sweep can tell whose a process is, and so that a
process of an earlier lease is known for what it is. The database's variables come last: they are what
programs look for by name (`DATABASE_URL`, `PG*`).

A cache that a user's environment keeps in one place for all trees (`CARGO_TARGET_DIR`) would be shared by the slots:
one build then waits for another, or takes its results. The variables that the configuration names lead to folders in
the slot, which stay for its next tenant as all ignored files do, and go with the slot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a process works: the project's uid, the main checkout, the slot's name and ports."""

    project: str
    root: Path
    slot: str
    ports: tuple[int, int]


CACHES = ".agent-coord-caches"
"""The folder in a slot with the caches of its own."""


def own_caches(slot: Path, variables: Sequence[str]) -> dict[str, str]:
    """The variables, each with a folder in the slot that git ignores; what uses one makes it."""
    folder = slot / CACHES
    ignored = folder / ".gitignore"
    if variables and slot.is_dir() and not ignored.exists():
        folder.mkdir(exist_ok=True)
        ignored.write_text("*\n")
    return {name: str(folder / name.lower()) for name in variables}


def compose(place: Place, *, fence: int, issue: str, agent: str, database: Mapping[str, str]) -> dict[str, str]:
    """The variables for a process that works in a slot under the lease `fence` (0: no lease yet)."""
    low, high = place.ports
    return {
        "AGENT_COORD_SLOT": place.slot,
        "AGENT_COORD_ISSUE": issue,
        "AGENT_COORD_AGENT": agent,
        "AGENT_COORD_LEASE": f"{place.project}:{fence}",
        "AGENT_COORD_REPO": str(place.root),
        "AGENT_COORD_PORT_LOW": str(low),
        "AGENT_COORD_PORT_HIGH": str(high),
        "PORT": str(low),
        **database,
    }
