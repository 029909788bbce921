"""Whose is what in one history: several agents commit on the branch that is checked out, each under its issue's mark.

The mark is a trailer of the commit message that git's own hook writes (`guard.ref_guard.MARK`). What an issue has done
are the commits that bear its mark and came after the commit where it began. What is judged of it is the branch without
the work that others have not finished: each file of theirs as it was before their newest commits on it. Files are
locked for as long as an attempt lasts, so no file holds the unfinished work of two.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coordinator.guard.ref_guard import MARK
from coordinator.merging import queue
from coordinator.tasks.claims import Task, find_task
from resources.state.store import Snapshot
from resources.system.commits import make_commit, reaches
from resources.system.git import git

ACCEPTED = "refs/agent-coord/accepted"
"""The newest state that a gate has passed in a shared checkout: the branch without what is not finished."""


@dataclass(frozen=True)
class Made:
    """A commit of the branch: whose mark it bears ("" nobody's), what it says and which paths it changed."""

    commit: str
    issue: str
    message: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Unfinished:
    """An issue whose work was not accepted yet, and the commit where it began."""

    issue: str
    base: str


def history(root: Path, base: str, tip: str = "HEAD") -> list[Made]:
    """The commits of base..tip, newest first."""
    form = f"--format=%x1e%H%x1f%(trailers:key={MARK},valueonly,separator=%x2C)%x1f%B%x1f"
    wanted = ("log", "--topo-order", "--diff-merges=first-parent", "--no-renames", "--name-only", "-z", form)
    out = git(root, *wanted, "--end-of-options", f"{base}..{tip}", read=True).text
    found = []
    for record in out.split("\x1e")[1:]:
        commit, issue, message, names = record.split("\x1f", 3)
        paths = tuple(path for path in names.removeprefix("\0").removeprefix("\n").split("\0") if path)
        found.append(Made(commit, issue.strip(), message.strip(), paths))
    return found


def made_by(root: Path, base: str, issue: str) -> list[Made]:
    """What an issue that began at `base` has committed, newest first."""
    return [one for one in history(root, base) if one.issue == issue]


def is_accepted(root: Path, snapshot: Snapshot, commit: str) -> bool:
    """Whether a commit of the branch is nobody's unfinished work."""
    issue = git(root, "log", "-1", f"--format=%(trailers:key={MARK},valueonly)", commit, read=True).text.strip()
    task = find_task(snapshot, issue) if issue else None
    return task is None or task.state == "landed"


def rewound(commits: Sequence[Made], others: Collection[Unfinished]) -> dict[str, str]:
    """Path -> the revision that has it as it was before the unfinished work of `others`. `commits` newest first."""
    places = {one.commit: at for at, one in enumerate(commits)}
    ends = {other.issue: places.get(other.base, len(commits)) for other in others}
    settled: set[str] = set()
    found: dict[str, str] = {}
    for at, one in enumerate(commits):
        theirs = at < ends.get(one.issue, 0)
        for path in one.paths:
            if theirs and path not in settled:
                found[path] = f"{one.commit}^"
            else:
                settled.add(path)
    return found


def begun_at(root: Path, snapshot: Snapshot, task: Task, tip: str) -> str:
    """Where the next attempt at a task begins: where the last one did, when it has left commits that nobody judged."""
    base = task.base
    landed = next((one.tip for one in queue.history(snapshot) if one.issue == task.issue and one.state == "landed"), "")
    if not base or not reaches(root, tip, base) or (landed and reaches(root, landed, base)):
        return tip
    return base if made_by(root, base, task.issue) else tip


def oldest(root: Path, bases: Collection[str], tip: str) -> str:
    """The commit from which all of `bases` that the branch still has are in view."""
    standing = [base for base in dict.fromkeys(bases) if reaches(root, tip, base)]
    return min(standing, key=lambda base: -_distance(root, base, tip), default=tip)


def _distance(root: Path, base: str, tip: str) -> int:
    return int(git(root, "rev-list", "--count", f"{base}..{tip}", read=True).text)


def commit_without(root: Path, tip: str, before: Mapping[str, str], parents: Sequence[str], message: str) -> str:
    """A commit with the tree of `tip`, but each path of `before` as its revision has it. Nothing points at it."""
    with tempfile.TemporaryDirectory(prefix="agent-coord-") as folder:
        aside = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git(root, "read-tree", tip, env=aside)
        git(root, "update-index", "-z", "--index-info", env=aside, stdin=_entries(root, before))
        tree = git(root, "write-tree", env=aside).text
    return make_commit(root, tree, parents, message)


def _entries(root: Path, before: Mapping[str, str]) -> bytes:
    lines: list[str] = []
    for revision in dict.fromkeys(before.values()):
        paths = [path for path, one in before.items() if one == revision]
        listed = git(root, "--literal-pathspecs", "ls-tree", "-z", "--full-tree", revision, "--", *paths, read=True)
        known = {record.partition("\t")[2]: record.partition("\t")[0] for record in listed.records}
        for path in paths:
            words = re.split(" +", known.get(path, ""))
            lines.append(f"{words[0]} {words[2]}\t{path}" if len(words) > 2 else f"0 {'0' * 40}\t{path}")
    return "".join(f"{line}\0" for line in lines).encode(errors="surrogateescape")
