"""How a repository wants to be planned: the table [plan] of its configuration as one frozen value.

Hot files (those that a large share of the issues touches) are a class of their own: with `share` two tracks that
meet in nothing else may run side by side, with `serialize` they may not, with `ignore` such meetings are not even
reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analyzer.scopes.scope import ScopePolicy

HOT_POLICIES = ("serialize", "share", "ignore")


@dataclass(frozen=True)
class PlanSettings:
    """[plan]: every key with its default."""

    conflict_at: float = 0.4
    priced_at: float = 0.15
    hot: str = "share"
    hot_share: float = 0.05
    hot_files: tuple[str, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alias_dependencies: bool = True
    unknown_blocks: bool = False
    default_minutes: int = 30

    def __post_init__(self) -> None:
        if self.hot not in HOT_POLICIES:
            raise ValueError(f'hot must be "serialize", "share" or "ignore", not {self.hot!r}')
        if not (0 < self.conflict_at <= 1 and 0 < self.hot_share <= 1):
            raise ValueError("conflict_at and hot_share must be above 0 and at most 1")
        if not 0 < self.priced_at <= 1:
            raise ValueError("priced_at must be above 0 and at most 1")
        if self.default_minutes < 1:
            raise ValueError("default_minutes must be 1 or more")


@dataclass(frozen=True)
class Policy:
    """What a plan obeys.

    `conflict_at`: the probability from which two issues are kept apart; from `priced_at` on they may run side by side
    at the price of the rework to expect.
    """

    conflict_at: float = 0.4
    priced_at: float = 0.15
    hot: str = "share"
    alias_dependencies: bool = True
    unknown_blocks: bool = False
    default_seconds: float = 1800.0
    """The work in an issue that bears no estimate."""
    scope: ScopePolicy = field(default_factory=ScopePolicy)


def policy_from(table: Mapping[str, Any], file: Path = Path("config.toml")) -> Policy:
    """The policy that a table [plan] asks for.

    Raises Failure("unknown-key") or Failure("bad-value") naming `file`, the key and the nearest known one.
    """
    from resources.system.tables import from_table

    settings = from_table(PlanSettings, table, file=file, name="plan")
    return Policy(
        conflict_at=settings.conflict_at,
        priced_at=settings.priced_at,
        hot=settings.hot,
        alias_dependencies=settings.alias_dependencies,
        unknown_blocks=settings.unknown_blocks,
        default_seconds=settings.default_minutes * 60.0,
        scope=ScopePolicy(labels=dict(settings.labels), hot=settings.hot_files, hot_share=settings.hot_share),
    )
