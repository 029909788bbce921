"""Waves and the finishing time: order, conflicts, dependencies, slots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.planning.placing import neighbours
from analyzer.timing.schedule import Apart, Job, Shop, list_schedule, waves
from tests.support.backlogs import issue, plan


def job(name: str, *after: str, seconds: float = 1.0) -> Job:
    return Job(name, frozenset(after), seconds)


def finishing_time(jobs: list[Job], apart: Apart, slots: int) -> float:
    return list_schedule(Shop.of(jobs, apart, slots)).makespan


def test_a_wave_holds_as_many_as_there_are_slots_first_come_first():
    jobs = [job(name) for name in "abcde"]
    assert waves(jobs, {}, 2) == [("a", "b"), ("c", "d"), ("e",)]


def test_what_waits_comes_in_a_later_wave():
    jobs = [job("c", "b"), job("b", "a"), job("a"), job("d")]
    assert waves(jobs, {}, 3) == [("a", "d"), ("b",), ("c",)]


def test_a_conflict_passes_the_turn_on():
    jobs = [job(name) for name in "abc"]
    assert waves(jobs, neighbours([("a", "b")]), 2) == [("a", "c"), ("b",)]
    assert waves(jobs, {}, 2, frozenset("a")) == [("b", "c"), ("a",)]
    assert waves(jobs[:1], {}, 2, frozenset("a")) == [(), ("a",)]


def test_a_milestone_takes_neither_slot_nor_time():
    jobs = [job("a", seconds=5), job("b", "m", seconds=7), Job("m", frozenset("a"), is_track=False)]
    assert waves(jobs, {}, 1) == [("a",), ("b",)]
    assert finishing_time(jobs, {}, 1) == 12


@pytest.mark.parametrize(("slots", "seconds"), [(1, 60), (2, 30), (3, 30), (9, 30)])
def test_the_finishing_time_knows_slots_and_conflicts(slots, seconds):
    jobs = [job("a", seconds=30), job("b", seconds=20), job("c", seconds=10)]
    assert finishing_time(jobs, neighbours([("a", "b")]), slots) == (seconds if slots == 1 else 50)
    assert finishing_time(jobs, {}, slots) == seconds


def test_a_price_is_paid_by_the_later_one_or_waited_for():
    shop = Shop.of([job("a", seconds=30), job("b", seconds=20)], {}, 2, {("b", "a"): 5})
    assert list_schedule(shop).ends == (30, 25)
    assert list_schedule(shop, patient=True).ends == (30, 50)


def test_urgency_goes_before_length_and_length_before_name():
    given = [issue("late", priority=3), issue("root", priority=4), issue("hot", "root", priority=0)]
    found = plan([*given, issue("long"), issue("tail", "long"), issue("short"), issue("able")], slots=1)
    order = [track.issues[0] for wave in found.waves for track in found.tracks if track.id in wave]
    assert order == ["root", "long", "able", "short", "late"]
    assert "P0 work waiting" in found.assignments[0].why


def test_slots_are_named_and_the_queue_says_why():
    found = plan([issue(name) for name in "abc"], slots=2)
    assert [(one.slot, one.track) for one in found.assignments] == [("slot-1", "T1"), ("slot-2", "T2")]
    assert [(one.track, one.why) for one in found.queued] == [("T3", "no slot left: others go first; wave 2")]
    assert plan([issue("a")], slots=0).assignments == ()


names = st.integers(0, 11)


@given(st.sets(st.tuples(names, names)), st.sets(st.tuples(names, names)), st.integers(1, 5))
def test_every_job_gets_its_turn_once_and_in_time(before, pairs, slots):
    jobs = [Job(n, frozenset(a for a, b in before if b == n and a < b), float(n % 3 + 1)) for n in range(12)]
    apart = neighbours((a, b) for a, b in pairs if a != b)
    found = waves(jobs, apart, slots)
    assert sorted(name for wave in found for name in wave) == list(range(12))
    done: set = set()
    for wave in found:
        assert all(jobs[name].after <= done for name in wave)
        assert all(not apart.get(name, frozenset()) & {*wave} for name in wave)
        done |= {*wave}
    total = sum(job.seconds for job in jobs)
    assert total / slots <= finishing_time(jobs, apart, slots) <= total
