from analyzer.issues import Bond, Dependency, Issue, Status
from coordinator.tasks.epics import finished_epics


def child(name: str, parent: str, status: Status) -> Issue:
    return Issue(name, status=status, dependencies=(Dependency(parent, Bond.PARENT),))


def test_an_epic_is_finished_when_all_its_children_are_closed() -> None:
    issues = [
        Issue("e1", kind="epic"),
        Issue("e2", kind="epic"),
        Issue("empty", kind="epic"),
        child("a", "e1", Status.CLOSED),
        child("b", "e2", Status.CLOSED),
        child("c", "e2", Status.OPEN),
    ]
    assert finished_epics(issues) == ["e1"]
