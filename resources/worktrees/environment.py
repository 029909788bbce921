"""What a process in a slot finds in its environment.

The lease is named by project and fence, so that a leak sweep can tell whose a process is, and so that a
process of an earlier lease is known for what it is. The database's variables come last: they are what
programs look for by name (`DATABASE_URL`, `PG*`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a process works: the project's uid, the main checkout, the slot's name and ports."""

    project: str
    root: Path
    slot: str
    ports: tuple[int, int]


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
