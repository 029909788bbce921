"""The queue keeps its promises whatever is killed: random schedules, and ones that hypothesis finds.

Only the gate and the authors are played (`benchmarks/queue_model.py`).
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from benchmarks.queue_model import Model, check


# The last two found: work landed without what it stands on, which had been set aside because main was red; work was
# blamed for what others had landed together, when somebody had taken the last of it off main.
@pytest.mark.parametrize(
    ("mode", "seed", "steps"),
    [("exact", 11, 120), ("lanes+confirm", 12, 120), ("exact", 20080, 260), ("exact", 30145, 190)],
)
def test_a_random_schedule_with_deaths(mode: str, seed: int, steps: int) -> None:
    assert check(steps, seed, mode).deaths > 0


class Schedule(RuleBasedStateMachine):
    """Hypothesis chooses the steps, and shrinks what breaks a promise."""

    @initialize(seed=st.integers(0, 9), mode=st.sampled_from(["exact", "lanes+confirm"]))
    def begin(self, seed: int, mode: str) -> None:
        self.home = tempfile.TemporaryDirectory()
        self.model = Model(Path(self.home.name).resolve(), seed, mode)

    @rule()
    def somebody_begins(self) -> None:
        self.model.begin()

    @rule()
    def somebody_finishes(self) -> None:
        self.model.finish()

    @rule()
    def somebody_hears_what_became_of_his_work(self) -> None:
        self.model.settle()

    @rule()
    def end_a_trial(self) -> None:
        self.model.end()

    @rule()
    def tick(self) -> None:
        self.model.tick()

    @rule()
    def die(self) -> None:
        self.model.die()

    @rule()
    def somebody_else_commits(self) -> None:
        self.model.intrude()

    @rule()
    def somebody_takes_commits_off_main(self) -> None:
        self.model.rewind()

    @rule()
    def a_person_approves(self) -> None:
        self.model.approve()

    @rule()
    def a_claim_ends(self) -> None:
        self.model.unclaim()

    @rule()
    def another_order(self) -> None:
        self.model.reorder()

    @invariant()
    def everything_holds(self) -> None:
        if hasattr(self, "model"):
            self.model.look()

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        try:
            self.model.finish_all()
        finally:
            self.model.close()
            self.home.cleanup()


TestSchedule = Schedule.TestCase
TestSchedule.settings = settings(
    max_examples=5,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
