"""The view that a scope would get: which directories a worktree would show, and how much of the tree that is.

Whole directories, as git's cone mode shows them: everything below each, and the files beside its ancestors. It is a
preview for `scope ID`; the slot's own view is made when the slot is lent, with the settings of the pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from analyzer.scopes.imports import closure
from analyzer.scopes.scope import Scope

HIDE_AT_LEAST = 0.3
"""A view that hides less than this share of the files is not worth having: then everything is shown."""


@dataclass(frozen=True)
class Preview:
    """mode "closure" or "full"; the directories (none for "full"); how many of how many files are shown."""

    mode: str
    directories: tuple[str, ...]
    shown: int
    total: int


def preview(scope: Scope, tree: Sequence[str], read: Callable[[str], str | None]) -> Preview:
    """The view for what a scope names and what that imports; `read` gives the text of a path, None without one."""
    known = set(tree)
    start = [file.path for file in scope.files if file.path in known]
    folders = {path.rpartition("/")[0] for path in closure(start, read, tree)} - {""}
    outer = tuple(sorted(folder for folder in folders if folders.isdisjoint(_above(folder))))
    shown = _shown(outer, tree)
    if not outer or len(tree) - shown < HIDE_AT_LEAST * len(tree):
        return Preview("full", (), len(tree), len(tree))
    return Preview("closure", outer, shown, len(tree))


def _shown(directories: Sequence[str], tree: Sequence[str]) -> int:
    whole = set(directories)
    beside = {"", *(parent for directory in directories for parent in _above(directory))}
    folders = (path.rpartition("/")[0] for path in tree)
    return sum(folder in beside or folder in whole or not whole.isdisjoint(_above(folder)) for folder in folders)


def _above(folder: str) -> Iterator[str]:
    """The folders that hold a folder, from the outermost."""
    position = folder.find("/")
    while position >= 0:
        yield folder[:position]
        position = folder.find("/", position + 1)
