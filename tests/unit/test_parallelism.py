"""How many gates run at once is measured."""

import pytest

from coordinator.merging.parallelism import useful_workers


@pytest.mark.parametrize(
    ("timed", "most", "workers"),
    [
        ({}, 1, 1),
        ({}, 8, 2),
        ({1: [10.0] * 3}, 8, 2),
        ({1: [10.0] * 3, 2: [20.0] * 3}, 8, 1),
        ({1: [10.0] * 3, 2: [11.0] * 3}, 8, 3),
        ({1: [10.0] * 3, 2: [11.0] * 3}, 2, 2),
        ({1: [10.0] * 3, 2: [11.0] * 3, 3: [16.0] * 3}, 8, 2),
        ({1: [10.0] * 2, 2: [20.0] * 9}, 8, 2),
    ],
)
def test_workers_are_added_while_they_gain(timed: dict[int, list[float]], most: int, workers: int) -> None:
    assert useful_workers(timed, most) == workers
