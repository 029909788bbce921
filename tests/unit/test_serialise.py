"""Predicted conflicts as dependencies: enough of them, no more, and never a circle."""

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.backlog.readiness import Rules, resolve
from analyzer.serialise import serialise, still_needed
from tests.support.backlogs import NOW, issue, plan

FILES = dict(
    zip("abcdef", ("loans/ledger", "members/cards", "tools/shelf", "mail/post", "web/paint", "ops/crane"), strict=True)
)
TREE = [f"{path}.py" for path in FILES.values()]


def touching(name: str, files: str, *waits: str, **fields):
    text = " and ".join(f"`{FILES[file]}.py`" for file in files)
    return issue(name, *waits, description=f"Edit {text}." if files else "", **fields)


def pairs(found):
    return [(wait.issue, wait.before) for wait in found]


def test_the_one_that_ranks_first_goes_first_and_three_become_a_chain():
    backlog = [touching(name, "a", priority=urgency) for name, urgency in (("x-1", 2), ("x-2", 0), ("x-3", 1))]
    assert pairs(serialise(plan(backlog, tree=TREE))) == [("x-3", "x-2"), ("x-1", "x-3")]


def test_what_is_ordered_or_not_ready_gets_no_edge():
    backlog = [touching("x-1", "a"), touching("x-2", "a", "x-1"), touching("x-3", "b"), touching("x-4", "c")]
    assert serialise(plan(backlog, tree=TREE)) == ()


def test_an_edge_that_would_close_a_circle_through_an_epic_is_left_out():
    # x-2 waits for the epic of x-1 already: x-1 must not wait for x-2.
    backlog = [
        issue("e", kind="epic"), touching("x-1", "a", parent="e", priority=3), touching("x-2", "a", priority=0),
        touching("x-3", "a", "e"),
    ]  # fmt: skip
    found = plan(backlog, tree=TREE)
    waits = serialise(found)
    assert pairs(waits) == [("x-1", "x-2")]
    later = resolve([*backlog[:2], touching("x-2", "a", "e"), backlog[3]], Rules(NOW))
    assert still_needed(waits, later) == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text("abcdef", min_size=0, max_size=3), st.integers(0, 2)), min_size=2, max_size=8))
def test_once_written_nothing_is_left_to_write_and_no_circle_arises(drawn):
    backlog = [touching(f"x-{n}", "".join(set(files)), priority=p) for n, (files, p) in enumerate(drawn)]
    waits = serialise(plan(backlog, tree=TREE))
    before: dict[str, list[str]] = {}
    for wait in waits:
        before.setdefault(wait.issue, []).append(wait.before)
    files = {f"x-{n}": "".join(set(files)) for n, (files, _) in enumerate(drawn)}
    after = [touching(one.id, files[one.id], *before.get(one.id, ()), priority=one.priority) for one in backlog]
    again = plan(after, tree=TREE)
    assert again.cycles == ()
    assert serialise(again) == ()
