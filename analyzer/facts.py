"""What a plan is made from, as `sources` found it: frozen values, no way to find more."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.history import History
from analyzer.issues import Issue, Trouble


@dataclass(frozen=True)
class Source:
    """Where the issues came from: kind ("jsonl", "bd", "file"), path or command, how many, and why it may be stale."""

    kind: str
    path: str
    count: int
    stale: str | None = None


@dataclass(frozen=True)
class Facts:
    """The backlog, what could not be read of it, the past, and the paths of the tree at HEAD."""

    issues: tuple[Issue, ...]
    problems: tuple[Trouble, ...]
    history: History
    tree: tuple[str, ...]
    source: Source
