"""What the same commits give without any coordination, computed in memory on git's objects alone.

*sequential*: one issue at a time in the order of the corpus, each on the result of those before it: as good as it
gets without a second try. *naive*: every issue on the base at once, then merged in order: what parallel agents
without a plan get. *patient*: as sequential, but no issue is begun before what it waits for in the tracker has landed,
as no planner may begin it, and everything is tried again and again until nothing more lands. Where that is less than
sequential, the true history did not keep to its own dependencies, and nobody who does can land more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.building import Built, git
from resources.system.git import Merge, merge_tree


@dataclass(frozen=True)
class Yardsticks:
    """How many issues land each way."""

    sequential: int
    naive: int
    patient: int


def measure(built: Built, issues: Sequence[Mapping[str, Any]]) -> Yardsticks:
    """All of them, for these records of a corpus, in their order."""
    order = [issue["id"] for issue in issues]
    needs = {issue["id"]: {target for target, kind in issue["deps"] if kind == "blocks"} & {*order} for issue in issues}
    return Yardsticks(_sequential(built, order), _naive(built, order), _patient(built, order, needs))


def _sequential(built: Built, order: Sequence[str]) -> int:
    tree, landed = f"{built.base}^{{tree}}", 0
    for issue in order:
        picked = pick(built, tree, issue)
        if picked.clean:
            tree, landed = picked.tree, landed + 1
    return landed


def _patient(built: Built, order: Sequence[str], needs: Mapping[str, set[str]]) -> int:
    tree, landed, goes_on = f"{built.base}^{{tree}}", set[str](), True
    while goes_on:
        goes_on = False
        for issue in order:
            if issue in landed or needs[issue] - landed:
                continue
            picked = pick(built, tree, issue)
            if picked.clean:
                tree, goes_on = picked.tree, True
                landed.add(issue)
    return len(landed)


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
