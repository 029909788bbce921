"""Readiness by the rules of bd, cycles, layers, the critical path: what the dependencies alone say."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.backlog.issues import Bond, Dependency, Issue, Status
from analyzer.planning.policy import Policy
from analyzer.timing.graph import Waiting
from analyzer.timing.tracks import TrackStatus
from tests.support.backlogs import NOW, issue, plan


def ready(*issues: Issue, **request) -> set[str]:
    return set(plan(issues, **request).ready)


def why(name: str, *issues: Issue) -> str:
    return next(one.why for one in plan(issues).blocked if one.id == name)


def bond(name: str, target: str, kind: Bond, *, any_child: bool = False) -> Issue:
    return replace(issue(name), dependencies=(Dependency(target, kind, kind.value, any_child),))


@pytest.mark.parametrize("status", list(Status))
def test_a_blocker_holds_until_it_is_closed_or_pinned(status):
    free = status in (Status.CLOSED, Status.PINNED)
    assert ("b" in ready(issue("a", status=status), issue("b", "a"))) == free


@pytest.mark.parametrize("status", list(Status))
def test_only_open_issues_are_ready(status):
    assert bool(ready(issue("a", status=status))) == (status is Status.OPEN)


def test_epics_gates_and_ephemeral_issues_are_never_given_out():
    kinds = [issue(kind, kind=kind) for kind in ("epic", "gate", "molecule", "message", "event")]
    assert ready(*kinds, issue("wisp", ephemeral=True), issue("bug", kind="bug")) == {"bug"}


def test_an_open_parent_holds_nothing_back_and_a_blocked_one_all_below_it():
    epics = [issue("e", kind="epic"), issue("f", kind="epic", parent="e")]
    children = [issue("x", parent="e"), issue("y", parent="f")]
    assert ready(*epics, *children) == {"x", "y"}
    gated = issue("e", "a", kind="epic")
    assert ready(issue("a"), gated, *epics[1:], *children) == {"a"}
    assert "its parent e waits for a" in why("y", issue("a"), gated, *epics[1:], *children)


def test_an_id_with_a_number_is_a_child_of_its_stem():
    assert ready(issue("a"), issue("e", "a", kind="epic"), issue("e.1")) == {"a"}
    assert ready(issue("a"), issue("e", "a", kind="epic"), issue("e.1", parent="other")) == {"a", "e.1"}
    assert ready(issue("a"), issue("e", "a", kind="epic"), issue("g", kind="epic"), issue("e.1", parent="g")) == {
        "a",
        "e.1",
    }


def test_waiting_for_an_epic_is_waiting_for_its_issues():
    found = plan([issue("e", kind="epic"), issue("x", parent="e"), issue("y", parent="e"), issue("z", "e")])
    assert set(found.ready) == {"x", "y"}
    assert found.track_of["z"].status is TrackStatus.DEPENDENT
    assert found.layers == (("x", "y"), ("z",))
    assert any("z" in found.track_of and found.track_of["z"].id in wave for wave in found.waves[1:])


def test_waits_for_looks_at_the_children_of_its_target():
    epic, done, left = issue("e", kind="epic"), issue("x", parent="e", status=Status.CLOSED), issue("y", parent="e")
    assert "z" not in ready(epic, done, left, bond("z", "e", Bond.WAITS_FOR))
    assert "z" in ready(epic, done, left, bond("z", "e", Bond.WAITS_FOR, any_child=True))
    assert "z" in ready(epic, done, bond("z", "e", Bond.WAITS_FOR))


def test_conditional_blocks_hold_like_blocks_and_related_edges_do_not():
    assert ready(issue("a"), bond("b", "a", Bond.CONDITIONAL), bond("c", "a", Bond.RELATED)) == {"a", "c"}


def test_deferral_ends_with_its_time_and_reaches_the_children():
    assert ready(issue("a", defer_until=NOW + 60), issue("b", defer_until=NOW - 60)) == {"b"}
    assert ready(issue("e", kind="epic", defer_until=NOW + 60), issue("x", parent="e")) == set()


def test_unknown_targets_are_named_and_hold_back_only_when_asked():
    given = [issue("a", "gone", where="t:7"), issue("b", "external:x:y")]
    found = plan(given)
    assert set(found.ready) == {"a", "b"}
    assert {(problem.where, "gone" in problem.what) for problem in found.problems} == {("t:7", True), ("", False)}
    assert plan(given, Policy(unknown_blocks=True)).ready == ()


def test_foreign_words_for_blocking_are_understood_and_told():
    alias = replace(issue("b"), dependencies=(Dependency("a", Bond.BLOCKS, "blocked-by"),), where="t:2")
    found = plan([issue("a"), alias])
    assert found.ready == ("a",)
    assert [problem.where for problem in found.problems] == ["t:2"]
    assert set(plan([issue("a"), alias], Policy(alias_dependencies=False)).ready) == {"a", "b"}


def test_cycles_are_named_and_hold_what_waits_for_them():
    found = plan([issue("a", "c"), issue("b", "a"), issue("c", "b"), issue("d", "c"), issue("s", "s"), issue("free")])
    assert found.cycles == (("a", "b", "c"), ("s",))
    assert found.ready == ("free",)
    assert {track.status for name, track in found.track_of.items() if name != "free"} == {TrackStatus.BLOCKED}
    assert found.layers == (("free",),)
    assert "in a cycle: a → b → c → a" in why("a", *found.facts.issues)
    assert "c is in a cycle" in why("d", *found.facts.issues) or "waits for c" in why("d", *found.facts.issues)


def test_an_epic_that_waits_for_its_own_child_is_a_cycle():
    found = plan([issue("e", "x", kind="epic"), issue("x", parent="e")])
    assert found.ready == ()
    assert found.cycles == (("e", "x"),)


def test_who_is_held_is_told_with_the_end_of_the_chain():
    chain = [issue("g", kind="gate"), issue("a", "g"), issue("b", "a")]
    assert why("a", *chain) == "waits for g; g is a gate, not work for an agent"
    assert "g is a gate" in why("b", *chain)
    assert "in progress, by ann" in why("b", issue("a", status=Status.IN_PROGRESS, assignee="ann"), issue("b", "a"))


def test_the_critical_path_is_the_longest_in_time_and_bounds_the_plan():
    long = [issue("a", estimated_minutes=300), issue("b", estimated_minutes=5), issue("c", "b"), issue("d", "c")]
    found = plan(long, slots=2).makespan
    assert found.critical_path == ("a",)
    assert found.lower_bound == found.expected == 300 * 60
    assert plan(long, slots=1).makespan.lower_bound == (300 + 5 + 30 + 30) * 60


def test_a_request_may_name_issues_or_an_epic():
    given = [
        issue("e", kind="epic"),
        issue("f", kind="epic", parent="e"),
        issue("x", parent="f"),
        issue("y", "x"),
        issue("z"),
    ]
    assert ready(*given, epic="e") == {"x"}
    assert ready(*given, only=("y", "z")) == {"z"}
    with pytest.raises(Exception, match="no issue"):
        plan(given, only=("zz",))


def test_epics_tell_how_far_they_are():
    done = issue("x", parent="e", status=Status.CLOSED)
    (epic,) = plan([issue("e", kind="epic"), done]).epics
    assert (epic.done, epic.total, epic.closable) == (1, 1, True)


def test_a_circle_of_thousands_is_told_in_a_line():
    count = 5000
    made = plan(issue(f"c-{number}", f"c-{(number + 1) % count}") for number in range(count))
    assert [len(cycle) for cycle in made.cycles] == [count]
    assert max(len(one.why) for one in made.blocked) < 300
    assert f"… {count - 7} more …" in made.blocked[0].why


def test_parents_a_thousand_deep_hold_back_what_is_below_them():
    count = 1000
    made = [issue(f"p-{number}", "x", parent=f"p-{number - 1}" if number else "") for number in range(count)]
    found = plan([issue("x"), *made])
    assert found.ready == ("x",)
    assert all(one.waits_for == ("x",) for one in found.blocked)
    assert len(found.layers) == 2


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=30))
def test_waiting_answers_like_a_search_of_the_graph(pairs):
    graph = nx.DiGraph([(f"n{min(pair):02}", f"n{max(pair):02}") for pair in pairs if pair[0] != pair[1]])
    waiting = Waiting(graph)
    for a, b in product([*graph, "elsewhere"], repeat=2):
        known = a in graph and b in graph
        assert waiting.is_ordered(a, b) == (known and a != b and (nx.has_path(graph, a, b) or nx.has_path(graph, b, a)))
