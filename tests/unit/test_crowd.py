"""How many more agents may begin, and why no more."""

import pytest

from coordinator.crowd import NO_SLOT, Crowd, Room, crowd_of, free, room


@pytest.mark.parametrize(
    ("crowd", "ahead", "agents"),
    [
        (Crowd(), True, 4),
        (Crowd(working=4), True, 0),
        (Crowd(working=1, landing=3), True, 3),
        (Crowd(working=1, bounced=2, landing=1), True, 1),
        (Crowd(working=5), True, 0),
        (Crowd(working=2, landing=5), True, 1),
        (Crowd(landing=8), True, 0),
        (Crowd(landing=3), False, 1),
        (Crowd(working=1, landing=3), False, 0),
    ],
)
def test_a_seat_is_for_an_agent_that_works(crowd: Crowd, ahead: bool, agents: int) -> None:
    assert free(4, crowd, ahead=ahead).agents == agents


def test_the_reason_is_what_is_short() -> None:
    assert "all 4" in free(4, Crowd(working=3, bounced=1)).why
    assert "8 wait" in free(4, Crowd(landing=8)).why
    assert room(4, Crowd(working=1), idle=2) == Room(2, NO_SLOT)
    assert room(4, Crowd(working=3), idle=2).agents == 1
    assert room(4, Crowd(), idle=9).at_most(2).at_most(None).agents == 2


def test_the_crowd_is_told_from_the_states_of_tasks() -> None:
    assert crowd_of(["working", "judging", "bounced", "waiting", "working", "retry"]) == Crowd(2, 1, 1)
