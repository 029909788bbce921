"""Who goes first where two issues touch the same files."""

from typing import Any

from coordinator.tasks.elders import Candidate, find_elders, places


def one(issue: str, created: float, **fields: Any) -> Candidate:
    return Candidate(created, issue, **fields)


def both(*pairs: tuple[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for a, b in pairs:
        found.setdefault(a, set()).add(b)
        found.setdefault(b, set()).add(a)
    return found


def test_the_older_of_two_that_are_predicted_to_meet_goes_first() -> None:
    old, new, apart = one("x-9", 1.0), one("x-1", 2.0), one("x-2", 3.0)
    assert find_elders([new, apart, old], both(("x-1", "x-9"))) == {"x-1": "x-9"}


def test_who_failed_goes_behind_the_older_that_touches_what_it_failed_on() -> None:
    failed = one("x-2", 2.0, trouble=frozenset({"a.py"}), touches=frozenset({"a.py", "b.py"}))
    assert find_elders([one("x-1", 1.0, touches=frozenset({"a.py"})), failed], {}) == {"x-2": "x-1"}
    assert find_elders([one("x-1", 1.0, touches=frozenset({"b.py"})), failed], {}) == {}
    assert find_elders([one("x-3", 3.0, touches=frozenset({"a.py"})), failed], {}) == {}


def test_who_cannot_begin_holds_nobody_back() -> None:
    assert find_elders([one("x-1", 1.0, able=False), one("x-2", 2.0)], both(("x-1", "x-2"))) == {}


def test_who_has_one_attempt_left_waits_for_all_that_are_older() -> None:
    here = frozenset({"a.py"})
    old = one("x-1", 1.0, able=False, touches=here, trouble=here)
    assert find_elders([old, one("x-2", 2.0, touches=here, trouble=here)], {}) == {}
    assert find_elders([old, one("x-2", 2.0, touches=here, trouble=here, last=True)], {}) == {"x-2": "x-1"}
    elsewhere = one("x-1", 1.0, touches=frozenset({"b.py"}))
    assert find_elders([elsewhere, one("x-2", 2.0, last=True), one("x-3", 3.0)], {}) == {"x-2": "x-1"}


def test_the_critical_waits_for_the_critical_alone() -> None:
    near = both(("x-1", "x-2"))
    assert find_elders([one("x-1", 1.0), one("x-2", 2.0, priority=0)], near) == {}
    assert find_elders([one("x-1", 1.0, priority=0), one("x-2", 2.0, priority=0)], near) == {"x-2": "x-1"}


def test_an_elder_takes_the_place_of_the_first_who_waits_for_it() -> None:
    order = {"x-3": 0, "x-4": 1, "x-2": 2, "x-1": 3}
    ages = ["x-1", "x-2", "x-3", "x-4"]
    assert places(order, {"x-3": "x-2", "x-2": "x-1"}, ages, set()) == {"x-3": 0, "x-4": 1, "x-2": 0, "x-1": 0}


def test_who_waits_for_a_landing_gives_its_place_to_all_that_are_older() -> None:
    order = {"x-3": 0, "x-4": 1, "x-2": 2, "x-1": 3}
    assert places(order, {}, ["x-1", "x-3", "x-2", "x-4"], {"x-3"}) == {"x-3": 0, "x-4": 1, "x-2": 2, "x-1": 0}
    assert places(order, {}, ["x-1", "x-3", "x-2", "x-4"], {"x-2"}) == {"x-3": 0, "x-4": 1, "x-2": 2, "x-1": 2}
    stacked = places(order, {}, ["x-9", "x-4"], {"x-4"})
    assert stacked["x-9"] == 1, "not ready by itself: it begins on finished work"
