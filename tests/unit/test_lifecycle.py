import pytest

from coordinator.tasks.lifecycle import Next, Outcome, decide, may_retry


@pytest.mark.parametrize(
    ("outcome", "attempt", "expected"),
    [
        (Outcome.LANDED, 1, Next.FINISH),
        (Outcome.LANDED, 3, Next.FINISH),
        (Outcome.RED, 1, Next.RESUME),
        (Outcome.CONFLICT, 1, Next.RETRY),
        (Outcome.FAILED, 2, Next.RETRY),
        (Outcome.RED, 3, Next.HAND_OFF),
        (Outcome.CONFLICT, 3, Next.HAND_OFF),
        (Outcome.STOPPED, 3, Next.RELEASE),
        (Outcome.CLOSED, 3, Next.FREE),
    ],
)
def test_what_follows_an_outcome(outcome: Outcome, attempt: int, expected: Next) -> None:
    assert decide(outcome, attempt, 3, "because").next is expected


def test_the_sentence_tells_attempt_and_reason() -> None:
    assert "attempt 2 of 3" in decide(Outcome.RED, 2, 3, "tests failed").why
    assert "tests failed" in decide(Outcome.CONFLICT, 3, 3, "tests failed").why


def test_another_attempt_waits_for_the_base_unless_nothing_can_move_it() -> None:
    assert not may_retry("a", "a", others_under_way=True)
    assert may_retry("a", "b", others_under_way=True)
    assert may_retry("a", "a", others_under_way=False)
