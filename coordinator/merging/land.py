"""Moves the base branch, and nothing else does.

A landing is a merge commit whose second parent is the branch tip: the tip's own history stays, so work
that was based on it needs no rewriting. Several entries that were judged together land as a row of such
merges, and the branch moves once, to the last. The merge happens in memory; the gate sees exactly that tree;
then the branch moves from the commit that the merge was made on, or not at all (compare-and-swap). When
the base branch is checked out somewhere, git itself moves that checkout forward (`merge --ff-only`), and
refuses when uncommitted edits are in the way: the landing is then held, and nothing was touched.

The issue and its fence number stand in the commit message: after a crash between the move and the
ledger's entry, reading git tells that the landing happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from coordinator.merging.order import Entry
from resources.system.commits import fork_of, make_commit
from resources.system.crossing import merge_onto
from resources.system.git import git, merge_tree, move_ref, resolve, tree_of
from resources.system.repository import Repository


@dataclass(frozen=True)
class Merged:
    """One entry's part of a candidate: its merge commit and the commit that it was merged into."""

    entry: Entry
    onto: str
    commit: str


@dataclass(frozen=True)
class Candidate:
    """A landing that could be: `base` with the tips of entries merged on top, one after the other.

    When one cannot be merged, `commit` is "", `stuck` is that entry, and `conflicts` the paths.
    """

    base: str
    commit: str
    tree: str
    parts: tuple[Merged, ...] = ()
    stuck: Entry | None = None
    conflicts: tuple[str, ...] = ()


class Landing(StrEnum):
    """What became of the attempt to move the base branch."""

    LANDED = "landed"
    MOVED = "moved"
    """Somebody else moved the base branch first: merge and judge again."""
    HELD = "held"
    """The base branch is checked out with edits in the way."""


def build(repository: Repository, base: str, entries: Sequence[Entry], title: Callable[[str], str]) -> Candidate:
    """Merge the entries' tips into the commit `base` in memory, in that order; `title` tells an issue's title."""
    commit, tree, parts = base, "", []
    for entry in entries:
        merge = merge_onto(repository.root, commit, entry.tip)
        if not merge.clean:
            return Candidate(base, "", merge.tree, tuple(parts), entry, merge.conflicts)
        message = f"Land {entry.issue}: {title(entry.issue)}\n\n"
        message += f"Agent-Coord-Issue: {entry.issue}\nAgent-Coord-Fence: {entry.fence}\n"
        merged = make_commit(repository.root, merge.tree, [commit, entry.tip], message)
        parts.append(Merged(entry, commit, merged))
        commit, tree = merged, merge.tree
    return Candidate(base, commit, tree or tree_of(repository.root, base), tuple(parts))


def clashes_of(repository: Repository, candidate: Candidate) -> frozenset[tuple[int, int]]:
    """With whom before it the stuck entry of a candidate cannot be merged, as pairs of entry numbers, smaller first.

    When no single one is to blame, the one just before it is named: they will be tried apart then.
    """
    stuck, before = candidate.stuck, [part.entry for part in candidate.parts]
    if stuck is None:
        return frozenset()
    others = [entry for entry in before if not merge_tree(repository.root, entry.tip, stuck.tip).clean] or before[-1:]
    return frozenset((min(entry.id, stuck.id), max(entry.id, stuck.id)) for entry in others)


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


def landing_of(repository: Repository, branch: str, tip: str) -> str | None:
    """The merge commit that landed `tip` on the branch, "" when it came there otherwise, None when it is not there."""
    answer = git(repository.root, "merge-base", "--is-ancestor", tip, f"refs/heads/{branch}", check=False, read=True)
    if answer.code != 0:
        return None
    log = git(repository.root, "log", "--first-parent", "--format=%H %P", f"{tip}..refs/heads/{branch}", read=True)
    commits = (line.split() for line in log.lines)
    return next((words[0] for words in commits if tip in words[2:]), "")


def rivals_of(repository: Repository, base: str, tip: str, paths: Sequence[str]) -> list[str]:
    """What happened on the base branch to `paths` since `tip` parted from it, as "commit subject", newest first."""
    fork = fork_of(repository.root, base, tip)
    since = f"{fork}..{base}" if fork else base
    log = git(
        repository.root, "log", "--first-parent", "--format=%h %s", "-n", "10", "--end-of-options", since, "--", *paths,
        read=True,
    )  # fmt: skip
    return log.lines
