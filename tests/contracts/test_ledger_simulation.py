"""The ledger's SQL under seeded schedules of claims, late actors, expiries and crashes; and the faults it catches."""

import pytest

from resources.state.queries import statements
from tests.support.ledger_world import Broken, World

STEPS = 24
RENEW = statements()["lease-renew"]
FAULTS = {
    "a released lease can be renewed": ({"lease-renew": RENEW.replace(" AND released_at IS NULL", "")}, ""),
    "two may hold one issue": ({}, "DROP INDEX lease_live"),
    "fences come back": ({"fence-next": "SELECT abs(random()) % 40 + 1 AS fence"}, "DROP INDEX lease_live"),
    "a stale task move counts": (
        {"task-move": "UPDATE task SET state = :state WHERE issue = :issue AND :fence = :fence"},
        "",
    ),
    "reservations outlive their issue": (
        {"reservations-release-issue": "DELETE FROM reservation WHERE :issue = :now_at"}, "",
    ),
    "exclusive reservations are not seen": (
        {"reservations-live": "SELECT * FROM reservation WHERE released_at IS NULL AND shared = 1"}, "",
    ),
    "a release ends others' leases": (
        {"lease-release": "UPDATE lease SET released_at = :now_at WHERE released_at IS NULL AND :fence = :fence"}, "",
    ),
    "what is done is not told": ({"event-append": "SELECT :at, :kind, :issue, :slot, :agent, :data"}, ""),
}  # fmt: skip


def test_no_schedule_breaks_an_invariant() -> None:
    for seed in range(300):
        World(seed).run(STEPS)


@pytest.mark.real
def test_no_schedule_of_ten_thousand_breaks_an_invariant() -> None:
    for seed in range(10_000):
        World(seed).run(STEPS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str) -> None:
    faults, spoil = FAULTS[fault]

    def search() -> None:
        for seed in range(300):
            World(seed, faults, spoil).run(STEPS)

    with pytest.raises(Broken):
        search()
