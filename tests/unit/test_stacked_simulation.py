"""Stacked work in simulated worlds: everything lands, and a narrow backlog is done earlier."""

import random

from benchmarks.stacked import TASKS, House, Terms, backlog, measure


def test_a_narrow_backlog_is_done_earlier_when_work_is_stacked() -> None:
    waits, stacks = (measure(Terms(stack=most), reach=4, worlds=6)["makespan"] for most in (0, 1))
    assert stacks < 0.9 * waits


def test_everything_lands_however_often_it_is_bounced() -> None:
    house = House(backlog(3, 8), Terms(passes=0.4, stack=2), random.Random(1))
    house.run()
    assert len(house.done) == len(house.landed) == TASKS
    assert house.entries == house.ends == {}
