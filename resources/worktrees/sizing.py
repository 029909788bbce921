"""How many slots there should be: a decision, from who waits, how busy the machine is, and what stood idle.

Up: one slot for each issue that could start if there were one, as many as the machine has room for. A machine whose
load is above its processors, or that is over a limit, gets no more agents by having more slots. Down: what nobody
needed for a while goes, but never below the minimum, and only while nobody waits, so that the pool does not swing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resources.settings import PoolSettings
from resources.worktrees.slots import Slot


@dataclass(frozen=True)
class Demand:
    """What the pool is asked to bear.

    `waiting` issues could start at once; `load` is the machine's load for each processor; `over` tells that a limit
    is critical; `idle_since` is when each idle slot was last used (seconds since 1970), `now` the time.
    """

    waiting: int
    load: float
    over: bool
    idle_since: dict[str, float]
    now: float


def change(slots: Sequence[Slot], demand: Demand, settings: PoolSettings) -> int:
    """By how many work slots the pool should grow (above 0) or shrink (below 0)."""
    idle = [slot for slot in slots if slot.state == "idle"]
    short = demand.waiting - len(idle)
    if short > 0:
        if demand.over or demand.load > settings.grow_below_load:
            return 0
        return max(0, min(short, settings.maximum - len(slots)))
    if demand.waiting:
        return 0
    patience = settings.idle_minutes * 60
    unused = [slot for slot in idle if demand.now - demand.idle_since.get(slot.name, demand.now) > patience]
    return -min(len(unused), max(0, len(slots) - settings.minimum))
