"""How many slots there should be."""

from pathlib import Path

import pytest

from resources.settings import PoolSettings
from resources.worktrees.sizing import Demand, change
from resources.worktrees.slots import Slot

SETTINGS = PoolSettings(minimum=2, maximum=5, grow_below_load=1.5, idle_minutes=30)


def slots(*states):
    return [
        Slot(f"pool-wt-{number}", number, "work", Path("/x"), state, "", {}, "", (0, 0), "")
        for number, state in enumerate(states, 1)
    ]


@pytest.mark.parametrize(
    ("states", "waiting", "load", "over", "idle_for", "wanted"),
    [
        (["leased"] * 3, 1, 0.5, False, 0, 1),
        (["leased"] * 3, 9, 0.5, False, 0, 2),
        (["leased"] * 5, 9, 0.5, False, 0, 0),
        (["leased", "idle"], 1, 0.5, False, 0, 0),
        (["leased", "making"], 2, 0.5, False, 0, 2),
        (["leased"] * 3, 2, 1.6, False, 0, 0),
        (["leased"] * 3, 2, 0.5, True, 0, 0),
        (["idle"] * 5, 0, 0.5, False, 31 * 60, -3),
        (["idle"] * 5, 0, 0.5, False, 29 * 60, 0),
        (["idle", "leased", "leased"], 0, 0.5, False, 31 * 60, -1),
        (["idle"] * 5, 1, 0.5, False, 31 * 60, 0),
        (["quarantine"] * 3, 0, 0.5, False, 31 * 60, 0),
    ],
)
def test_the_pool_follows_the_work_the_machine_and_the_settings(states, waiting, load, over, idle_for, wanted):
    pool = slots(*states)
    demand = Demand(waiting, load, over, {slot.name: 1e6 - idle_for for slot in pool}, 1e6)
    assert change(pool, demand, SETTINGS) == wanted
