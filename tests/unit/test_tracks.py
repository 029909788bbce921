"""What is bound into one track, what stays apart, and that nothing is lost or doubled."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.backlog.issues import Bond, Dependency, Issue, Status
from analyzer.planning.plan import Plan, Policy
from analyzer.scopes.scope import ScopePolicy
from analyzer.timing.tracks import TrackStatus
from tests.support.backlogs import NOW, issue, plan


def runs(found: Plan) -> set[tuple[str, ...]]:
    return {track.issues for track in found.tracks}


def touching(name: str, *paths: str, **fields) -> Issue:
    """An issue whose text names the files that it edits."""
    return issue(name, description="Edit " + " and ".join(f"`{path}`" for path in paths), **fields)


HOT = "notes/log.py"
FOLDERS = ("auth", "bills", "mail", "menu", "shop")
TREE = (HOT, *(f"src/{folder}/{name}.py" for folder in FOLDERS for name in "abcdefghijklmnop"))


def test_a_chain_is_one_track_and_a_fork_is_not():
    assert runs(plan([issue("a"), issue("b", "a"), issue("c", "b")])) == {("a", "b", "c")}
    assert runs(plan([issue("a"), issue("b", "a"), issue("c", "a", priority=0)])) == {("a", "c"), ("b",)}
    assert runs(plan([issue("a"), issue("b"), issue("c", "a", "b")])) == {("a",), ("b",), ("c",)}


def test_an_edge_that_adds_nothing_does_not_break_a_chain():
    assert runs(plan([issue("a"), issue("b", "a"), issue("c", "a", "b")])) == {("a", "b", "c")}


def test_a_chain_goes_through_an_epic_of_one_issue():
    assert runs(plan([issue("e", kind="epic"), issue("x", parent="e"), issue("y", "e")])) == {("x", "y")}


def test_what_a_gate_holds_joins_no_track():
    found = plan([issue("a"), issue("b", "a", status=Status.DEFERRED), issue("c", "b")])
    assert runs(found) == {("a",), ("b", "c")}
    assert found.track_of["b"].status is TrackStatus.BLOCKED


def test_tracks_say_whether_they_can_begin():
    found = plan([issue("a"), issue("b", "a"), issue("c", "a"), issue("g", kind="gate"), issue("d", "g")])
    status = {track.issues[0]: track.status for track in found.tracks}
    assert status == {"a": TrackStatus.INDEPENDENT, "c": TrackStatus.DEPENDENT, "d": TrackStatus.BLOCKED}
    assert found.track_of["c"].waits_for == ("a",)


def test_issues_that_want_the_same_file_share_a_track_or_stay_in_different_waves():
    path = "src/auth/a.py"
    pair = plan([touching("x", path), touching("y", path), issue("z")], tree=TREE)
    assert ("x", "y") in runs(pair)
    tied = plan([touching("x", path), touching("y", path), issue("z", "x"), issue("w", "y")], tree=TREE)
    assert runs(tied) == {("x", "z"), ("y", "w")}
    assert [{*wave} for wave in tied.waves] == [{tied.track_of["x"].id}, {tied.track_of["y"].id}]
    (conflict,) = tied.conflicts
    assert (conflict.worst.witness, set(conflict.issues)) == (path, {"x", "y"})


def test_a_meeting_of_issues_that_are_ordered_anyway_is_no_conflict():
    first, second = touching("x", "src/auth/a.py"), touching("y", "src/auth/a.py")
    between = [issue("z", "x"), issue("m", "x")]
    assert plan([first, second, *between], tree=TREE).conflicts
    later = replace(second, dependencies=between[1].dependencies)
    assert plan([first, later, *between], tree=TREE).conflicts == ()


def test_work_in_progress_keeps_others_off_its_files():
    found = plan([touching("x", "src/auth/a.py"), touching("y", "src/auth/a.py"), issue("z")], tree=TREE, busy=("x",))
    assert found.track_of["y"].id not in found.waves[0]
    (why,) = [one.why for one in found.queued if one.track == found.track_of["y"].id]
    assert "x" in why
    assert "src/auth/a.py" in why


def test_what_waits_for_work_in_progress_comes_after_what_is_left_of_it():
    begun = issue("x", status=Status.IN_PROGRESS, estimated_minutes=60, started=NOW - 40 * 60, updated=NOW - 60)
    found = plan([begun, issue("y", "x", estimated_minutes=30), issue("z", estimated_minutes=10)])
    waiting = found.track_of["y"]
    assert waiting.status is TrackStatus.DEPENDENT
    assert "x is in progress, about 20 min left" in waiting.why
    assert [waiting.id in wave for wave in found.waves] == [False, True]
    assert found.makespan.expected == 50 * 60
    assert found.track_of["x"].status is TrackStatus.BLOCKED


def test_work_begun_long_ago_is_nearly_done_and_work_nobody_speaks_of_is_not_waited_for():
    late = issue("x", status=Status.IN_PROGRESS, estimated_minutes=60, updated=NOW - 86400)
    assert plan([late, issue("y", "x", estimated_minutes=30)]).makespan.expected == 45 * 60
    forgotten = issue("x", status=Status.IN_PROGRESS, updated=NOW - 30 * 86400)
    assert plan([forgotten, issue("y", "x")]).track_of["y"].status is TrackStatus.BLOCKED


def test_what_is_told_to_be_busy_is_waited_for_though_the_tracker_does_not_know():
    found = plan([issue("x", estimated_minutes=30), issue("y", "x", estimated_minutes=30)], busy=("x",), slots=1)
    assert found.makespan.expected == 60 * 60
    assert not any(found.track_of["x"].id in wave for wave in found.waves)


def test_a_likely_meeting_below_the_threshold_is_avoided_where_that_costs_nothing():
    policy = Policy(conflict_at=0.9)
    found = plan(
        [touching("x", "src/auth/a.py"), touching("y", "src/auth/a.py"), issue("z")], policy, tree=TREE, slots=2
    )
    assert [(one.a, one.b) for one in found.soft_conflicts] == [("x", "y")]
    assert found.conflicts == ()
    together = [{found.track_of[name].id for name in "xy"} <= {*wave} for wave in found.waves]
    assert not any(together)


def test_tracks_begin_together_when_only_a_later_issue_of_one_is_kept_from_the_other():
    last = issue("b", "a", description="Edit `src/auth/a.py`")
    found = plan([issue("a"), last, touching("y", "src/auth/a.py")], Policy(conflict_at=0.9), tree=TREE, slots=2)
    assert [(one.a, one.b) for one in found.soft_conflicts] == [("b", "y")]
    assert {*found.waves[0]} == {found.track_of["a"].id, found.track_of["y"].id}


@pytest.mark.parametrize("hot", ["share", "serialize", "ignore"])
def test_a_hot_file_alone_keeps_nobody_apart_unless_asked(hot):
    policy = Policy(hot=hot, scope=ScopePolicy(hot=(HOT,)))
    found = plan([touching(name, HOT) for name in "xyz"], policy, tree=TREE, slots=3)
    together = {*found.waves[0]} == {track.id for track in found.tracks} and len(found.tracks) == 3
    assert together == (hot != "serialize")
    assert bool(found.hot_conflicts) == (hot == "share")


IDS = [f"n{number}" for number in range(9)]
KINDS = ["task", "task", "task", "bug", "epic", "gate"]
BONDS = [Bond.BLOCKS, Bond.BLOCKS, Bond.PARENT, Bond.CONDITIONAL, Bond.RELATED, Bond.WAITS_FOR]
edge = st.builds(Dependency, st.sampled_from([*IDS, "gone"]), st.sampled_from(BONDS), st.just("x"), st.booleans())
backlogs = st.lists(
    st.builds(
        Issue, st.sampled_from(IDS), description=st.sampled_from(["", "Edit `src/auth/a.py`", "Edit `src/bills/b.py`"]),
        status=st.sampled_from([Status.OPEN] * 5 + [Status.CLOSED, Status.DEFERRED, Status.IN_PROGRESS]),
        priority=st.integers(0, 4), kind=st.sampled_from(KINDS), dependencies=st.lists(edge, max_size=3).map(tuple),
        estimated_minutes=st.sampled_from([None, 10, 90]),
    ),
    unique_by=lambda issue: issue.id, max_size=9,
)  # fmt: skip


def blocked_by(found: Plan) -> dict[str, set[str]]:
    """Issue -> everything that (transitively) blocks it, worked out the slow way from the rules."""
    issues = found.backlog.issues
    unfinished = {name for name, each in issues.items() if each.is_open}
    parents = {
        name: {d.target for d in each.dependencies if d.bond is Bond.PARENT} - {name} for name, each in issues.items()
    }
    direct: dict[str, set[str]] = {name: set() for name in issues}
    for name in unfinished:
        for each in issues[name].dependencies:
            kids = {kid for kid in issues if each.target in parents[kid]}
            if each.bond in (Bond.BLOCKS, Bond.CONDITIONAL):
                direct[name] |= {each.target} & unfinished
            elif each.bond is Bond.WAITS_FOR and each.target in issues and not (each.any_child and kids - unfinished):
                direct[name] |= kids & unfinished
    for _ in issues:
        for name in issues:
            for parent in parents[name] & {*issues}:
                direct[name] |= direct[parent]
            direct[name] |= {deep for blocker in direct[name] for deep in direct[blocker]}
    return direct


@given(backlogs, st.integers(1, 4), st.randoms())
@settings(deadline=None)
def test_whatever_the_backlog_the_plan_holds_together(issues, slots, shuffler):
    found = plan(issues, slots=slots, tree=TREE)
    blockers = blocked_by(found)
    work = {each.id for each in issues if each.is_open and each.kind not in ("epic", "gate")}
    assert sorted(name for track in found.tracks for name in track.issues) == sorted(work)
    free = {name for name in work if not blockers[name] and found.backlog.issues[name].status is Status.OPEN}
    assert set(found.ready) == free
    assert {one.id for one in found.blocked} == work - free
    assert all(one.why for one in found.blocked)
    for wave in found.waves:
        members = [track for track in found.tracks if track.id in wave]
        assert len(members) <= slots
        for one in members:
            others = {name for other in members if other is not one for name in other.issues}
            assert not any(blockers[name] & others for name in one.issues)
        assert not any({c.a, c.b} <= {*wave} for c in found.conflicts)
    assert found.makespan.expected >= found.makespan.lower_bound or not found.waves
    mixed = list(issues)
    shuffler.shuffle(mixed)
    again = plan(mixed, slots=slots, tree=TREE)
    assert (again.tracks, again.waves, again.assignments, again.queued) == (
        found.tracks, found.waves, found.assignments, found.queued,
    )  # fmt: skip
