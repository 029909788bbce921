"""Where unlanded work has gone already says more to the planner than what was guessed of it."""

from typing import Any

from analyzer.backlog.issues import Issue, Status
from analyzer.scopes.seen import Seen
from tests.support.backlogs import issue, plan

REST = tuple(f"rest{n}/part{n}.py" for n in range(40))
TREE = ("loans/lend.py", "members/card.py", "desk/front.py", "package.json", *REST)


def named(name: str, path: str, **more: Any) -> Issue:
    return issue(name, description=f"Change {path}", metadata={"files": [path]}, **more)


def meetings(seen: dict[str, Seen]) -> list[tuple[str, str, str]]:
    issues = [named("x-1", "loans/lend.py", status=Status.IN_PROGRESS), named("x-2", "members/card.py")]
    found = plan(issues, tree=TREE, busy=("x-1",), seen=seen)
    return [(one.a, one.b, one.witness) for one in found.issue_conflicts]


def test_a_file_that_nobody_foresaw_keeps_others_away_as_soon_as_it_is_seen() -> None:
    assert meetings({}) == []
    assert meetings({"x-1": Seen(frozenset({"members/card.py"}))}) == [("x-1", "x-2", "members/card.py")]


def test_finished_work_that_left_a_foreseen_file_alone_keeps_nobody_away() -> None:
    issues = [named("x-1", "loans/lend.py", status=Status.IN_PROGRESS), named("x-2", "loans/lend.py")]

    def conflicts(**more: Any) -> int:
        return len(plan(issues, tree=TREE, busy=("x-1",), **more).issue_conflicts)

    elsewhere = frozenset({"desk/front.py"})
    assert (conflicts(), conflicts(seen={"x-1": Seen(elsewhere)})) == (1, 1), "more may come"
    assert conflicts(seen={"x-1": Seen(elsewhere, finished=True)}) == 0


def test_the_scope_says_why_and_keeps_what_was_predicted_for_the_next_plan() -> None:
    seen = {"x-1": Seen(frozenset({"desk/front.py", "desk/made.py", "package.json"}))}
    found = plan([named("x-1", "loans/lend.py")], tree=TREE, busy=("x-1",), seen=seen)
    scope = found.scopes["x-1"]
    assert {file.path: file.evidence[0] for file in scope.files}["desk/front.py"] == "changed by its unlanded work"
    assert dict(scope.new)["desk/made.py"] > 0.9
    assert scope.hot == ("package.json",)
    assert {"desk/front.py", "desk/made.py", "loans/lend.py"} <= set(scope.write)
    assert found.predicted["x-1"] == plan([named("x-1", "loans/lend.py")], tree=TREE, busy=("x-1",)).scopes["x-1"]
