"""What the same commits give without any coordination, computed in memory on git's objects alone.

*sequential*: one issue at a time in the order of the corpus, each on the result of those before it: as good as it
gets without a second try. *naive*: every issue on the base at once, then merged in order: what parallel agents
without a plan get.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.building import Built, git
from resources.system.git import Merge, merge_tree


@dataclass(frozen=True)
class Yardsticks:
    """How many issues land either way."""

    sequential: int
    naive: int


def measure(built: Built, order: Sequence[str]) -> Yardsticks:
    """Both, for the issues of `order`."""
    return Yardsticks(_sequential(built, order), _naive(built, order))


def _sequential(built: Built, order: Sequence[str]) -> int:
    tree, landed = f"{built.base}^{{tree}}", 0
    for issue in order:
        picked = pick(built, tree, issue)
        if picked.clean:
            tree, landed = picked.tree, landed + 1
    return landed


def _naive(built: Built, order: Sequence[str]) -> int:
    main, landed = built.base, 0
    for issue in order:
        picked = pick(built, f"{built.base}^{{tree}}", issue)
        if not picked.clean:
            continue
        branch = pose(built, picked.tree, built.base)
        merge = merge_tree(built.root, main, branch)
        if merge.clean:
            main, landed = pose(built, merge.tree, main, branch), landed + 1
    return landed


def pick(built: Built, tree: str, issue: str) -> Merge:
    """Pick the issue's commits onto `tree`: the tree that results, or the paths where the first one conflicts."""
    merge = Merge(tree, clean=True)
    for commit in built.commits[issue]:
        # A cherry-pick is a merge whose base is the commit's parent: so the tree is given that parent.
        merge = merge_tree(built.root, pose(built, merge.tree, f"{commit}^"), commit)
        if not merge.clean:
            break
    return merge


def pose(built: Built, tree: str, *parents: str) -> str:
    """A commit of `tree` on `parents`."""
    flags = [word for parent in parents for word in ("-p", parent)]
    return git(built.root, "commit-tree", tree, *flags, "-m", "x")
