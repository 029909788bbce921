"""`explain` answers in sentences: why not now, what then, what it touches, whom it meets."""

from __future__ import annotations

from analyzer.backlog.issues import Status
from analyzer.scopes.scope import Scope
from analyzer.showing.explanation import explain_text
from analyzer.showing.layout import Look
from tests.support.backlogs import issue, plan

BACKLOG = (
    issue("e", kind="epic"),
    issue("x-1", description="Edit `a/one.py`.", title="Log in"),
    issue("x-2", "x-1", title="Log out"),
    issue("x-3", description="Edit `a/one.py` too."),
    issue("x-4", status=Status.IN_PROGRESS, assignee="ana"),
    issue("x-5", "x-4", parent="e"),
    issue("x-6", "x-7"),
    issue("x-7", "x-6"),
    issue("x-8", status=Status.CLOSED),
)


def told(name: str) -> str:
    found = plan(BACKLOG, tree=["a/one.py", "b/two.py"])
    return explain_text(found, found.issue(name), found.scopes.get(name, Scope(name)), Look())


def test_a_ready_issue():
    text = told("x-1")
    assert "It is ready: nothing that it waits for is unfinished" in text
    assert "x-2 (Log out) waits for it, and for nothing else." in text
    assert "It will probably touch a/one.py" in text
    assert "It should not run beside x-3" in text
    assert "to slot-" in text


def test_what_waits_says_what_would_free_it():
    assert "It cannot be begun yet: it waits for x-1." in told("x-2")
    assert "That is x-1 (Log in), which can be begun; once it has landed, x-2 is free." in told("x-2")
    assert "x-4 (Do x-4) cannot be begun either: in progress, by ana." in told("x-5")
    assert "It waits for itself: x-6 → x-7 → x-6." in told("x-6")


def test_what_is_no_work_now():
    assert "It is being worked on by ana" in told("x-4")
    assert "It is closed: there is nothing left to do." in told("x-8")
    assert "it is done when its children are: 1 of 1 are unfinished." in told("e")
