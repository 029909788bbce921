"""The queue's next step: what is tried, what lands, who is blamed."""

from dataclasses import replace
from typing import Any

import pytest

from coordinator.merging.belief import chance, group_size, suspect
from coordinator.merging.changes import Bounce, Change, Land, Landed, Mode, Queue, Start, Step, Trial
from coordinator.merging.plan import needed, plan

A, B, C, D = (Change(number) for number in (1, 2, 3, 4))


def trial(number: int, *members: int, passed: bool | None = None, **more: Any) -> Trial:
    return Trial(number, more.pop("tip", 0), members, passed, **more)


def tried(step: Step) -> list[tuple[int, ...]]:
    return [start.members for start in step.start]


def test_several_workers_try_prefixes_and_one_tries_a_group() -> None:
    queue = Queue((A, B, C, D), workers=3)
    assert tried(plan(queue)) == [(1,), (1, 2), (1, 2, 3)]
    assert tried(plan(replace(queue, workers=1, chance=0.95))) == [(1, 2, 3, 4)]
    assert tried(plan(replace(queue, workers=1, chance=0.6))) == [(1,)]


def test_nothing_is_tried_that_is_hardly_ever_needed() -> None:
    step = plan(Queue(tuple(Change(number) for number in range(20)), workers=20, chance=0.5))
    assert 0 < len(step.start) < 20
    assert all(start.needed >= 0.2 for start in step.start)


def test_how_likely_a_verdict_is_needed_follows_from_what_is_known_now() -> None:
    queue = Queue((A, B, C), (trial(7, 1), trial(8, 1, 2), trial(9, 2)), workers=3, chance=0.7)
    assert {number: round(chance, 2) for number, chance in needed(queue).items()} == {7: 1.0, 8: 0.7, 9: 0.3}
    assert needed(replace(queue, chance=0.9))[9] == 0.0, "hardly likely"
    green = replace(queue, trials=(trial(7, 1, passed=True), trial(8, 1, 2), trial(9, 2)))
    assert needed(green) == {7: 1.0, 8: 1.0, 9: 0.0}
    foreign = replace(queue, trials=(trial(9, 2, passed=True),), landed=(Landed(0, A.targets, 1),), tip=1)
    assert needed(foreign) == {}, "a verdict on another tree tells nothing"


def test_a_green_trial_lands_everybody_before_it_too() -> None:
    queue = Queue((A, B, C), (trial(7, 1), trial(8, 1, 2, passed=True)), workers=2)
    assert plan(queue) == Step(land=(Land((1, 2), 8),))


def test_a_later_change_waits_for_the_one_before_it() -> None:
    queue = Queue((A, B), (trial(7, 1), trial(8, 2, passed=True)), workers=2)
    assert plan(queue).land == ()


def test_red_behind_others_blames_nobody_until_they_have_landed() -> None:
    queue = Queue((A, B, C), (trial(7, 1), trial(8, 1, 2, passed=False)), workers=3)
    step = plan(queue)
    assert (step.land, step.bounce) == ((), ())
    assert all(not {1, 2} <= {*members} for members in tried(step)), "what was seen red is not tried again"
    landed = replace(
        queue, waiting=(B, C), trials=(trial(8, 1, 2, passed=False),), landed=(Landed(1, A.targets, 1),), tip=1
    )
    assert plan(landed).bounce == (Bounce(2, 8),)


def test_a_red_group_is_halved_and_its_last_change_is_bounced_without_a_trial() -> None:
    queue = Queue((A, B, C, D), (trial(7, 1, 2, 3, 4, passed=False, about=4),), chance=0.95)
    assert tried(plan(queue)) == [(1, 2)]
    left = replace(queue, waiting=(D,), landed=tuple(Landed(one, A.targets, one) for one in (1, 2, 3)), tip=3)
    assert plan(left).bounce == (Bounce(4, 7),)


def test_a_trial_without_somebody_who_landed_meanwhile_is_stopped() -> None:
    queue = Queue((B,), (trial(8, 2),), (Landed(1, A.targets, 1),), tip=1)
    step = plan(queue)
    assert step.stop == (8,)
    assert tried(step) == [(2,)]


def test_a_trial_with_somebody_who_was_bounced_is_stopped() -> None:
    assert plan(Queue((B,), (trial(8, 1, 2),), workers=1)).stop == (8,)


def test_a_commit_of_somebody_else_makes_verdicts_void() -> None:
    foreign = (Landed(0, A.targets, 1),)
    assert plan(Queue((A,), (trial(7, 1, passed=True),), foreign, tip=1)).land == ()
    assert plan(Queue((A,), (trial(7, 1, passed=False),), foreign, tip=1)).bounce == ()


def test_what_git_cannot_merge_is_never_tried_together() -> None:
    queue = Queue((A, B, C), clashes=frozenset({(1, 2)}), workers=4)
    assert all(not {1, 2} <= {*members} for members in tried(plan(queue)))
    assert (1, 3) in tried(plan(queue))


def test_what_does_not_meet_lands_in_any_order_in_lanes_only() -> None:
    x, y = Change(1, frozenset({"x"})), Change(2, frozenset({"y"}))
    queue = Queue((x, y), (trial(7, 1), trial(8, 2, passed=True)), workers=2, mode=Mode.LANES)
    assert plan(queue).land == (Land((2,), 8),)
    assert plan(replace(queue, mode=Mode.EXACT)).land == ()


def test_confirming_lands_what_was_judged_side_by_side_and_halves_what_turns_out_red() -> None:
    x, y = Change(1, frozenset({"x"})), Change(2, frozenset({"y"}))
    judged = (trial(7, 1, passed=True), trial(8, 2, passed=True))
    queue = Queue((x, y), judged, workers=4, mode=Mode.CONFIRM)
    assert plan(queue).start == (Start((1, 2), 1, whole=True),)
    green = replace(queue, trials=(*judged, trial(9, 1, 2, passed=True, whole=True)))
    assert plan(green).land == (Land((1, 2), 9),)
    red = replace(queue, trials=(*judged, trial(9, 1, 2, passed=False, whole=True)))
    assert tried(plan(red)) == [(1,)]
    rest = replace(red, waiting=(y,), landed=(Landed(1, x.targets, 1),), tip=1)
    assert plan(rest).bounce == (Bounce(2, 9),)


def test_too_few_workers_to_confirm_work_exactly() -> None:
    x, y = Change(1, frozenset({"x"})), Change(2, frozenset({"y"}))
    queue = Queue((x, y), (trial(8, 2, passed=True),), workers=2, mode=Mode.CONFIRM)
    assert plan(queue).land == ()
    assert tried(plan(queue)) == [(1,), (1, 2)]


def test_stacked_work_is_tried_only_with_what_it_is_built_on() -> None:
    child = Change(2, frozenset({"y"}), on=(1,))
    queue = Queue((Change(1, frozenset({"x"})), child), workers=4, mode=Mode.LANES)
    assert tried(plan(queue)) == [(1,), (1, 2)]
    assert tried(plan(replace(queue, waiting=(child,)))) == [], "its parent has gone: it must be built anew"
    assert tried(plan(replace(queue, waiting=(child,), landed=(Landed(1, frozenset({"x"}), 1),), tip=1))) == [(2,)]


def test_what_a_neighbour_is_built_on_is_tried_and_settled_with_it() -> None:
    waiting = (Change(1, frozenset({"x"})), Change(2, frozenset({"y"}), on=(1,)), Change(3, frozenset({"y"})))
    queue = Queue(waiting, workers=6, mode=Mode.LANES, chance=0.6)
    assert {*tried(plan(queue))} == {(1,), (1, 2), (3,), (1, 3), (1, 2, 3)}
    without = (trial(7, 1, passed=True), trial(8, 1, 2, passed=True), trial(9, 2, 3, passed=False))
    assert plan(replace(queue, mode=Mode.CONFIRM, trials=without)).bounce == ()


def test_nobody_waits_for_what_is_built_on_work_that_is_being_mended() -> None:
    orphan, child = replace(A, on=(-1,)), replace(B, on=(1,))
    queue = Queue((orphan, child, C, D), workers=2)
    assert tried(plan(queue)) == [(3,), (3, 4)]
    assert plan(replace(queue, trials=(trial(7, 3, passed=True),))).land == (Land((3,), 7),)
    assert plan(replace(queue, trials=(trial(7, 3, passed=False),))).bounce == (Bounce(3, 7),)


@pytest.mark.parametrize(("passes", "size"), [(0.6, 1), (0.95, 5), (1.0, 8)])
def test_groups_grow_with_the_chance(passes: float, size: int) -> None:
    assert group_size(passes) == pytest.approx(size, abs=3 if size > 1 else 0)


def test_the_chance_follows_the_verdicts_and_suspicion_lowers_it() -> None:
    assert chance([]) == 0.85
    assert chance([True] * 200) > 0.98
    assert suspect(0.9, 1) == 0
    assert 0 < suspect(0.9, 2) < suspect(0.9, 5) < 0.9
