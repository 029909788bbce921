"""A replay corpus: one window of a real repository's history without its text, and the text that stands in for it.

Every line of every file is made unique (`path:n` at the base, `path@sha:n` when a commit brought it), so that a
three-way merge of two changes conflicts where the real ones would, and so that whoever reads a tree can tell which
change each line came from. Hunks count as `git diff -U0` does: where `old_len` is 0 the text goes after `old_start`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("AGENT_COORD_DATA") or Path(__file__).parents[2] / "shared" / "data")
"""Where the corpora are, in the folder `replay`."""

Hunk = tuple[int, int, int]
"""(old_start, old_len, new_len)."""


@dataclass(frozen=True)
class Edit:
    """What one commit does to one file. `status` is A, M or D."""

    path: str
    status: str
    hunks: tuple[Hunk, ...]


@dataclass(frozen=True)
class Step:
    """One commit of the true history; `at` in seconds since 1970."""

    issue: str
    sha: str
    at: int
    edits: tuple[Edit, ...]


@dataclass
class Change:
    """What an issue's commits amount to, file by file: the lines that they take away and those that they bring."""

    removed: dict[str, set[str]] = field(default_factory=dict)
    added: dict[str, set[str]] = field(default_factory=dict)

    @property
    def paths(self) -> set[str]:
        """Every file that it touches."""
        return {*self.removed, *self.added}

    def then(self, path: str, old: set[str], new: set[str]) -> None:
        """A later commit of the same issue takes the file from `old` to `new`."""
        gone, come = old - new, new - old
        mine = self.added.setdefault(path, set())
        self.removed.setdefault(path, set()).update(gone - mine)
        mine -= gone
        mine |= come


@dataclass(frozen=True)
class Corpus:
    """`base` maps each path to its number of lines; `issues` are the records, in the true order."""

    name: str
    base: Mapping[str, int]
    issues: tuple[Mapping[str, Any], ...]
    steps: tuple[Step, ...]

    @cached_property
    def changes(self) -> dict[str, Change]:
        """Issue -> its change."""
        found: dict[str, Change] = {}
        files = base_files(self)
        for step, contents in history(self):
            change = found.setdefault(step.issue, Change())
            for path, lines in contents.items():
                change.then(path, set(files.get(path, ())), set(lines or ()))
                files[path] = lines or []
        return found

    @property
    def truth(self) -> dict[str, list[str]]:
        """Issue -> the files that its commits touch, sorted."""
        return {issue: sorted(change.paths) for issue, change in self.changes.items()}


def read_corpus(file: Path, limit: int = 0) -> Corpus:
    """The corpus in `file`, with `limit` only its first issues (the history stays whole: later hunks count on it)."""
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    steps = tuple(_step(record) for record in records if record["kind"] == "commit")
    issues = [record for record in records if record["kind"] == "issue"]
    return Corpus(file.stem, records[0]["files"], tuple(issues[: limit or None]), steps)


def find_corpus(name: str) -> Path:
    """The file that `name` means: a path, or (the end of) the name of a file of the data folder. Raises SystemExit."""
    if Path(name).is_file():
        return Path(name)
    known = sorted((DATA / "replay").glob("*.jsonl"))
    found = [file for file in known if file.stem == name or file.stem.endswith(f"__{name}")]
    if not found:
        names = ", ".join(file.stem.rpartition("__")[2] for file in known) or "none: set AGENT_COORD_DATA"
        raise SystemExit(f"error: there is no corpus {name} in {DATA / 'replay'}; known: {names}")
    return found[0]


def _step(record: Mapping[str, Any]) -> Step:
    edits = tuple(
        Edit(one["path"], one["status"], tuple((start, old, new) for start, old, new in one["hunks"]))
        for one in record["files"]
    )
    return Step(record["issues"][0], record["sha"], int(record["t"]), edits)


def base_files(corpus: Corpus) -> dict[str, list[str]]:
    """Path -> lines before the window."""
    return {path: [f"{path}:{number}" for number in range(1, count + 1)] for path, count in corpus.base.items()}


def history(corpus: Corpus) -> Iterator[tuple[Step, dict[str, list[str] | None]]]:
    """Each commit with the new lines of the files that it touches; None for a file that it deletes."""
    files = base_files(corpus)
    for step in corpus.steps:
        contents: dict[str, list[str] | None] = {}
        for edit in step.edits:
            lines = edited(files.pop(edit.path, []), edit, step.sha)
            contents[edit.path] = None if edit.status == "D" else lines
            if edit.status != "D":
                files[edit.path] = lines
        yield step, contents


def edited(lines: list[str], edit: Edit, sha: str) -> list[str]:
    """`lines` after an edit of the commit `sha`."""
    result: list[str] = []
    at = number = 0
    for start, old, new in edit.hunks:
        first = start - 1 if old else start
        result += lines[at:first]
        result += [f"{edit.path}@{sha[:7]}:{number + place}" for place in range(1, new + 1)]
        number += new
        at = first + old
    return result + lines[at:]
