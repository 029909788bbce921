"""A branch that crosses with the base branch is merged from what it has seen of it, and brings only its own work."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from resources.system.commits import make_commit, paths_between
from resources.system.crossing import Fork, merge_onto, own_fork
from resources.system.git import git, merge_tree
from tests.support.repos import commit, make_repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "a repo", {"one.txt": "1"})


def on(root: Path, start: str, files: dict[str, str]) -> str:
    git(root, "switch", "-q", "--detach", start)
    return commit(root, files, "work")


def joined(root: Path, commits: Sequence[str]) -> str:
    """The commits merged as git does it, one after the other."""
    made = commits[0]
    for one in commits[1:]:
        made = make_commit(root, merge_tree(root, made, one).tree, [made, one], "merge")
    return made


def content(root: Path, tree: str) -> dict[str, str]:
    names = git(root, "ls-tree", "--name-only", tree).lines
    return {name: git(root, "show", f"{tree}:{name}").text for name in names}


def test_what_landed_after_a_branch_began_on_it_is_not_taken_back(root: Path) -> None:
    first = git(root, "rev-parse", "main").text
    one = on(root, first, {"one.txt": "2"})
    started = on(root, first, {"one.txt": "2", "main.txt": ""})
    two = on(root, started, {"two.txt": ""})
    back = on(root, started, {"one.txt": "1"})
    tip = on(root, joined(root, [back, two, one]), {"mine.txt": ""})
    assert content(root, tip)["one.txt"] == "2"
    mended = on(root, two, {"one.txt": "1"})
    main = joined(root, [back, one, mended])
    assert content(root, main)["one.txt"] == "1"
    merge = merge_onto(root, main, tip)
    assert merge.clean
    assert content(root, merge.tree) == content(root, main) | {"mine.txt": ""}
    assert own_fork(root, main, tip).made
    assert paths_between(root, own_fork(root, main, tip).commit, tip) == ("mine.txt",)


def test_the_same_change_on_both_sides_of_a_crossing_conflicts(root: Path) -> None:
    first = git(root, "rev-parse", "main").text
    below, main = on(root, first, {"two.txt": ""}), on(root, first, {"main.txt": ""})
    tip = on(root, joined(root, [main, below]), {"one.txt": "mine"})
    main = on(root, joined(root, [main, below]), {"one.txt": "theirs"})
    merge = merge_onto(root, main, tip)
    assert (merge.clean, merge.conflicts) == (False, ("one.txt",))


def test_a_merge_that_was_resolved_by_hand_is_the_branchs_own(root: Path) -> None:
    first = git(root, "rev-parse", "main").text
    below, main = on(root, first, {"one.txt": "2"}), on(root, first, {"one.txt": "3"})
    tree = git(root, "rev-parse", f"{on(root, first, {'one.txt': '5'})}^{{tree}}").text
    tip = make_commit(root, tree, [main, below], "resolved")
    landed = make_commit(root, git(root, "rev-parse", f"{main}^{{tree}}").text, [main, below], "landed otherwise")
    assert paths_between(root, own_fork(root, landed, tip).commit, tip) == ("one.txt",)
    assert not merge_onto(root, landed, tip).clean


def test_a_branch_that_has_merged_the_base_branch_is_merged_as_git_does_it(root: Path) -> None:
    first = git(root, "rev-parse", "main").text
    main = on(root, first, {"main.txt": ""})
    tip = joined(root, [on(root, first, {"mine.txt": ""}), main])
    assert own_fork(root, on(root, main, {"later.txt": ""}), tip) == Fork(main)
    assert own_fork(root, tip, main) == Fork(main), "it is there already"
    git(root, "switch", "-q", "--orphan", "lonely")
    lonely = commit(root, {"alone.txt": ""}, "alone")
    assert own_fork(root, main, lonely) == own_fork(root, main, "0" * 40) == Fork("")
    assert not merge_onto(root, main, lonely).clean


def test_wrong_clocks_do_not_make_a_landed_commit_the_branchs_own(root: Path) -> None:
    def dated(parents: Sequence[str], day: int, tree: str = "main") -> str:
        when = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"@{1_700_000_000 + day * 86400} +0000")
        return make_commit(root, f"{tree}^{{tree}}", parents, "dated", when)

    other = on(root, "main", {"other.txt": ""})
    main = dated([], 1)
    for day in range(2, 20):
        main = dated([main], day)
    landed = dated([main], 30, other)
    below = dated([dated([landed], -9000, other)], -8999, other)
    onto = dated([main, below], 50, other)
    assert own_fork(root, onto, dated([landed], 40, other)) == Fork(landed)
    assert own_fork(root, onto, dated([dated([landed, main], 39, other)], 40, other)) == Fork(landed)
