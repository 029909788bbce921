"""The base branch moves to exactly the commit that was judged, or not at all. Real git."""

from pathlib import Path

import pytest

from coordinator.merging.land import Candidate, Landing, checkout_of, land, landing_of
from coordinator.merging.land import build as build_on
from coordinator.merging.order import Entry, landing_order
from resources.system.git import git, resolve, tree_of
from resources.system.repository import Repository, find_repository
from tests.support.repos import commit, make_repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return find_repository(make_repository(tmp_path / "a repo", {"a.txt": "1\n2\n3\n4\n5\n", "b.txt": "b\n"}))


def branch(repository: Repository, name: str, files: dict[str, str]) -> Entry:
    root = repository.root
    git(root, "switch", "-qc", name)
    tip = commit(root, files, f"{name}: work")
    git(root, "switch", "-q", "main")
    return Entry(1, name, name, tip, 7, 2, "queued", "", 0.0)


def build(repository: Repository, base: str, entry: Entry, title: str) -> Candidate:
    return build_on(repository, resolve(repository.root, base) or "", [entry], lambda issue: title)


def test_what_lands_is_the_tree_that_was_built(repository: Repository) -> None:
    entry = branch(repository, "x-1", {"c.txt": "new\n"})
    commit(repository.root, {"b.txt": "moved on\n"}, "main moved")
    candidate = build(repository, "main", entry, "A title")
    assert land(repository, "main", candidate) == (Landing.LANDED, "")
    assert resolve(repository.root, "main") == candidate.commit
    assert tree_of(repository.root, "main") == candidate.tree
    assert (repository.root / "c.txt").read_text() == "new\n"
    assert landing_of(repository, "main", entry.tip) == candidate.commit
    message = git(repository.root, "log", "-1", "--format=%B", "main").text
    assert "Land x-1: A title" in message
    assert "Agent-Coord-Fence: 7" in message


def test_a_conflict_names_the_paths_and_touches_nothing(repository: Repository) -> None:
    entry = branch(repository, "x-1", {"a.txt": "mine\n"})
    before = commit(repository.root, {"a.txt": "theirs\n"}, "main moved")
    candidate = build(repository, "main", entry, "t")
    assert candidate.conflicts == ("a.txt",)
    assert candidate.commit == ""
    assert resolve(repository.root, "main") == before


def test_somebody_else_was_faster(repository: Repository) -> None:
    candidate = build(repository, "main", branch(repository, "x-1", {"c.txt": "c\n"}), "t")
    newer = commit(repository.root, {"b.txt": "faster\n"}, "a person commits")
    assert land(repository, "main", candidate)[0] is Landing.MOVED
    assert resolve(repository.root, "main") == newer


def test_edits_in_the_way_hold_the_landing_and_stay(repository: Repository) -> None:
    candidate = build(repository, "main", branch(repository, "x-1", {"b.txt": "agent\n"}), "t")
    (repository.root / "b.txt").write_text("a person's unsaved work\n")
    landing, why = land(repository, "main", candidate)
    assert landing is Landing.HELD
    assert "b.txt" in why
    assert (repository.root / "b.txt").read_text() == "a person's unsaved work\n"
    assert resolve(repository.root, "main") == candidate.base


def test_edits_elsewhere_do_not_matter(repository: Repository) -> None:
    candidate = build(repository, "main", branch(repository, "x-1", {"c.txt": "c\n"}), "t")
    (repository.root / "b.txt").write_text("a person's unsaved work\n")
    assert land(repository, "main", candidate)[0] is Landing.LANDED
    assert (repository.root / "b.txt").read_text() == "a person's unsaved work\n"


def test_a_base_that_is_checked_out_nowhere_moves_by_compare_and_swap(repository: Repository) -> None:
    entry = branch(repository, "x-1", {"c.txt": "c\n"})
    git(repository.root, "switch", "-q", "--detach", "main")
    assert checkout_of(repository, "main") is None
    candidate = build(repository, "main", entry, "t")
    assert land(repository, "main", candidate)[0] is Landing.LANDED
    assert land(repository, "main", candidate)[0] is Landing.MOVED


def test_the_order_is_priority_then_age_then_number() -> None:
    entries = [
        Entry(number, f"i{number}", "b", "t", 0, priority, "queued", "", at)
        for number, priority, at in ((1, 2, 5.0), (2, 0, 9.0), (3, 2, 1.0), (4, 2, 1.0))
    ]
    assert [entry.id for entry in landing_order(entries)] == [2, 3, 4, 1]
