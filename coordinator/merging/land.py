"""Moves the base branch, and nothing else does.

A landing is a merge commit whose second parent is the branch tip: the tip's own history stays, so work
that was based on it needs no rewriting. The merge happens in memory; the gate sees exactly that tree;
then the branch moves from the commit that the merge was made on, or not at all (compare-and-swap). When
the base branch is checked out somewhere, git itself moves that checkout forward (`merge --ff-only`), and
refuses when uncommitted edits are in the way: the landing is then held, and nothing was touched.

The issue and its fence number stand in the commit message: after a crash between the move and the
ledger's entry, reading git tells that the landing happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from coordinator.merging.order import Entry
from resources.system.git import git, merge_tree, move_ref, resolve
from resources.system.repository import Repository

COMMITTER = {"GIT_COMMITTER_NAME": "agent-coord", "GIT_COMMITTER_EMAIL": "agent-coord@localhost"}
AUTHOR = {"GIT_AUTHOR_NAME": "agent-coord", "GIT_AUTHOR_EMAIL": "agent-coord@localhost"}


@dataclass(frozen=True)
class Candidate:
    """A landing that could be: the merge of `base` and the entry's tip. `commit` is "" when they conflict."""

    entry: Entry
    base: str
    commit: str
    tree: str
    conflicts: tuple[str, ...] = ()


class Landing(StrEnum):
    """What became of the attempt to move the base branch."""

    LANDED = "landed"
    MOVED = "moved"
    """Somebody else moved the base branch first: merge and judge again."""
    HELD = "held"
    """The base branch is checked out with edits in the way."""


def build(repository: Repository, branch: str, entry: Entry, title: str) -> Candidate:
    """Merge the entry's tip into the base branch in memory. Raises Failure when the base branch is gone."""
    base = git(repository.root, "rev-parse", "--verify", "--end-of-options", f"refs/heads/{branch}", read=True).text
    if git(repository.root, "merge-base", base, entry.tip, check=False, read=True).code != 0:
        return Candidate(entry, base, "", "", (f"everything: it shares no commit with {branch}",))
    merge = merge_tree(repository.root, base, entry.tip)
    if not merge.clean:
        return Candidate(entry, base, "", merge.tree, merge.conflicts)
    message = f"Land {entry.issue}: {title}\n\nAgent-Coord-Issue: {entry.issue}\nAgent-Coord-Fence: {entry.fence}\n"
    commit = git(
        repository.root, "commit-tree", merge.tree, "-p", base, "-p", entry.tip, "-m", message, env=COMMITTER | AUTHOR
    ).text
    return Candidate(entry, base, commit, merge.tree)


def land(repository: Repository, branch: str, candidate: Candidate) -> tuple[Landing, str]:
    """Move the base branch to the candidate; returns what happened and, when held, the reason."""
    place = checkout_of(repository, branch)
    if place is None:
        moved = move_ref(repository.root, f"refs/heads/{branch}", candidate.commit, candidate.base)
        return (Landing.LANDED, "") if moved else (Landing.MOVED, "")
    if resolve(place, "HEAD") != candidate.base:
        return Landing.MOVED, ""
    answer = git(place, "merge", "--ff-only", "--quiet", "--no-autostash", candidate.commit, check=False)
    if answer.code == 0:
        return Landing.LANDED, ""
    if resolve(place, "HEAD") != candidate.base:
        return Landing.MOVED, ""
    files = [line.strip() for line in answer.err.splitlines() if line.startswith("\t")]
    what = ", ".join(files[:3]) or answer.err.strip()
    return Landing.HELD, f"{place} has edits in the way of the landing: {what}; commit or set them aside"


def checkout_of(repository: Repository, branch: str) -> Path | None:
    """The worktree in which `branch` is checked out, None when it is in none."""
    place: Path | None = None
    for record in git(repository.root, "worktree", "list", "--porcelain", "-z", read=True).records:
        if record.startswith("worktree "):
            place = Path(record.removeprefix("worktree "))
        elif record == f"branch refs/heads/{branch}":
            return place
    return None


def has_landed(repository: Repository, branch: str, tip: str) -> bool:
    """Whether the base branch contains `tip`."""
    answer = git(repository.root, "merge-base", "--is-ancestor", tip, f"refs/heads/{branch}", check=False, read=True)
    return answer.code == 0
