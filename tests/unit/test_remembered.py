"""What was predicted before is used again only while everything that it came from is as it was."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.planning.facts import Facts, Source
from analyzer.planning.plan import make_plan
from analyzer.planning.policy import Policy
from analyzer.planning.proposal import Request
from analyzer.remembered import recall, remember
from analyzer.scopes.history import Commit, History
from tests.support.backlogs import issue

TREE = ("src/loans.py", "src/members.py", "tests/test_loans.py")
COMMITS = [Commit("c1", 1.0, "x-0: loans", ("src/loans.py", "tests/test_loans.py"))]


def facts(commits: list[Commit] = COMMITS) -> Facts:
    issues = (issue("x-1", description="Change src/loans.py", labels=("api",)), issue("x-2", "x-1", description="Rest"))
    return Facts(issues, (), History.of(commits), TREE, Source("file", "test", 2))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    file = tmp_path / "scopes.json"
    plan = make_plan(facts(), Request(now=0.0), Policy())
    remember(file, facts(), Policy(), plan.scopes)
    return file


def test_what_is_recalled_is_what_was_predicted(cache: Path) -> None:
    scopes = make_plan(facts(), Request(now=0.0), Policy()).scopes
    assert recall(cache, facts(), Policy()) == scopes
    assert make_plan(facts(), Request(now=0.0), Policy(), recall(cache, facts(), Policy())).scopes == scopes


def test_only_issues_that_are_as_they_were_are_recalled(cache: Path) -> None:
    found, recalled = facts(), recall(cache, facts(), Policy())
    changed = replace(found, issues=(replace(found.issues[0], description="Change src/members.py"), found.issues[1]))
    assert set(recall(cache, changed, Policy())) == {"x-2"}
    declared = replace(found.issues[0], metadata={"files": ["src/members.py"]})
    told = replace(found.issues[0], metadata={"files": ["src/loans.py"]})
    for other in (declared, told):
        remember(cache, replace(found, issues=(other,)), Policy(), {"x-1": recalled["x-1"]})
    assert recall(cache, replace(found, issues=(declared,)), Policy()) == {}


def test_another_history_or_policy_makes_all_void(cache: Path) -> None:
    later = [*COMMITS, Commit("c2", 2.0, "more", ("src/members.py",))]
    assert recall(cache, facts(later), Policy()) == {}
    assert recall(cache, facts(), Policy(conflict_at=0.5)) == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json", '{"key": 1, "scopes": {"x-1": []}}'])
def test_a_broken_cache_is_no_cache(cache: Path, text: str) -> None:
    cache.write_text(text)
    assert recall(cache, facts(), Policy()) == {}


def test_a_cache_that_cannot_be_written_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    remember(tmp_path / "file" / "scopes.json", facts(), Policy(), {})
