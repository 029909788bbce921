"""Slots: names, numbers, who is taken first and who goes first."""

from pathlib import Path

import pytest

from resources.worktrees.slots import (
    Slot,
    branch_of,
    by_affinity,
    free_numbers,
    next_number,
    parse_name,
    ref_part,
    to_remove,
)
from resources.worktrees.view import View


def slot(number, *, state="idle", base="old", view=None, purpose="work"):
    name = f"pool-wt-{number}"
    shown = (view or View.full(9)).to_json()
    return Slot(name, number, purpose, Path("/pool") / name, state, base, shown, "", (0, 0), "")


def test_names_are_read_as_they_are_written():
    assert parse_name("pool-wt-12") == ("work", 12)
    assert parse_name("gate-1") == ("gate", 1)
    assert parse_name("pool-wt-x") is None
    assert parse_name("trash-pool-wt-1-ab") is None


def test_the_lowest_free_numbers_are_given_out():
    slots = [slot(1), slot(3), slot(2, purpose="gate")]
    assert free_numbers(slots, "work", 3) == [2, 4, 5]
    assert free_numbers(slots, "gate", 1) == [1]


def test_view_counts_more_than_base_and_base_more_than_the_preferred_name():
    narrow = View("closure", ("src",), (), 3, 9)
    slots = [slot(1), slot(2, base="new"), slot(3, view=narrow), slot(4, view=narrow, base="new"), slot(5)]
    assert [one.number for one in by_affinity(slots, narrow, "new", "")] == [4, 3, 2, 1, 5]
    assert [one.number for one in by_affinity(slots, View.full(0), "old", "pool-wt-5")] == [5, 1, 2, 3, 4]


def test_the_highest_idle_slots_go_first_and_the_floor_stays():
    slots = [slot(1), slot(2, state="leased"), slot(3), slot(4)]
    assert [one.number for one in to_remove(slots, 9, 3)] == [4]
    assert [one.number for one in to_remove(slots, 2, 0)] == [4, 3]
    assert to_remove(slots, 1, 5) == []


@pytest.mark.parametrize(
    ("issue", "part"),
    [("bd-1.2", "bd-1.2"), ("a b/c", "a-b-c"), ("x..y", "x-y"), (".h.", "h"), ("a.lock", "a.lock-"), ("~^", "unnamed")],
)  # fmt: skip
def test_an_issue_becomes_one_part_of_a_ref(issue, part):
    assert ref_part(issue) == part
    assert branch_of("pool-wt-1", issue, 2) == f"agent/pool-wt-1/{part}/2"


def test_numbers_go_on_from_the_highest():
    assert next_number([]) == 1
    assert next_number(["refs/x/1", "refs/x/10", "refs/x/notes"]) == 11
