"""Paths that a text names: files, globs, folders and modules, resolved against the tree.

A writer points at code in many ways: `src/api/users.py:40`, `api/users.py`, `users.py`, `src/api/**`,
`app.api.users.create`, or just the name `UserStore`. Each is looked up in the tree; one that fits several files
counts for each of them that much less. A path that the tree lacks, but that reads like a file, is a file to be made.
Without a tree every path is taken as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analyzer.globs import normalise
from analyzer.scopes.tree import Tree, is_ours, squeeze
from analyzer.scopes.words import split
from resources.system.errors import Failure

MOST_NAMESAKES = 8
"""A name that more files bear says nothing."""
MOST_MATCHES = 40
"""A glob or a folder that covers more files than this says nothing about each."""
_PATH = re.compile(
    r"(?:[\w@~*{}\[\]+-][\w.@~*{},\[\]+-]*|\.{1,2}[\w-]*)(?:/[\w.@~*{},\[\]+-]+)*/?|\.[\w-]+(?:/[\w.-]+)*"
)
_FILE_NAME = re.compile(r"[\w@+-][\w.@+\[\]-]*\.[A-Za-z][A-Za-z0-9]{0,9}$|(?:Makefile|Dockerfile|\.[a-z][\w.-]+)$")
_WORD_ENDS = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) in "_-")}
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$")
_SUFFIXES = frozenset(
    """
    bash bat bb bzl c cc cfg cjs clj cljc cljs cmd conf cpp cs css csv cts cxx dart edn el elm erl ex exs fish fs gd
    gleam go gradle graphql h hbs hpp hrl hs htm html hx hxml ini java jinja jl js json json5 jsonc jsonl jsx kt kts
    less lock lua m4 md mdx mjs mk ml mli mm mts nim nix php pl plist png proto ps1 py pyi r rb rkt rs rst s sass sbt
    scala scm scss sh snap sol sql svelte svg swift tcl tf tmpl toml tpl ts tsx txt v vue wgsl xml yaml yml zig zsh
    """.split()  # noqa: SIM905 - a hundred quotes would hide the list
)


class Manner(StrEnum):
    """How a text names a file, the surest first."""

    PATH = "path"
    PART = "part of the path"
    NAME = "file name"
    GLOB = "glob"
    MODULE = "module"
    STEM = "name"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Mention:
    """One way in which the text names the file; `share` is 1 over the number of files it may mean."""

    path: str
    manner: Manner
    share: float
    said: str
    place: float
    """Where in the text: 0 at its start, 1 at its end."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """Everything a text names: files of the tree, paths that it lacks, globs as they were written."""

    found: tuple[Mention, ...]
    new: tuple[str, ...]
    globs: tuple[str, ...]


def find_mentions(text: str, tree: Tree) -> Mentions:
    """What the text names, each file once per manner, in the order of the text."""
    found: dict[tuple[str, Manner], Mention] = {}
    new: dict[str, None] = {}
    globs: dict[str, None] = {}
    for said, place in _candidates(text):
        if "*" in said:
            _take_glob(said, place, tree, found, globs)
            continue
        hits, manner = _resolve(said, tree)
        for path in hits:
            found.setdefault((path, manner), Mention(path, manner, 1 / len(hits), said, place))
        if not hits and _reads_as_file(said):
            new[said] = None
    for mention in _stems(text, tree):
        found.setdefault((mention.path, mention.manner), mention)
    return Mentions(tuple(found.values()), tuple(new), tuple(globs))


def _candidates(text: str) -> Iterator[tuple[str, float]]:
    """What may be a path, with its place in the text (0 to 1). Words of a URL are none."""
    words = text.split()
    seen: set[tuple[str, bool]] = set()
    for number, word in enumerate(words):
        if word.isalnum() or not ("/" in word or "." in word[:-1] or "*" in word) or "://" in word:
            continue
        in_diff = number > 0 and words[number - 1] in ("---", "+++") and word.startswith(("a/", "b/"))
        if (word, in_diff) in seen:
            continue  # only the first place of a mention counts
        seen.add((word, in_diff))
        for match in _PATH.finditer(word[2:] if in_diff else word):
            said = _without_emphasis(match[0]).rstrip(".,-+~@").removeprefix("./")
            if len(said) > 2 and ("/" in said or "." in said or "*" in said) and ".." not in said and not is_ours(said):
                yield said, number / len(words)


def _without_emphasis(said: str) -> str:
    """The text without Markdown's stars around it; those of a pattern stand beside a slash, a dot or a name."""
    if said.startswith("**") and not said.startswith("**/"):
        said = said.lstrip("*")
    return said[:-2] if said.endswith("**") and not said.endswith("/**") else said


def _resolve(said: str, tree: Tree) -> tuple[Sequence[str], Manner]:
    path = said.rstrip("/")
    if not tree.paths:
        return ((path,) if _reads_as_file(path) else ()), Manner.PATH
    if path in tree.known:
        return (path,), Manner.PATH
    if "/" in path:
        ends = tree.ending_in(path)
        if ends:
            return ends[:MOST_MATCHES], Manner.PART
        below = tree.folders.get(path, ())
        if below:
            return (below if len(below) <= MOST_MATCHES else ()), Manner.FOLDER
    named = tree.by_name.get(path.lower(), ()) if "/" not in path else ()
    if named:
        return (named if len(named) <= MOST_MATCHES else ()), Manner.NAME
    return _module(path, tree), Manner.MODULE


def _module(said: str, tree: Tree) -> Sequence[str]:
    """`pkg/mod` -> the file of that module; `pkg.mod.name` -> that of the longest part that is one."""
    parts = said.split("/") if "/" in said else said.split(".") if _MODULE.match(said) else []
    for size in range(len(parts), len(parts) - 1 if "/" in said else 1, -1):
        module = "/" + "/".join(parts[:size])
        known = tree.modules.get(parts[size - 1], ())
        hits = [path for name, path in known if f"/{name}".endswith(module)]
        if hits:
            return hits[:MOST_MATCHES]
    return ()


def _take_glob(
    said: str, place: float, tree: Tree, found: dict[tuple[str, Manner], Mention], globs: dict[str, None]
) -> None:
    try:
        pattern = normalise(said)
    except Failure:
        return  # emphasis or arithmetic, not a pattern
    if pattern.startswith(("~", "@")) or not any(char.isalnum() for char in pattern):
        return
    if "/" not in pattern and pattern.rpartition(".")[2].lower() not in _SUFFIXES:
        return
    pattern = pattern if "/" in pattern else f"**/{pattern}"
    hits = tree.covered(pattern)
    if len(hits) <= MOST_MATCHES and (hits or not tree.paths):
        globs[pattern] = None
        for path in hits:
            found.setdefault((path, Manner.GLOB), Mention(path, Manner.GLOB, 1 / len(hits), said, place))


def _stems(text: str, tree: Tree) -> Iterator[Mention]:
    """Identifiers of two parts or more that are the name of a file."""
    for word in dict.fromkeys(text.translate(_WORD_ENDS).split()) if tree.paths else ():
        if "_" in word or "-" in word or not (word.islower() or word[1:].islower()):
            paths = tree.by_stem.get(squeeze(word.lower()), ())
            if len(paths) <= MOST_NAMESAKES and (len(split(word)) > 2 or "-" in word.strip("-")):
                yield from (Mention(path, Manner.STEM, 1 / len(paths), word, 0.0) for path in paths)


def _reads_as_file(said: str) -> bool:
    name = said.rpartition("/")[2]
    if not _FILE_NAME.match(name) or said.startswith("~"):
        return False
    ending = name.rpartition(".")[2].lower()
    # `.gitignore` is a file, `.py` alone a kind of file.
    return ending in _SUFFIXES if "." in name.lstrip(".") else ending not in _SUFFIXES
