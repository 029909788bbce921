"""What a worktree shows of the tree, as a value, and the decisions about it.

A view is a *read set*: a courtesy that keeps irrelevant files out of sight and big trees fast. It is
never a guard: what may be written is decided elsewhere. Modes:

    full      everything
    closure   whole directories, as a git "cone": what an issue touches and what that imports
    exact     the patterns as given, nothing more than them and the files below

Root files, manifests, agent and tracker files are always shown, because a tree without them does not
build and the agent cannot read its issue. A view that hides what the build needs is worse than none
(with patterns alone 0 of 18 packages of a real project could be imported; with the closure 18 of 18),
so `auto` is a closure where that hides enough to be worth it, else the full tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

SPARSE_INDEX_ABOVE = 20_000
"""Entries above which the index is sparse too: `status` 50 times faster at 92,000 files, but only git reads it."""

ALWAYS_DIRECTORIES = (".beads", ".github", ".claude", ".codex", ".agents", ".ci")
"""Shown in every view where they exist: the tracker, CI and the agents' own configuration."""

MANIFESTS = (
    "pyproject.toml", "setup.py", "setup.cfg", "requirements*.txt", "conftest.py", "uv.lock", "poetry.lock",
    "package.json", "package-lock.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "yarn.lock", "tsconfig*.json",
    "go.mod", "go.sum", "go.work", "Cargo.toml", "Cargo.lock", "gleam.toml", "manifest.toml", "Gemfile*",
    "pom.xml", "build.gradle*", "settings.gradle*", "mix.exs", "mix.lock", "composer.json", "Makefile",
    "AGENTS.md", "CLAUDE.md",
)  # fmt: skip
"""Shown at every depth in an exact view (a cone shows those above its directories by itself)."""

_GLOB = re.compile(r"[*?\[\\]")


@dataclass(frozen=True)
class View:
    """What is shown: `directories` of a closure, `patterns` of an exact view; `shown` of `total` files."""

    mode: str
    directories: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    shown: int = 0
    total: int = 0

    @classmethod
    def full(cls, total: int) -> View:
        """The view that hides nothing of `total` files."""
        return cls("full", shown=total, total=total)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> View:
        """From the ledger; an empty object is a full view that was not counted yet."""
        return cls(
            value.get("mode", "full"), tuple(value.get("directories", ())), tuple(value.get("patterns", ())),
            value.get("shown", 0), value.get("total", 0),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """As stored in the ledger and as answered by commands."""
        return {
            "mode": self.mode, "directories": list(self.directories), "patterns": list(self.patterns),
            "shown": self.shown, "total": self.total,
        }  # fmt: skip


def resolve(
    mode: str, tracked: Sequence[str], *, directories: Iterable[str] = (), patterns: Iterable[str] = (),
    always: Iterable[str] = (), hide_at_least: float = 0.3,
) -> View:  # fmt: skip
    """The view that the setting `mode` ("auto" included) means for these `tracked` files.

    `directories` are the closure's, `patterns` the given ones, `always` the project's own additions to what
    every view shows. `shown` of an exact view is 0 until it has been applied: git alone knows its patterns.
    """
    if mode == "full":
        return View.full(len(tracked))
    if mode == "exact":
        wanted = dict.fromkeys([*patterns, *always])
        return View("exact", patterns=tuple(wanted), total=len(tracked))
    cone = as_cone([*directories, *always, *ALWAYS_DIRECTORIES], tracked)
    closure = View("closure", cone, (), cone_shows(cone, tracked), len(tracked))
    return decide(closure, hide_at_least=hide_at_least) if mode == "auto" else closure


def decide(closure: View, *, hide_at_least: float) -> View:
    """`auto`: the closure when it hides at least that share of the files, else the full view."""
    hidden = closure.total - closure.shown
    return closure if closure.total and hidden >= hide_at_least * closure.total else View.full(closure.total)


def as_cone(places: Iterable[str], tracked: Sequence[str]) -> tuple[str, ...]:
    """Directories for a cone from directories, files or patterns (their part before the first wildcard).

    Places of which the tree has nothing are kept, since an issue may create them, save for the well-known
    folders; directories inside others are dropped. "" (everything) gives no directory at all: use a full view.
    """
    files, present = set(tracked), _directories(tracked)
    wanted: set[str] = set()
    for place in places:
        path = place.strip("/")
        fixed = _GLOB.split(path)[0]
        directory = fixed.rpartition("/")[0] if fixed != path or path in files else path
        if directory and (directory in present or directory not in ALWAYS_DIRECTORIES):
            wanted.add(directory)
    return tuple(sorted(one for one in wanted if not any(one.startswith(f"{other}/") for other in wanted)))


def cone_shows(directories: Sequence[str], tracked: Iterable[str]) -> int:
    """How many files a cone of these directories shows: all below them, and the files beside each ancestor."""
    return sum(map(Cone(directories).shows, tracked))


class Cone:
    """Which files the cone of some directories shows: all below them, and those beside each of their ancestors."""

    def __init__(self, directories: Iterable[str]) -> None:
        self._whole = set(directories)
        self._beside = {""} | {parent for directory in self._whole for parent in _ancestors(directory)}

    def shows(self, path: str) -> bool:
        """Whether the file is shown; of a folder, with a slash at its end, whether anything in it is."""
        folder = path.rpartition("/")[0]
        inside = folder in self._whole or not self._whole.isdisjoint(_ancestors(folder))
        return inside or folder in self._beside


def hidden_wrongly(view: View, hidden: Sequence[str]) -> list[str]:
    """Those of the paths that git hides (a folder ends in a slash) that the view shows.

    Of an exact view none: git alone knows what its patterns mean.
    """
    if view.mode == "full":
        return list(hidden)
    return list(filter(Cone(view.directories).shows, hidden)) if view.mode == "closure" else []


def _ancestors(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _directories(tracked: Iterable[str]) -> set[str]:
    folders = {path.rpartition("/")[0] for path in tracked} - {""}
    return folders | {parent for folder in folders for parent in _ancestors(folder)}


def widen(view: View, patterns: Iterable[str], tracked: Sequence[str]) -> View:
    """The view that shows `patterns` as well. A full view stays as it is; a closure gains whole directories."""
    if view.mode == "full":
        return view
    if view.mode == "exact":
        return replace(view, patterns=tuple(dict.fromkeys([*view.patterns, *patterns])), shown=0)
    cone = as_cone([*view.directories, *patterns], tracked)
    return replace(view, directories=cone, shown=cone_shows(cone, tracked), total=len(tracked))


def same_view(one: View, other: View) -> bool:
    """Whether two views show the same, whatever the counts at the time said."""
    return (one.mode, set(one.directories), set(one.patterns)) == (
        other.mode, set(other.directories), set(other.patterns),
    )  # fmt: skip


def sparse_lines(view: View) -> list[str]:
    """What `git sparse-checkout set --stdin` is given: directories of a cone, or patterns in gitignore syntax."""
    if view.mode == "closure":
        return list(view.directories)
    fixed = ["/*", "!/*/", *(f"/{folder}/" for folder in ALWAYS_DIRECTORIES), *MANIFESTS]
    return [*fixed, *(_anchored(pattern) for pattern in view.patterns)]


def _anchored(pattern: str) -> str:
    # A pattern of ours starts at the root; gitignore would let a name without a slash match at any depth.
    return pattern if pattern.startswith(("/", "**/")) else f"/{pattern}"
