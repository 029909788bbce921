"""Who starts now, and the sentence for everybody who waits."""

from dataclasses import replace
from typing import Any

from analyzer.backlog.issues import Issue
from analyzer.planning.policy import Policy
from analyzer.scopes.scope import Scope, ScopeFile
from coordinator.crowd import Room
from coordinator.running.assign import Choice, Ground, choose, on_last, paths_to_reserve
from coordinator.tasks.claims import Task
from tests.support.backlogs import issue, plan

POLICY = Policy()
TREE = [f"src/{word}.py" for word in ("loans", "members", "routes")] + [f"lib/part{n}.py" for n in range(60)]


def task(name: str, state: str = "waiting", filter_: str = "independent", base: str = "") -> Task:
    return Task(name, name, state, "", "", "", "", "", base, 0, 0, "tried before", filter_, "{}", 0, 0.0)


def work(name: str, place: str, *waits: str, **fields: Any) -> Issue:
    return issue(name, *waits, description=f"Change src/{place}.py", **fields)


def pick(issues: list[Issue], pending: list[Task], under_way: set[str] | None = None, seats: int = 4) -> Choice:
    found = plan(issues, POLICY, TREE, busy=tuple(under_way or ()))
    ground = Ground(
        "base-2", {"base-1": [{"src/members.py"}], "base-2": []}, {"x-2": {"src/members.py"}, "x-3": {"src/routes.py"}}
    )
    return choose(found, POLICY, pending, under_way or set(), room=Room(seats), ground=ground)


def test_the_urgent_first_and_no_more_than_there_are_seats() -> None:
    issues = [work("x-1", "loans", priority=3), work("x-2", "members", priority=0), work("x-3", "routes", priority=1)]
    choice = pick(issues, [task("x-1"), task("x-2"), task("x-3")], seats=2)
    assert choice.start == ("x-2", "x-3")
    assert choice.waits == {"x-1": "waits for a free slot"}


def test_dependants_wait_for_what_they_need() -> None:
    choice = pick([work("x-1", "loans"), work("x-2", "members", "x-1")], [task("x-1"), task("x-2")])
    assert choice.start == ("x-1",)
    assert "x-1" in choice.waits["x-2"]


def test_a_dependant_may_begin_on_finished_work_though_its_track_is_under_way() -> None:
    issues = [work("x-1", "loans"), work("x-2", "loans", "x-1"), work("x-3", "routes", "x-1")]
    found = plan(issues, POLICY, ["src/loans.py", "src/routes.py"], busy=("x-1",))
    ground = Ground("base-2", stacks={"x-2": {"x-1"}}, unstacked={"x-3": "finished, in conflict in a.py"})
    choice = choose(found, POLICY, [task("x-2"), task("x-3")], {"x-1"}, room=Room(4), ground=ground)
    assert choice.start == ("x-2",)
    assert choice.waits == {"x-3": "finished, in conflict in a.py"}


def test_overlaps_are_kept_apart_unless_landing_shall_settle_them() -> None:
    issues = [work("x-1", "loans"), work("x-2", "loans")]
    choice = pick(issues, [task("x-1"), task("x-2")])
    assert choice.start == ("x-1",)
    assert "x-1" in choice.waits["x-2"]
    assert pick(issues, [task("x-1", filter_="all"), task("x-2", filter_="all")]).start == ("x-1", "x-2")


def test_another_attempt_waits_until_something_has_landed_that_it_touches() -> None:
    issues = [work("x-1", "loans"), work("x-2", "members"), work("x-3", "routes")]
    again = [task("x-2", state="retry", base="base-1"), task("x-3", state="retry", base="base-1")]
    choice = pick(issues, again, {"x-1"})
    assert choice.start == ("x-2",)
    assert "where it failed" in choice.waits["x-3"]


def test_what_would_wait_for_finished_work_may_begin_on_it() -> None:
    issues = [work("x-1", "loans"), work("x-2", "loans")]
    found = plan(issues, POLICY, ["src/loans.py"], busy=("x-1",))
    again, trouble = task("x-2", state="retry", base="base-2"), {"x-1": {"src/loans.py"}, "x-2": {"src/loans.py"}}
    news = Ground("base-2", trouble=trouble, stacks={"x-2": {"x-1"}}, brought={"x-2": [{"src/loans.py"}]})
    assert choose(found, POLICY, [again], {"x-1"}, room=Room(4), ground=news).start == ("x-2",)
    known = replace(news, brought={"x-2": []})
    assert "where it failed" in choose(found, POLICY, [again], {"x-1"}, room=Room(4), ground=known).waits["x-2"]


def test_of_two_that_meet_the_older_goes_first_and_early_enough() -> None:
    issues = [
        work("x-1", "loans", priority=1, created=20.0),
        work("x-2", "loans", priority=3, created=10.0),
        work("x-3", "members", priority=2),
    ]
    choice = pick(issues, [task("x-1"), task("x-2"), task("x-3")], seats=1)
    assert choice.start == ("x-2",)
    assert choice.waits == {
        "x-1": "x-2 of the same track T1 is under way",
        "x-3": "waits for a free slot",
    }
    urgent = [replace(issues[0], priority=0), *issues[1:]]
    assert pick(urgent, [task("x-1"), task("x-2")]).start == ("x-1",)


def test_who_failed_waits_for_an_older_one_that_touches_those_files() -> None:
    issues = [work("x-2", "loans", created=20.0), work("x-4", "members", created=10.0), work("x-1", "routes")]
    again = task("x-2", state="retry", base="base-1")
    assert "x-4 is older" in pick(issues, [again, task("x-4")], {"x-1"}, seats=0).waits["x-2"]
    younger = [issues[0], replace(issues[1], created=30.0), issues[2]]
    assert pick(younger, [again, task("x-4")], {"x-1"}, seats=0).waits["x-2"] == "waits for a free slot"


def test_what_is_older_than_the_urgent_that_failed_goes_before_what_is_less_urgent() -> None:
    issues = [
        work("x-1", "routes", priority=4, created=10.0),
        work("x-2", "members", priority=1, created=20.0),
        work("x-3", "loans", priority=2, created=30.0),
    ]
    others = [task("x-1"), task("x-3")]
    assert pick(issues, [*others, task("x-2")], seats=1).start == ("x-2",)
    assert pick(issues, [*others, task("x-2", state="retry", base="base-2")], seats=1).start == ("x-1",)
    assert pick(issues, [*others, task("x-2", state="retry", base="base-1")], seats=1).start == ("x-2",)


def test_the_last_attempt_waits_for_what_is_older_and_under_way_until_the_work_stands_still() -> None:
    issues = [work("x-1", "loans", created=10.0), work("x-2", "members", created=20.0)]
    failed = task("x-2", state="retry", base="base-1")
    ground = Ground("base-2", {"base-1": [{"src/members.py"}]}, last=on_last([failed], failed.attempt + 1))

    def chosen(*pending: Task, under_way: set[str]) -> Choice:
        found = plan(issues, POLICY, TREE, busy=tuple(under_way))
        return choose(found, POLICY, pending, under_way, room=Room(2), ground=ground)

    waits = chosen(failed, under_way={"x-1"}).waits
    assert waits == {"x-2": "one attempt is left: x-1 is older and under way"}
    issues[1] = replace(issues[1], priority=0)
    assert chosen(failed, under_way={"x-1"}).start == ("x-2",), "what is critical waits for nobody who is not"
    issues[1] = replace(issues[1], priority=2)
    assert chosen(failed, task("x-1"), under_way=set()).start == ("x-1",)
    assert chosen(failed, under_way=set()).start == ("x-2",)
    assert on_last([failed], failed.attempt + 2) == on_last([task("x-1")], 1) == frozenset()


def test_one_at_a_time_mends_a_conflict_in_a_file() -> None:
    issues = [work("x-1", "loans"), work("x-2", "members"), work("x-4", "routes")]
    both = {"x-2": {"src/members.py"}, "x-4": {"src/members.py", "src/loans.py"}}
    ground = Ground("base-2", {"base-1": [{"src/members.py"}]}, both)
    found = plan(issues, POLICY, ["src/loans.py", "src/members.py", "src/routes.py"], busy=("x-2",))
    choice = choose(found, POLICY, [task("x-4", "retry", "all", "base-1")], {"x-2"}, room=Room(4), ground=ground)
    assert choice.waits["x-4"] == "x-2 is mending a conflict in the same files"


def test_at_a_standstill_each_gets_its_turn() -> None:
    issues = [work("x-1", "loans", priority=1), work("x-2", "members")]
    once, twice = task("x-2", state="retry", base="base-2"), task("x-1", state="retry", base="base-2")
    pending = [replace(twice, attempt=2), replace(once, attempt=1)]
    choice = pick(issues, pending, seats=1)
    assert choice.start == ("x-2",)
    assert "x-1" in choice.waits
    assert pick(issues, pending).start == ("x-2", "x-1")
    assert pick([*issues, work("x-3", "routes")], [*pending, task("x-3")]).start == ("x-3",)


def test_what_said_where_it_failed_is_not_tried_again_on_the_same_ground() -> None:
    issues, trouble = [work("x-1", "loans"), work("x-2", "members")], {"x-1": {"src/loans.py"}}
    found = plan(issues, POLICY, ["src/loans.py", "src/members.py"])
    still = Ground("base-2", {"base-2": []}, trouble, stated={"x-1"})
    again = task("x-1", state="retry", base="base-2")

    def of(ground: Ground, *more: Task, room: int = 4) -> Choice:
        return choose(found, POLICY, [again, *more], set(), room=Room(room), ground=ground)

    assert (of(still).start, of(still).vain) == ((), ("x-1",))
    assert of(still, room=0).vain == (), "nobody knows yet what else will begin"
    assert (of(still, task("x-2")).start, of(still, task("x-2")).vain) == (("x-2",), ())
    assert of(replace(still, landed={"base-2": [{"src/loans.py"}]})).start == ("x-1",)
    both = replace(still, landed={"base-2": [{"src/loans.py"}]}, trouble={"x-1": {"src/loans.py", "src/members.py"}})
    assert (of(both).start, of(both).vain) == ((), ("x-1",)), "one of them is as it was"
    assert of(replace(still, stated=frozenset())).start == ("x-1",)


def test_reservations_refuse_only_what_the_plan_keeps_apart() -> None:
    files = (
        ScopeFile("sure.py", 0.9, ()),
        ScopeFile("guess.py", 0.5, ()),
        ScopeFile("maybe.py", 0.3, ()),
        ScopeFile("hot.py", 0.9, ()),
    )
    new = (("new.py", 0.6),)
    scope = Scope("x-1", files, new, ("docs/**", "guess.py", "hot.py", "maybe.py", "new.py", "sure.py"), ("hot.py",))
    wanted = paths_to_reserve(scope, POLICY, share=False)
    assert wanted.firm == ("docs/**", "sure.py")
    assert wanted.exclusive == ("guess.py", "new.py")
    assert wanted.shared == ("hot.py",)
    shared = paths_to_reserve(scope, POLICY, share=True)
    assert shared.firm == shared.exclusive == ()
    assert paths_to_reserve(None, POLICY, share=False).all == ()
