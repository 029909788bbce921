"""The chance that two issues meet: what must raise it, what must lower it, and what the past is asked for."""

from math import log
from typing import Any

import pytest

from analyzer.scopes.habits import Habits
from analyzer.scopes.history import Commit, History
from analyzer.scopes.odds import common, odds, sides
from analyzer.scopes.scope import Scope, ScopeFile
from analyzer.scopes.ties import Ties


def scope(issue, files=None, **rest):
    ranked = sorted((files or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    return Scope(issue, tuple(ScopeFile(path, p, ("named",)) for path, p in ranked), **rest)


def both(a, b):
    return sides({"a": a, "b": b}).values()


def risk(a, b):
    return odds(*both(a, b))


def tied(name, **ties):
    return scope(name, {"x": 0.3}, ties=Ties(name, **ties))


MET = {"a": ["x", "y"], "b": ["y"], "c": ["z"]}
"""Files of the only precedent of each issue."""


def test_the_chance_grows_with_shared_files_and_words():
    far = risk(scope("a", {"x": 0.9}), scope("b", {"y": 0.9}))
    near = risk(scope("a", {"x": 0.9}), scope("b", {"x": 0.9}))
    same = risk(scope("a", {"x": 0.9}, words={"w": 1.0}), scope("b", {"x": 0.9}, words={"w": 1.0}))
    assert 0 < far < near < same < 1


def test_a_rare_file_tells_more_than_a_common_one():
    def pair(shared):
        rarity = {"rare": 4.0, "common": 0.5, "own": 1.0, "other": 1.0}
        ties = [Ties(name, rarity=rarity) for name in "ab"]
        return scope("a", {shared: 0.5, "own": 0.5}, ties=ties[0]), scope(
            "b", {shared: 0.5, "other": 0.5}, ties=ties[1]
        )

    assert risk(*pair("rare")) > risk(*pair("common"))


@pytest.mark.parametrize("ties", [{"named": {"src/x.py"}}, {"labels": {"area"}}, {"dependants": {"c"}}])
def test_it_grows_with_what_both_have(ties):
    shared: Any = {key: frozenset(value) for key, value in ties.items()}
    assert risk(tied("a", **shared), tied("b", **shared)) > risk(tied("a", **shared), tied("b"))


@pytest.mark.parametrize("kind", ["cited", "targets"])
def test_it_grows_when_one_speaks_of_the_other_whichever_comes_first(kind):
    named: Any = {kind: frozenset({"b"})}
    telling = tied("a", **named)
    assert risk(telling, tied("b")) == pytest.approx(risk(tied("b"), telling))
    assert risk(telling, tied("b")) > risk(tied("a"), tied("b"))


@pytest.mark.parametrize("kind", ["precedents", "alike"])
def test_it_grows_when_precedents_met(kind):
    def after(files) -> Any:
        return {kind: ((1.0, frozenset(files)),)}

    a, b, c = (Scope(name, ties=Ties(name, **after(files))) for name, files in MET.items())
    assert risk(a, b) > risk(a, c)
    assert risk(a, a) > risk(a, b)


def test_nothing_in_common_is_judged_by_the_habits_of_the_repository():
    told = common(*both(tied("a", usual=-1.0, age=5.0), scope("b")))
    assert {name for name, value in told.items() if value} == {"usual", "age"}
    assert risk(tied("a", age=3.0), scope("b")) > risk(tied("a", age=9.0), scope("b"))


def history(*works):
    commits = [Commit(f"c{n}", float(n), f"w-{n}: work", tuple(files)) for n, files in enumerate(works)]
    return History.of(commits, {f"w-{n}": "work" for n in range(len(works))})


def test_rarity_and_wish_follow_the_last_works():
    habits = Habits(history(["hub.py", "a.py"], ["hub.py", "b.py"], ["hub.py", "README.md"]))
    assert habits.rarity("hub.py") < habits.rarity("a.py") < habits.rarity("new.py")
    assert (habits.wanted("hub.py"), habits.wanted("b.py"), habits.wanted("README.md")) == (
        1.0,
        pytest.approx(1 / 3),
        0,
    )
    assert (habits.met(["a.py"]), habits.met(["hub.py", "x"]), habits.met([])) == (pytest.approx(1 / 3), 1.0, 0.0)


def test_the_usual_rate_is_drawn_to_the_mean_of_others_where_little_was_seen():
    assert Habits(history()).usual == pytest.approx(log(0.25))
    assert Habits(history(["a"], ["b"])).usual < log(0.25) < Habits(history(["a"], ["a"])).usual
    often = Habits(history(*(["hub"] for _ in range(60)))).usual
    assert often > Habits(history(*(["hub"] for _ in range(5)))).usual
    assert Habits(History.of([Commit("c", 1.0, "no issue named", ("a",))])).rarity("a") < log(4)
