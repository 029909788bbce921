"""What a plan is made from, as `sources` found it: frozen values, no way to find more."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.backlog.issues import Issue, Trouble
from analyzer.scopes.history import History


@dataclass(frozen=True)
class Source:
    """Where the issues came from: path or command, how many, and why they may be stale.

    `kind` is "jsonl" or "sqlite" (the tracker's own file), "bd" or "br" (the program), "file" (named by the user).
    """

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
