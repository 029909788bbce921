"""The product's planner in simulated worlds: everybody is settled, nobody wrongly, and main is never broken."""

import pytest

from benchmarks.mergequeue import Simulation, plan_time
from benchmarks.queue_rivals import oracle
from benchmarks.queue_world import make_world
from coordinator.merging.changes import Mode


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(("workers", "passes"), [(1, 0.85), (1, 0.95), (2, 0.95), (4, 0.7), (8, 0.9)])
def test_everybody_is_settled_and_nobody_wrongly(mode: Mode, workers: int, passes: float) -> None:
    world = make_world(workers, 80, 0.7 * workers, passes)
    outcome = Simulation(world, workers, 1, mode).run()
    assert len(outcome.turnaround) == 80
    assert (outcome.broken, outcome.wrong) == (0, 0)
    assert abs(len(outcome.landed) - len(oracle(world, workers, 2).landed)) <= 2


@pytest.mark.parametrize("workers", [1, 2, 4, 8])
def test_a_wrong_analysis_of_targets_breaks_main_in_lanes_only(workers: int) -> None:
    world = make_world(3, 120, 0.7 * workers, 0.85, leak=0.02)
    broken = {mode: Simulation(world, workers, 1, mode).run().broken for mode in Mode}
    assert (broken[Mode.EXACT], broken[Mode.CONFIRM]) == (0, 0)
    assert broken[Mode.LANES] > 0


def test_a_long_queue_is_planned_at_all() -> None:
    assert plan_time(Mode.LANES, waiting=1000, steps=1) > 0
