"""The figures of one moment, as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Usage:
    """What this project uses at the moment `at` (wall-clock seconds). Sizes are bytes.

    None means unknown: the project uses no database, or it did not answer (then `unknown` says so).
    `connections` maps database names, `connection_states` a state of Postgres ("idle in transaction"),
    `database_sizes` a kind of database, `disk`, `processes` and `descriptors` map slot names, `slots` and
    `states` map a state to a count. `descriptors_ratio` is the highest share of its own limit that any one
    process of ours has open, because the limit is per process; `descriptors_worst` names that process.
    """

    at: float
    connections: Mapping[str, int] = field(default_factory=dict)
    connection_states: Mapping[str, int] = field(default_factory=dict)
    database_sizes: Mapping[str, int] = field(default_factory=dict)
    connections_total: int | None = None
    connections_usable: int | None = None
    disk: Mapping[str, int] = field(default_factory=dict)
    disk_used: int | None = None
    disk_free: int = 0
    descriptors: Mapping[str, float] = field(default_factory=dict)
    descriptors_open: int = 0
    descriptors_ratio: float = 0.0
    descriptors_worst: str = ""
    memory_ratio: float = 0.0
    processes: Mapping[str, int] = field(default_factory=dict)
    states: Mapping[str, int] = field(default_factory=dict)
    slots: Mapping[str, int] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As in the sample file."""
        # Not asdict(): it rebuilds a Counter from pairs, which counts the pairs (Python 3.11).
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}
        return {**plain, "unknown": list(self.unknown)}
