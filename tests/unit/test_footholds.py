"""Which finished work a waiting issue begins on."""

from analyzer.planning.policy import Policy
from coordinator.merging.stack import Finished
from coordinator.running.footholds import find_footings
from coordinator.tasks.claims import Task
from tests.support.backlogs import issue, plan

POLICY = Policy()
TREE = [f"src/{word}.py" for word in ("loans", "members", "routes")] + [f"lib/part{n}.py" for n in range(60)]


def task(name: str, state: str = "waiting", filter_: str = "independent") -> Task:
    return Task(name, name, state, "", "", "", "", "", "", 0, 0, "", filter_, "{}", 0, 0.0)


def parents(pending: Task, *, needs: tuple[str, ...] = (), place: str = "routes", most: int = 1, depth: int = 0):
    """On what an issue that touches `place` may begin; x-1, in loans.py, is finished and x-2 is being worked on."""
    backlog = [
        issue("x-1", description="Change src/loans.py"),
        issue("x-2", description="Change src/members.py"),
        issue("y", *needs, description=f"Change src/{place}.py"),
    ]
    found = plan(backlog, POLICY, TREE, busy=("x-1", "x-2"))
    finished = [Finished("x-1", "tip", depth, frozenset({"src/loans.py", "docs/log.md"}))]
    footings = find_footings(found, POLICY, [pending], finished, most, {"y": {"docs/log.md"}})
    return [one.issue for one in footings["y"].parents] if "y" in footings else None


def test_what_meets_nothing_finished_begins_on_the_base() -> None:
    assert parents(task("y")) is None


def test_what_it_depends_on_must_all_be_finished() -> None:
    assert parents(task("y"), needs=("x-1",)) == ["x-1"]
    assert parents(task("y"), needs=("x-1", "x-2")) == []


def test_what_is_predicted_to_meet_finished_work_begins_on_it() -> None:
    assert parents(task("y"), place="loans") == ["x-1"]
    assert parents(task("y", filter_="all"), place="loans") is None
    assert parents(task("y"), place="loans", depth=1) == [], "it stands on unlanded work itself"
    assert parents(task("y"), place="loans", most=0) == []


def test_another_attempt_begins_on_finished_work_that_changes_where_the_last_one_failed() -> None:
    assert parents(task("y", state="retry")) == ["x-1"]
    assert parents(task("y", state="retry", filter_="all")) == ["x-1"]
