"""What the configuration says about lent resources: the tables [pool], [database] and [limits].

The defaults here are the reference; `config.toml` at the root of the project shows them with a reason each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from resources.databases.provider import DatabaseSettings
from resources.system.repository import Repository
from resources.system.tables import from_table, read_toml

CONFIG = Path(".agent-worktrees/config.toml")
"""Where a repository keeps its configuration, relative to its main checkout."""


@dataclass(frozen=True)
class PoolSettings:
    """[pool]: the slots."""

    folder: str = ".agent-worktrees"
    backend: str = "worktree"
    size: int = 4
    minimum: int = 3
    maximum: int = 10
    grow_below_load: float = 1.5
    idle_minutes: float = 30.0
    view: str = "auto"
    hide_at_least: float = 0.3
    always: tuple[str, ...] = ()
    prove_view: tuple[str, ...] = ()
    copy: tuple[str, ...] = (".env",)
    setup: tuple[str, ...] = ()
    caches: tuple[str, ...] = ()
    port_base: int = 42000
    ports_per_slot: int = 10

    def __post_init__(self) -> None:
        if self.view not in ("auto", "exact", "closure", "full"):
            raise ValueError(f'view must be "auto", "exact", "closure" or "full", not {self.view!r}')
        if self.backend not in ("worktree", "clone"):
            raise ValueError(f'backend must be "worktree" or "clone", not {self.backend!r}')
        if not 0 < self.minimum <= self.maximum:
            raise ValueError("minimum and maximum must be 1 or more, minimum the smaller")


@dataclass(frozen=True)
class Limits:
    """[limits]: a warn level is logged, a critical one makes spawns queue."""

    connections_warn: int = 40
    connections_critical: int = 50
    disk_warn_gb: float = 2.8
    disk_critical_gb: float = 3.0
    descriptors_warn: float = 0.80
    descriptors_critical: float = 0.95
    memory_warn: float = 0.85
    memory_critical: float = 0.95
    condemned_seconds: int = 600
    tick_seconds: float = 10.0


@dataclass(frozen=True)
class ResourceSettings:
    """Everything that the resources room reads from the configuration."""

    pool: PoolSettings = field(default_factory=PoolSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    limits: Limits = field(default_factory=Limits)


def read_settings(repository: Repository, file: Path | None = None) -> ResourceSettings:
    """The resource tables of the repository's configuration (or of `file`). Raises Failure with the place."""
    path = file or repository.root / CONFIG
    tables = read_toml(path)
    return ResourceSettings(
        from_table(PoolSettings, tables.get("pool", {}), file=path, name="pool"),
        from_table(DatabaseSettings, tables.get("database", {}), file=path, name="database"),
        from_table(Limits, tables.get("limits", {}), file=path, name="limits"),
    )
