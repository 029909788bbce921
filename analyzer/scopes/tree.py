"""The paths of a tree, indexed by the ways in which people and programs refer to them; what kind of file each is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from analyzer.globs import matches
from analyzer.scopes.words import Shelf, path_terms

PACKAGE_FILES = frozenset(["__init__.py", "index.ts", "index.js", "mod.rs"])
TEST = re.compile(
    r"(^|/)(tests?|__tests__|spec|e2e|testdata|fixtures)/|(^|/)(test_|conftest)|[_.-](test|spec)s?\.|Tests?\.\w+$"
)
DOC = re.compile(r"\.(md|mdx|rst|txt|adoc)$|(^|/)docs?/", re.IGNORECASE)
SETTING = re.compile(r"\.(toml|ya?ml|json|cfg|ini|lock|mod|sum)$|(^|/)(Makefile|Dockerfile|\.[\w.-]+)$")
_TEST_MARK = re.compile(r"^test[_-]|[_-](test|spec)s?$|tests?$")


class Tree:
    """The paths of a tree, indexed for looking names up."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = tuple(sorted(path for path in set(paths) if not is_ours(path)))
        self.known = frozenset(self.paths)
        self._covered: dict[str, list[str]] = {}

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """Base name in lower case -> paths."""
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(path.rpartition("/")[2].lower(), []).append(path)
        return found

    @cached_property
    def by_stem(self) -> dict[str, list[str]]:
        """Name without extension and separators -> paths: `UserStore` is `user_store.py`."""
        found: dict[str, list[str]] = {}
        for name, paths in self.by_name.items():
            found.setdefault(squeeze(name.lstrip(".").partition(".")[0]), []).extend(paths)
        return found

    @cached_property
    def by_partner(self) -> dict[str, list[str]]:
        """Name without the marks of a test -> a source and its tests."""
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(partner_key(path), []).append(path)
        return found

    def partners_of(self, path: str) -> list[str]:
        """Other files that bear the same name but for the marks of a test."""
        return [other for other in self.by_partner.get(partner_key(path), ()) if other != path]

    @cached_property
    def modules(self) -> dict[str, list[tuple[str, str]]]:
        """Last part of a module's name -> (its whole name with `/`, its file); a package is named by its folder."""
        found: dict[str, list[tuple[str, str]]] = {}
        for path in self.paths:
            folder, _, name = path.rpartition("/")
            module = folder if name in PACKAGE_FILES else path.rpartition(".")[0]
            if module:
                found.setdefault(module.rpartition("/")[2], []).append((module, path))
        return found

    @cached_property
    def folders(self) -> dict[str, list[str]]:
        """Folder -> all paths below it."""
        found: dict[str, list[str]] = {}
        for path in self.paths:
            at = path.find("/")
            while at >= 0:
                found.setdefault(path[:at], []).append(path)
                at = path.find("/", at + 1)
        return found

    @cached_property
    def shelf(self) -> Shelf:
        """The paths as texts."""
        return Shelf([path_terms(path) for path in self.paths])

    def covered(self, pattern: str) -> list[str]:
        """The files that the pattern covers; a folder written plainly covers what it holds."""
        if pattern not in self._covered:
            below = self.folders.get(pattern)
            self._covered[pattern] = list(below or (path for path in self.paths if matches(pattern, path)))
        return self._covered[pattern]

    def ending_in(self, tail: str) -> list[str]:
        """Paths that end in `/tail`."""
        named = self.by_name.get(tail.rpartition("/")[2].lower(), ())
        return [path for path in named if path.lower().endswith("/" + tail.lower())]


def is_ours(path: str) -> bool:
    """Files that no issue is about: the tracker's, git's and our own."""
    return path.startswith((".beads", ".git/", ".agent-worktrees")) or path in ("issues.jsonl", "beads.jsonl")


def stem_of(path: str) -> str:
    """The name of the file up to its first dot; of a dotfile, up to its second."""
    name = path.rpartition("/")[2]
    return name.lstrip(".").partition(".")[0] or name


def subject_of(path: str) -> str:
    """The stem without the marks of a test: `test_users.py` is about `users`."""
    return _TEST_MARK.sub("", stem_of(path)) or stem_of(path)


def partner_key(path: str) -> str:
    """What a source and its tests have in common, whatever the style of their names."""
    return squeeze(subject_of(path).lower()) or path


def squeeze(name: str) -> str:
    """The name without separators: `UserStore` in lower case is `user_store` squeezed."""
    return name.replace("_", "").replace("-", "")
