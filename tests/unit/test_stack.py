"""What stacked work may stand on, and what its ground has become."""

import pytest

from coordinator.merging.order import Entry
from coordinator.merging.stack import (
    NOBODY,
    Finished,
    Footing,
    Ground,
    Support,
    below,
    depth,
    footing,
    lands_after,
    lost,
    parents_first,
    shown,
)

A, B, HIGH = Finished("a", "t1"), Finished("b", "t2"), Finished("h", "t3", depth=1)


def entry(number: int) -> Entry:
    return Entry(number, f"i{number}", "b", "t", 0, 2, "queued", "", float(number))


@pytest.mark.parametrize(
    ("waits", "most", "parents"),
    [
        (("a",), 1, (A,)),
        (("b", "a"), 1, (A, B)),
        (("a", "c"), 1, ()),
        (("a",), 0, ()),
        ((), 1, ()),
        (("h",), 1, ()),
        (("h", "a"), 2, (A, HIGH)),
    ],
)
def test_work_begins_on_finished_work_when_all_that_it_needs_is_there(
    waits: tuple[str, ...], most: int, parents: tuple[Finished, ...]
) -> None:
    assert footing(waits, (A, B, HIGH), most).parents == parents


def test_only_what_is_too_high_needs_a_sentence_of_its_own() -> None:
    assert "until h has landed" in footing(("h",), (A, HIGH), 1).why
    assert footing(("c",), (A, HIGH), 1) == Footing()


def test_what_is_below_lands_first_and_what_is_gone_takes_the_work_along() -> None:
    landed, queued = Support("a", Ground.LANDED), Support("b", Ground.QUEUED, 7, "t")
    mended, gone = Support("c", Ground.MENDED), Support("d", Ground.GONE)
    assert lands_after((landed, queued)) == (7,)
    assert lands_after((queued, mended)) == (7, NOBODY)
    assert lost((landed, queued, mended)) == ""
    assert shown((queued, Support("e", Ground.SHOWN, 8))).startswith("it stands on e")
    assert shown((queued, gone)) == ""
    assert "work for d that will not land" in lost((queued, gone))


def test_whoever_stands_on_others_comes_after_them_and_brings_them_forward() -> None:
    first, second, third, fourth = (entry(number) for number in (1, 2, 3, 4))
    on = {1: (4,), 4: (3,), 2: (NOBODY,)}
    assert parents_first([first, second, third, fourth], on) == [third, fourth, first, second]
    assert below(1, on) == (3, 4)
    assert (depth(1, on), depth(3, on), depth(2, on)) == (2, 0, 1)


def test_a_dependency_that_was_turned_round_makes_no_endless_descent() -> None:
    on = {1: (2,), 2: (3,), 3: (1,)}
    assert parents_first([entry(number) for number in (1, 2, 3)], on) == [entry(3), entry(2), entry(1)]
    assert below(1, on) == (3, 2)
    assert depth(1, on) == 2
