"""Merging branches that cross: branch and base branch have each merged something of the other's past.

Work that stands on unlanded work crosses by nature: its base is a merge of tips that land later, by merges of their
own. Two such lines have several newest common commits, and git merges these with each other, the oldest first, to have
one to compare with. But the outcome of merging three lines depends on the order in which that is done. Where two of
them have changed the same file, git's may keep the side that the branch has not; the other then counts as the branch's
own change, and takes back what somebody has landed since, without a conflict.

So the commit to compare with is made here: every merge on the branch's own line is repeated as it was made, without
the branch's own work. What differs between it and the tip is the branch's own, whatever else came in beside it. Where
such a merge had to be resolved by hand, the resolution is the branch's own, because git's attempt, marks and all, is
what it is compared with.

`git merge-tree --merge-base` came with 2.40; before that, two commits with the trees to be merged on top of the one to
compare with say the same.
"""

from __future__ import annotations

from functools import lru_cache, partial, reduce
from pathlib import Path
from typing import NamedTuple

from resources.system.commits import fork_of, forks_of, make_commit, reaches
from resources.system.git import Merge, git, merge_tree


class Fork(NamedTuple):
    """The commit that a branch's own work is to be compared with on its way to another, "" when they share none.

    `made`: not one that both have, but a merge of several, as the branch made it.
    """

    commit: str
    made: bool = False


def own_fork(root: Path, onto: str, tip: str) -> Fork:
    """Where the own work at `tip` begins, seen from `onto`; they share nothing when one of them does not exist."""
    forks = forks_of(root, onto, tip)
    # What differs from the only newest commit that both have is the branch's own, whatever lies below.
    return _own_fork(root, forks, tip) if len(forks) > 1 else Fork("".join(forks))


def merge_onto(root: Path, onto: str, tip: str) -> Merge:
    """Merge the own work of `tip` into `onto` in memory."""
    fork = own_fork(root, onto, tip)
    if not fork.commit:
        return Merge("", False, ("everything: it shares no commit with the base branch",))
    if not fork.made:
        return merge_tree(root, onto, tip)
    return merge_tree(root, _on(root, onto, fork.commit), _on(root, tip, fork.commit))


@lru_cache(maxsize=4096)
def _own_fork(root: Path, forks: tuple[str, ...], tip: str) -> Fork:
    wanted = ("--topo-order", "--reverse", "--parents", "--end-of-options")
    found: dict[str, str] = {}
    for line in git(root, "rev-list", *wanted, tip, *(f"^{fork}" for fork in forks), read=True).lines:
        commit, *parents = line.split()
        # Where clocks were wrong, git lists some that are below the forks, too.
        if len(parents) < 2 or not any(reaches(root, fork, commit) for fork in forks):
            found[commit] = reduce(partial(_joined, root), (found.get(one, one) for one in parents), "")
    fork = found.get(tip, tip)
    return Fork(fork, fork not in forks)


@lru_cache(maxsize=4096)
def _joined(root: Path, one: str, other: str) -> str:
    if not other or (one and reaches(root, one, other)):
        return one
    if not one or reaches(root, other, one):
        return other
    if not fork_of(root, one, other):
        return one
    return make_commit(root, merge_tree(root, one, other).tree, [one, other], "Joined")


@lru_cache(maxsize=4096)
def _on(root: Path, commit: str, fork: str) -> str:
    """The content of a commit on top of `fork`."""
    return make_commit(root, f"{commit}^{{tree}}", [fork], "Compared")
