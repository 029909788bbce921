"""What git says about commits is asked once, and only what it has said is remembered."""

from pathlib import Path

from resources.system.commits import fork_of, paths_between, reaches
from resources.system.git import git
from tests.support.repos import commit, make_repository


def test_forks_ancestors_and_differences(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "a repo", {"a.txt": "a"})
    first = git(root, "rev-parse", "HEAD").text
    mine = commit(root, {"b.txt": "b"}, "mine")
    git(root, "switch", "-qc", "other", first)
    other = commit(root, {"c.txt": "c"}, "other")
    git(root, "switch", "-q", "--orphan", "lonely")
    lonely = commit(root, {"d.txt": "d"}, "lonely")
    assert fork_of(root, mine, other) == first
    assert fork_of(root, mine, lonely) == ""
    assert reaches(root, mine, first)
    assert reaches(root, mine, mine)
    assert not reaches(root, first, mine)
    assert paths_between(root, mine, other) == ("b.txt", "c.txt")


def test_a_commit_that_comes_later_is_asked_for_again(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "here", {"a.txt": "a"})
    first = git(root, "rev-parse", "HEAD").text
    git(tmp_path, "clone", "-q", str(root), "there")
    there = tmp_path / "there"
    for key, value in (("user.name", "a"), ("user.email", "a@b")):
        git(there, "config", key, value)
    later = commit(there, {"b.txt": "b"}, "later")
    assert not reaches(root, later, first)
    git(root, "fetch", "-q", str(there), "HEAD")
    assert reaches(root, later, first)
