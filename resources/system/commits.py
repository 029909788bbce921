"""Commits and trees that are named by their ids: what git says about them, and commits that nothing points at.

Behind an id stands the same history for ever, so each question is asked once: the queue puts the same ones again at
every move of the base branch, and a process takes longer than the answer. A commit that is not there is no answer, and
is asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from resources.system.errors import Failure
from resources.system.git import changed_files, git, tree_of

IDENTITY = {
    "GIT_AUTHOR_NAME": "agent-coord",
    "GIT_AUTHOR_EMAIL": "agent-coord@localhost",
    "GIT_COMMITTER_NAME": "agent-coord",
    "GIT_COMMITTER_EMAIL": "agent-coord@localhost",
}
"""Under which we commit."""


def make_commit(
    root: Path, tree: str, parents: Sequence[str], message: str, dates: Mapping[str, str] | None = None
) -> str:
    """Write a commit in our name, at `dates` (GIT_AUTHOR_DATE, GIT_COMMITTER_DATE) or now; returns its id."""
    above = [word for parent in parents for word in ("-p", parent)]
    return git(root, "commit-tree", tree, *above, "-m", message, env=IDENTITY | dict(dates or {})).text


def fork_of(root: Path, one: str, other: str) -> str:
    """The newest commit that both have in their history, "" when there is none or one of them does not exist."""
    return next(iter(forks_of(root, one, other)), "")


def forks_of(root: Path, one: str, other: str) -> tuple[str, ...]:
    """All newest commits that both have: several when each has merged something of the other's past."""
    try:
        return _forks(root, one, other)
    except Failure:
        return ()


def reaches(root: Path, commit: str, other: str) -> bool:
    """Whether `other` is `commit` or among its ancestors."""
    return commit == other or (bool(other) and fork_of(root, commit, other) == other)


@lru_cache(maxsize=256)
def paths_between(root: Path, old: str, new: str) -> tuple[str, ...]:
    """The paths that differ between two commits or trees; a rename counts as both paths."""
    return tuple(changed_files(root, old, new))


@lru_cache(maxsize=256)
def changed_since_fork(root: Path, base: str, tip: str) -> frozenset[str]:
    """The paths that `tip` changed since it left `base`: those of the difference to their merge base."""
    options = ("-r", "-z", "--no-renames", "--name-only", "--merge-base")
    return frozenset(git(root, "diff-tree", *options, "--end-of-options", base, tip, read=True).records)


def changed_by_each(cwd: Path, old: str, new: str) -> list[tuple[str, frozenset[str]]]:
    """For each first-parent commit of old..new, newest first: what it merged ("": nothing) and the changed paths."""
    shown = "--format=%x1e%P%x1f"
    wanted = ("--first-parent", "--diff-merges=first-parent", "--no-renames", "--name-only", shown, "-z")
    answer = git(cwd, "log", *wanted, "--end-of-options", f"{old}..{new}", read=True)
    commits = answer.out.decode(errors="surrogateescape").split("\x1e")[1:]
    parted = [text.replace("\n", "").partition("\x1f") for text in commits]
    return [
        (parents.partition(" ")[2], frozenset(path for path in paths.split("\0") if path))
        for parents, _, paths in parted
    ]


@lru_cache(maxsize=1024)
def content_of(root: Path, commit: str) -> str:
    """The id of a commit's tree."""
    return tree_of(root, commit)


@lru_cache(maxsize=4096)
def _forks(root: Path, one: str, other: str) -> tuple[str, ...]:
    answer = git(root, "merge-base", "--all", "--end-of-options", one, other, check=False, read=True)
    if answer.code not in (0, 1):
        raise Failure("git-failed", f"git merge-base ended with code {answer.code} in {root}", why=answer.err.strip())
    return tuple(answer.lines)
