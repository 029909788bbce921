import pytest

from coordinator.tasks.handoffs import Handoff
from coordinator.tasks.lifecycle import Next, Outcome, decide, may_retry, no_progress


@pytest.mark.parametrize(
    ("outcome", "attempt", "expected"),
    [
        (Outcome.LANDED, 1, Next.FINISH),
        (Outcome.LANDED, 3, Next.FINISH),
        (Outcome.RED, 1, Next.RESUME),
        (Outcome.CONFLICT, 1, Next.RETRY),
        (Outcome.FAILED, 2, Next.RETRY),
        (Outcome.RED, 3, Next.HAND_OFF),
        (Outcome.STUCK, 2, Next.HAND_OFF),
        (Outcome.CONFLICT, 3, Next.HAND_OFF),
        (Outcome.STOPPED, 3, Next.RELEASE),
        (Outcome.CLOSED, 3, Next.FREE),
        (Outcome.UNFOUNDED, 3, Next.BEGIN_ANEW),
    ],
)
def test_what_follows_an_outcome(outcome: Outcome, attempt: int, expected: Next) -> None:
    assert decide(outcome, attempt, 3, "because").next is expected


def test_the_sentence_tells_attempt_and_reason() -> None:
    assert "attempt 2 of 3" in decide(Outcome.RED, 2, 3, "tests failed").why
    assert "tests failed" in decide(Outcome.CONFLICT, 3, 3, "tests failed").why


def test_another_attempt_waits_for_a_landing_where_it_failed() -> None:
    here, elsewhere = {"a.py", "b.py"}, {"c.py"}
    assert not may_retry([], {"a.py"}, others_under_way=True)
    assert not may_retry([elsewhere], {"a.py"}, others_under_way=True)
    assert may_retry([elsewhere, here], {"a.py"}, others_under_way=True)
    assert may_retry([elsewhere], set(), others_under_way=True)


def test_what_said_where_it_failed_waits_until_each_of_these_has_changed() -> None:
    both = {"a.py", "b.py"}
    assert not may_retry([{"a.py"}, {"c.py"}], both, others_under_way=False, stated=True)
    assert may_retry([{"a.py"}, {"b.py", "c.py"}], both, others_under_way=True, stated=True)
    assert may_retry([{"c.py"}], set(), others_under_way=True, stated=True)


def test_it_does_not_wait_for_what_nobody_can_bring() -> None:
    assert may_retry([], {"a.py"}, others_under_way=False)


@pytest.mark.parametrize(
    ("earlier", "tree", "why", "stuck"),
    [
        ((), "t", "red", False),
        ((Handoff(1, "red", tree="t"),), "t", "red", True),
        ((Handoff(1, "red", tree="t"),), "u", "red", False),
        ((Handoff(1, "red", tree="t"),), "t", "another check is red", False),
        ((Handoff(1, "red", tree="t"), Handoff(1, "other", tree="t")), "t", "red", False),
        ((Handoff(1, "red"),), "", "red", False),
        ((Handoff(2, "red", tree="t"),), "t", "red", False),
    ],
)
def test_the_same_tree_and_the_same_failure_in_a_row_are_no_progress(earlier, tree, why, stuck) -> None:
    """The last row: attempts were numbered anew since, a person has looked at it."""
    assert no_progress(earlier, 2, tree, why) is stuck
