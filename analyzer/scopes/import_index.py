"""The paths of a tree as import lines refer to them, and what the manifests in it call their folders.

Built once for a closure. Manifests are read for names alone, by a regular expression each: `go.mod` (module),
`package.json` and `Cargo.toml` (packages of one repository that import each other by name), `tsconfig.json` (aliases).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from analyzer.scopes.tree import Tree

Read = Callable[[str], str | None]

_NAMES = {
    "go.mod": re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE),
    "package.json": re.compile(r'^\s*\{?\s*"name"\s*:\s*"([^"]+)"', re.MULTILINE),
    "cargo.toml": re.compile(r"^\[package\][^\[]*?^name\s*=\s*\"([^\"]+)\"", re.MULTILINE | re.DOTALL),
}
_ALIAS = re.compile(r'"([^"*\s]+)/\*"\s*:\s*\[\s*"([^"*]*)\*"')
_BASE_URL = re.compile(r'"baseUrl"\s*:\s*"([^"]+)"')


@dataclass(frozen=True)
class ImportIndex:
    """The paths of a tree, and the names of the packages in it. Make one with `ImportIndex.of`.

    `modules`, `packages`, `crates`: the name in a `go.mod`, `package.json`, `Cargo.toml` -> its folder ("" for the
    root); `aliases`: a prefix that a `tsconfig.json` declares -> the folder that it stands for.
    """

    tree: Tree
    modules: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    crates: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: Sequence[str], read: Read | None = None) -> ImportIndex:
        """`read` gives the text of a path; it is asked for manifests only."""
        known = Tree(tree)
        if read is None:
            return cls(known)
        named = {name: dict(_named(known, read, name)) for name in _NAMES}
        crates = {name.replace("-", "_"): folder for name, folder in named["cargo.toml"].items()}
        return cls(known, named["go.mod"], named["package.json"], crates, dict(_aliases(known, read)))

    @cached_property
    def in_folder(self) -> dict[str, list[str]]:
        """Folder ("" for the root) -> the files right in it."""
        found: dict[str, list[str]] = {}
        for path in self.tree.paths:
            found.setdefault(path.rpartition("/")[0], []).append(path)
        return found

    @cached_property
    def folders_named(self) -> dict[str, list[str]]:
        """Last part of a folder's path -> the folders with files of that name."""
        found: dict[str, list[str]] = {}
        for folder in self.in_folder:
            found.setdefault(folder.rpartition("/")[2], []).append(folder)
        return found

    def folders_ending_in(self, tail: str) -> list[str]:
        """The folders whose path is `tail` or ends in `/tail`."""
        named = self.folders_named.get(tail.rpartition("/")[2], ())
        return [folder for folder in named if folder == tail or folder.endswith(f"/{tail}")]

    def files_ending_in(self, tail: str) -> list[str]:
        """The files whose path is `tail` or ends in `/tail`."""
        named = self.tree.by_name.get(tail.rpartition("/")[2].lower(), ())
        return [path for path in named if path == tail or path.endswith(f"/{tail}")]

    @cached_property
    def python_roots(self) -> list[str]:
        """Folders that absolute imports start from: the root, `src`, and wherever an outermost package lies."""
        packages = {path.rpartition("/")[0] for path in self.tree.by_name.get("__init__.py", ())}
        parents = {package.rpartition("/")[0] for package in packages if package}
        return ["", "src", *sorted(parents - packages - {"", "src"})]

    def go_package(self, folder: str) -> list[str]:
        """The sources of a Go package, its tests left out."""
        return [p for p in self.in_folder.get(folder, ()) if p.endswith(".go") and not p.endswith("_test.go")]


def above(path: str) -> Iterator[str]:
    """The folders that a path lies in, the nearest first, "" (the root) last."""
    folder = path.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _named(tree: Tree, read: Read, manifest: str) -> Iterator[tuple[str, str]]:
    for path in tree.by_name.get(manifest, ()):
        found = _NAMES[manifest].search(read(path) or "")
        if found:
            yield found[1], path.rpartition("/")[0]


def _aliases(tree: Tree, read: Read) -> Iterator[tuple[str, str]]:
    for name in ("tsconfig.json", "tsconfig.base.json", "jsconfig.json"):
        for path in tree.by_name.get(name, ()):
            text = read(path) or ""
            base = _BASE_URL.search(text)
            folder = posixpath.join(path.rpartition("/")[0], base[1] if base else ".")
            for prefix, target in _ALIAS.findall(text):
                yield prefix, posixpath.normpath(posixpath.join(folder, target))
