"""What is a leak? One case for what is held and one for what is not, kind by kind."""

from dataclasses import replace
from pathlib import Path

import pytest

from resources.leaks.detect import LOCK_AGE, TEMPORARY_AGE, Held, Inventory, Thing, detect, due

NOW = 10_000.0
HELD = Held(
    slots=frozenset({"pool-wt-1"}),
    fences=frozenset({7}),
    issues=frozenset({"bd-1"}),
    branches=frozenset({"agent/pool-wt-1/bd-2/1"}),
)


def process(fence):
    return Thing("process", "12:34", 9_000.0, {"pid": 12, "start": "34", "fence": fence, "program": "node"})


def branch(name, *, used=False):
    return Thing("branch", name, 9_000.0, {"tip": "a" * 40, "issue": name.split("/")[2], "used_by_others": used})


def database(slot, *, kind="database", mark="slot", sessions=0):
    return Thing(kind, "shop_wt_9", None, {"slot": slot, "sessions": sessions, "mark": mark})


def stated(kind, over):
    return Thing(kind, "1", 9_000.0, {"over": over})


def lock(age, *, is_open=False):
    return Thing("lock", "worktrees/pool-wt-1/index.lock", NOW - age, {"open": is_open})


def leaks(*things, held=HELD, complete=True):
    return detect(Inventory(complete, "", things), held, NOW)


@pytest.mark.parametrize(
    "thing",
    [
        process(7),
        branch("agent/pool-wt-1/bd-2/1"),  # a live task or a landing names it
        branch("agent/pool-wt-9/bd-1/1"),  # its issue is leased; the task's row is about to follow
        branch("agent/pool-wt-9/bd-9/1", used=True),  # a person looks at it in a worktree of their own
        Thing("worktree", "pool-wt-1", 9_000.0),
        Thing("login", "pool-wt-1", 9_000.0),
        database("pool-wt-1"),
        database("pool-wt-9", sessions=1),
        database(None, kind="role", mark="app"),
        database(None, kind="template", mark="template"),
        database(None, kind="template", mark="build", sessions=1),
        database("pool-wt-9", kind="half-dropped", sessions=1),
        stated("lease", ""),
        stated("reservation", ""),
        stated("task", ""),
        lock(LOCK_AGE - 1),
        lock(LOCK_AGE + 1, is_open=True),
        Thing("temporary", "x", NOW - TEMPORARY_AGE + 1),
        Thing("temporary", "x", None),
        Thing("something-new", "x", 0.0),
    ],
    ids=lambda thing: f"{thing.kind}-{thing.name}",
)
def test_what_is_held_or_too_young_is_no_leak(thing):
    assert leaks(thing) == ()


@pytest.mark.parametrize(
    ("thing", "why"),
    [
        (process(8), "node still runs; lease 8 is over"),
        (Thing("zombie", "12", 9_000.0, {"parent": 5, "fence": 8}), "its parent 5 has not taken note"),
        (Thing("port", "42000", 9_000.0, {"pid": 12, "fence": 8}), "process 12 listens on it"),
        (branch("agent/pool-wt-1/bd-9/1"), "no live task works on bd-9"),
        (Thing("worktree", "pool-wt-9", 9_000.0), "knows no such slot"),
        (Thing("worktree", "mine", 9_000.0, {"home": Path("pool-wt-1")}), "pool-wt-1 was renamed"),
        (Thing("login", "pool-wt-9", 9_000.0), "knows no such slot"),
        (stated("slot", "it is given out"), "it is given out"),
        (database("pool-wt-9"), "made for pool-wt-9"),
        (database("pool-wt-9", kind="role"), "made for pool-wt-9"),
        (database("pool-wt-1", kind="half-dropped"), "was interrupted"),
        (database(None, kind="template", mark="build"), "was interrupted"),
        (stated("lease", "its owner (process 3) is dead"), "its owner (process 3) is dead"),
        (lock(LOCK_AGE), "nobody has it open"),
        (Thing("temporary", "ledger.making", NOW - TEMPORARY_AGE), "its writer was killed"),
    ],
    ids=lambda value: f"{value.kind}-{value.name}" if isinstance(value, Thing) else "",
)
def test_what_nobody_holds_is_a_leak_with_a_reason(thing, why):
    (leak,) = leaks(thing)
    assert why in leak.why
    assert leak.action


def test_setting_a_slot_up_is_no_leak_while_one_is_made():
    assert leaks(process(0), held=replace(HELD, making=True)) == ()
    assert "no slot is being made" in leaks(process(0))[0].why


def test_a_leak_knows_its_age_and_its_first_sighting():
    held = replace(HELD, condemned={("worktree", "pool-wt-9"): 9_500.0})
    (leak,) = leaks(Thing("worktree", "pool-wt-9", 9_000.0), held=held)
    assert (leak.age, leak.since, leak.condemned_at) == (1_000.0, 9_000.0, 9_500.0)
    assert due(leak, NOW, 500.0)
    assert not due(leak, NOW, 501.0)
    assert not due(replace(leak, condemned_at=None), NOW, 0.0)


def test_who_writes_goes_before_what_is_written_to():
    things = (database("pool-wt-9"), branch("agent/pool-wt-1/bd-9/1"), Thing("worktree", "pool-wt-9"), process(8))
    order = ["process", "worktree", "branch", "database"]
    assert [leak.kind for leak in leaks(*things)] == order
    assert [leak.kind for leak in leaks(*reversed(things))] == order


def test_a_role_goes_after_the_databases_that_it_owns():
    assert [leak.kind for leak in leaks(database("pool-wt-9", kind="role"), database("pool-wt-9"))] == [
        "database",
        "role",
    ]
