"""The queue's model check over thousands of steps; `benchmarks/queue_model.py --steps 100000` goes on from there."""

import pytest

from benchmarks.queue_model import check


@pytest.mark.real
@pytest.mark.parametrize(
    "mode",
    [
        "exact",
        "lanes+confirm",
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_random_schedule_with_deaths(mode: str, seed: int) -> None:
    assert check(1000, seed, mode).deaths > 10
