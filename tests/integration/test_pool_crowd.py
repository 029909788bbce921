"""A crowd of processes at one pool, in small; `benchmarks/pool.py` does the same for a minute."""

import pytest

from benchmarks.crowd import crowd, many_at_once
from benchmarks.trees import plant


@pytest.fixture
def root(tmp_path):
    plant(tmp_path / "a repository", 120)
    return tmp_path / "a repository"


def test_processes_that_claim_release_add_and_remove_never_share_a_slot_and_never_fail(root):
    done = crowd(root, 4, 4.0)
    assert (done.errors, done.doubles, done.complaints) == (0, 0, ())
    assert done.operations > 4


def test_many_slots_are_made_at_once(root):
    assert many_at_once(root, 12)[1] == 0
