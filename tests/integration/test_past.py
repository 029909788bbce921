"""The kept past: many readers at once, a history that was rewritten, a cache that is broken or cannot be written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.past import Past, read_past
from resources.system.repository import Repository, find_repository
from tests.support.repos import commit, git_out, make_repository

ROOT = Path(__file__).parents[2]
READER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from analyzer.past import read_past
from resources.system.repository import find_repository
for _ in range(int(sys.argv[3])):
    past = read_past(find_repository(Path(sys.argv[2])))
    messages = [one.message for one in past.commits]
    assert messages == [f"step {n}" for n in reversed(range(1, len(messages)))] + ["first commit"], messages
    assert len(past.tree) == len(messages), past.tree
print(past.head)
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return find_repository(make_repository(tmp_path / "a past", {"a.py": "0\n"}))


def step(repository: Repository, number: int) -> str:
    return commit(repository.root, {f"f{number}.py": "x\n"}, f"step {number}")


def messages(past: Past) -> list[str]:
    return [one.message for one in past.commits]


def fresh(repository: Repository) -> Past:
    """What is read without a cache."""
    (repository.state / "cache/past.json").unlink()
    return read_past(repository)


def test_many_read_while_commits_arrive_and_none_sees_half_of_it(repository):
    words = [sys.executable, "-c", READER, str(ROOT), str(repository.root), "25"]
    readers = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for number in range(1, 8):
        step(repository, number)
    for reader in readers:
        _, complaint = reader.communicate(timeout=120)
        assert reader.returncode == 0, complaint
    found = read_past(repository)
    assert found == fresh(repository)
    assert len(found.commits) == 8


def test_a_rewritten_history_is_read_anew(repository):
    base = git_out(repository.root, "rev-parse", "HEAD")
    step(repository, 1)
    gone = step(repository, 2)
    assert messages(read_past(repository)) == ["step 2", "step 1", "first commit"]
    git_out(repository.root, "reset", "--quiet", "--hard", base)
    commit(repository.root, {"other.py": "x\n"}, "another way")
    git_out(repository.root, "reflog", "expire", "--expire=now", "--all")
    git_out(repository.root, "gc", "--quiet", "--prune=now")
    found = read_past(repository)
    assert messages(found) == ["another way", "first commit"]
    assert found.tree == ("a.py", "other.py")
    assert gone not in {one.sha for one in found.commits}
    assert found == fresh(repository)


def test_going_back_and_forth_between_branches_never_mixes_them(repository):
    git_out(repository.root, "branch", "side")
    step(repository, 1)
    git_out(repository.root, "switch", "--quiet", "side")
    commit(repository.root, {"s.py": "x\n"}, "aside")
    for branch, expected in (("main", "step 1"), ("side", "aside"), ("main", "step 1")):
        git_out(repository.root, "switch", "--quiet", branch)
        assert messages(read_past(repository)) == [expected, "first commit"]


def test_the_commits_of_a_merge_are_read_on_in_the_order_of_a_whole_reading(repository):
    git_out(repository.root, "switch", "--quiet", "-c", "side")
    commit(repository.root, {"s.py": "x\n"}, "aside")
    git_out(repository.root, "switch", "--quiet", "main")
    step(repository, 1)
    read_past(repository)
    git_out(repository.root, "merge", "--quiet", "--no-edit", "side")
    found, whole = read_past(repository), fresh(repository)
    assert (found.head, found.tree) == (whole.head, whole.tree)
    assert {one.sha for one in found.commits} == {one.sha for one in whole.commits}


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"format":1,"head":"x","tree":[],"commits":[[1]]}'])
def test_a_broken_cache_is_read_anew(repository, broken):
    whole = read_past(repository)
    kept = repository.state / "cache/past.json"
    kept.write_text(broken)
    assert read_past(repository) == whole
    assert json.loads(kept.read_text())["head"] == whole.head


def test_a_cache_that_cannot_be_written_costs_time_only(repository):
    repository.state.mkdir(parents=True, exist_ok=True)
    (repository.state / "cache").write_text("in the way")
    assert messages(read_past(repository)) == ["first commit"]
