"""The best timetable against trying everything, and the lower bound against the best timetable."""

from __future__ import annotations

from functools import cache
from itertools import count

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analyzer.backlog.issues import Status
from analyzer.planning.placing import neighbours
from analyzer.planning.plan import Request, make_plan
from analyzer.sources import Asked, read_facts
from analyzer.timing.bounds import lower_bound
from analyzer.timing.estimates import learn
from analyzer.timing.schedule import Job, Shop
from analyzer.timing.timetable import best_timetable
from tests.support.backlogs import data, issue, plan


def exhaustive(shop: Shop) -> float:
    """The least makespan, from all ways of beginning jobs at 0 or at the end of others: no bound, no rule.

    Slow on purpose: only what is running is remembered, so that the same state is not worked out twice.
    """
    everything = (1 << len(shop.jobs)) - 1

    @cache
    def rest(begun: int, running: tuple[tuple[float, int], ...]) -> float:
        """Seconds from now until all has ended."""
        if begun == everything:
            return max((left for left, _ in running), default=0.0)
        at_work = {at for _, at in running}
        found = [float("inf")]
        for at, job in enumerate(shop.jobs):
            waits = any(not begun >> other & 1 or other in at_work for other in shop.before[at])
            if begun >> at & 1 or waits or shop.apart[at] & at_work or len(running) == shop.slots:
                continue
            seconds = job.seconds + sum(shop.prices[at].get(other, 0.0) for other in at_work)
            found.append(rest(begun | 1 << at, tuple(sorted((*running, (seconds, at))))))
        if running:
            step = min(left for left, _ in running)
            after = tuple((left - step, at) for left, at in running if left > step)
            found.append(step + rest(begun, after))
        return min(found)

    return rest(0, ())


@st.composite
def shops(draw: st.DrawFn, most: int, priced: bool) -> Shop:
    size = draw(st.integers(1, most))
    pairs = st.sets(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=size * 2)
    before, apart, costly = draw(pairs), draw(pairs), draw(pairs if priced else st.just(set()))
    jobs = [
        Job(
            at, frozenset(a for a, b in before if b == at and a < b), float(draw(st.sampled_from([10, 30, 30, 40, 90])))
        )
        for at in range(size)
    ]
    hard = {(a, b) for a, b in apart if a < b}
    prices = {(a, b): 7.0 for a, b in costly if a < b and (a, b) not in hard}
    rivals = {at: frozenset({a for a, b in hard if b == at} | {b for a, b in hard if a == at}) for at in range(size)}
    return Shop.of(jobs, rivals, draw(st.integers(1, 4)), prices)


def can_end_by(shop: Shop, limit: float) -> bool:
    """Whether some schedule ends by then. Written apart from the code under test.

    Only work and chains are counted, and of jobs that differ in nothing the first goes first. A case that takes so
    simple a search too long is no example.
    """
    states = count()
    chain = [job.seconds for job in shop.jobs]
    for at in reversed(range(len(chain))):
        chain[at] += max((chain[other] for other in shop.after[at]), default=0.0)

    nature = [(job.seconds, shop.before[at], shop.after[at], shop.apart[at]) for at, job in enumerate(shop.jobs)]

    def able(at: int, begun: int, at_work: set[int]) -> bool:
        waits = any(not begun >> other & 1 or other in at_work for other in shop.before[at])
        return not waits and not shop.apart[at] & at_work and len(at_work) < shop.slots

    @cache
    def rest(begun: int, running: tuple[tuple[float, int], ...], left: float, floor: int) -> bool:
        assume(next(states) < 20_000)
        idle = [at for at in range(len(chain)) if not begun >> at & 1]
        work = sum(shop.jobs[at].seconds for at in idle) + sum(end for end, _ in running)
        if work > left * shop.slots or max([0.0, *(chain[at] for at in idle), *(end for end, _ in running)]) > left:
            return False
        at_work = {at for _, at in running}
        firsts = {nature[at]: at for at in reversed(idle)}
        begin = [at for at in firsts.values() if at > floor and able(at, begun, at_work)]
        more = ((begun | 1 << at, tuple(sorted((*running, (shop.jobs[at].seconds, at)))), left, at) for at in begin)
        if not idle or any(rest(*state) for state in more):
            return True
        step = running[0][0] if running else left + 1
        return rest(begun, tuple((end - step, at) for end, at in running if end > step), left - step, -1)

    return rest(0, (), limit, -1)


@given(shops(14, priced=False))
@settings(max_examples=40, deadline=None)
def test_no_schedule_of_fourteen_tracks_ends_sooner(shop):
    found = best_timetable(shop)
    assert found.proven
    assert can_end_by(shop, found.timetable.makespan)
    assert not can_end_by(shop, found.timetable.makespan - 10)


@given(shops(7, priced=False))
@settings(max_examples=60, deadline=None)
def test_few_tracks_end_as_early_as_trying_everything_can_make_them(shop):
    found = best_timetable(shop)
    assert found.proven
    assert found.timetable.makespan == exhaustive(shop)
    assert found.bound.seconds <= found.timetable.makespan


@given(shops(6, priced=True))
@settings(max_examples=40, deadline=None)
def test_with_prices_too(shop):
    assert best_timetable(shop).timetable.makespan == pytest.approx(exhaustive(shop))


@given(shops(40, priced=True))
@settings(max_examples=60, deadline=None)
def test_every_timetable_can_be_kept(shop):
    found = best_timetable(shop)
    made = found.timetable
    for at, job in enumerate(shop.jobs):
        together = [o for o in range(len(shop.jobs)) if made.starts[o] <= made.starts[at] < made.ends[o]]
        assert len(together) <= shop.slots
        assert not shop.apart[at] & set(together)
        assert all(made.ends[other] <= made.starts[at] for other in shop.before[at])
        assert made.ends[at] >= made.starts[at] + job.seconds
    assert found.bound.seconds <= made.makespan == max(made.ends)
    assert best_timetable(shop) == found


def bound(jobs: list[Job], pairs: list[tuple[str, str]], slots: int) -> tuple[float, str]:
    shop = Shop.of(jobs, neighbours(pairs), slots)
    found = lower_bound(shop, shop.order())
    return found.seconds, found.kind


def test_the_bound_is_the_strongest_of_its_proofs():
    five = [Job(name, seconds=30) for name in "abcde"]
    assert bound(five, [], 8) == (30, "chain")
    assert bound(five, [], 4) == (60, "slots")
    assert bound(five, [("a", "b"), ("b", "c"), ("a", "c")], 4) == (90, "conflicts")
    late = [Job("first", seconds=60), *(Job(name, frozenset(["first"]), 30) for name in "abc")]
    assert bound(late, [], 2) == (120, "slots")
    assert bound([*late, Job("last", frozenset("a"), 30)], [("b", "c"), ("a", "b"), ("a", "c")], 4)[0] >= 150


def test_a_job_in_a_circle_is_never_begun():
    shop = Shop.of([Job("a", frozenset("b"), 5), Job("b", frozenset("a"), 5), Job("c", seconds=5)], {}, 2)
    assert best_timetable(shop).timetable.makespan == 5


def test_a_better_order_than_rank_is_found_and_urgency_kept_where_it_costs_nothing():
    given_issues = [issue(f"u{n}", priority=0) for n in range(2)] + [issue("long", estimated_minutes=60)]
    found = plan(given_issues, slots=2)
    assert found.makespan.expected == found.makespan.lower_bound == 60 * 60
    assert "long" in {found.tracks[0].issues[0], found.tracks[1].issues[0], found.tracks[2].issues[0]}
    assert found.track_of["long"].id in found.waves[0]
    even = plan([issue("u0", priority=0), issue("u1", priority=0), issue("low", priority=4)], slots=2)
    assert {*even.waves[0]} == {even.track_of["u0"].id, even.track_of["u1"].id}


def test_what_closed_issues_teach():
    day = 86400.0
    stated = [issue(f"b{n}", kind="bug", status=Status.CLOSED, estimated_minutes=90 + n) for n in range(9)]
    quick = [issue(f"q{n}", kind="chore", status=Status.CLOSED, created=0.0, closed=day / 10) for n in range(9)]
    usual = [issue(f"t{n}", status=Status.CLOSED, created=0.0, closed=day) for n in range(20)]
    few = [issue(f"f{n}", kind="feature", status=Status.CLOSED, created=0.0, closed=9 * day) for n in range(7)]
    known = learn([*stated, *quick, *usual, *few], 1800.0)
    guess = {kind: known.seconds(issue("x", kind=kind)) for kind in ("bug", "chore", "task", "feature")}
    assert guess == {"bug": 95 * 60, "chore": 900, "task": 1800, "feature": 1800}
    assert known.seconds(issue("x", kind="bug", estimated_minutes=7)) == 420


def test_on_real_trackers_the_makespan_is_near_the_bound_or_the_gap_explained():
    for tracker in sorted(data("beads").glob("*.jsonl")):
        if tracker.stat().st_size < 8_000_000:
            facts = read_facts(None, Asked(issues=tracker))
            for slots in (4, 8):
                span = make_plan(facts, Request(now=1_790_000_000.0, slots=slots)).makespan
                assert span.lower_bound <= span.expected
                assert span.gap or span.expected <= 1.1 * span.lower_bound, tracker.name


def test_pieces_that_do_not_fit_into_the_slots_raise_the_bound():
    # 420 s of work on four slots fit into 110 s by their sum, but nine pieces of 30 s beside these do not.
    lengths = [90.0, 40.0, *[30.0] * 9, 10.0, 10.0]
    shop = Shop.of([Job(at, frozenset(), seconds) for at, seconds in enumerate(lengths)], {}, 4, {})
    assert lower_bound(shop, range(len(lengths))).seconds == 120
