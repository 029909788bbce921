"""Every kind of leak beside every kind of look-alike, as the benchmark does it in 200 rounds; and renamed slots."""

import pytest

from benchmarks import leaks
from benchmarks.lookalikes import ALIKES
from resources.leaks.sweep import sweep
from resources.settings import ResourceSettings
from resources.system.git import git
from tests.support import watched as build
from tests.support.pools import make_pool
from tests.support.postgres import require


@pytest.mark.parametrize("isolation", ["database", "server"])
def test_every_kind_of_leak_is_found_and_goes_and_no_look_alike_is_touched(tmp_path, isolation):
    require("auto")
    value = leaks.run(tmp_path, rounds=1, seed=7, each=99, isolation=isolation)
    assert value["failures"] == []
    assert value["lookalikes"] == len(ALIKES) + 2


@pytest.fixture(params=["worktree", "clone"])
def backend(request):
    return request.param


def test_the_pool_gives_a_renamed_slot_its_name_back_before_it_would_make_it_anew(tmp_path, backend):
    yard = make_pool(tmp_path, 2, backend=backend)
    slot = yard.pool.slots()[0]
    (slot.path / "src" / "app.py").write_text("an edit\n")
    slot.path.rename(slot.path.parent / "pool-wt-9")
    assert "has its name again" in yard.pool.repair()[0]
    assert (slot.path / "src" / "app.py").read_text() == "an edit\n"
    assert not (slot.path.parent / "pool-wt-9").exists()


def test_a_renamed_slot_whose_place_is_taken_is_left_to_a_person(tmp_path, backend):
    yard = make_pool(tmp_path, 1, backend=backend)
    slot = yard.pool.slots()[0]
    other = slot.path.rename(slot.path.parent / "my copy")
    slot.path.mkdir()
    with build.watched(yard.repository, ResourceSettings()) as ground:
        report = sweep(ground, act=True, now=True)
    assert [(leak.name, outcome.result) for leak, outcome in report.done] == [("my copy", "reported")]
    assert (other / "README.md").exists()


def test_nothing_is_pruned_while_a_renamed_clone_borrows_objects(tmp_path):
    yard = make_pool(tmp_path, 2, backend="clone")
    slot = yard.pool.slots()[0]
    other = slot.path.rename(slot.path.parent / "my copy")
    yard.pool.shrink(1, force_all=True)
    assert yard.git("config", "gc.pruneExpire") == "never"
    other.rename(slot.path)
    yard.pool.remove_all()
    assert "gc.pruneexpire" not in yard.git("config", "--list")


def test_a_slot_given_out_to_nobody_is_set_aside(tmp_path):
    yard = make_pool(tmp_path, 1)
    with yard.ledger.write() as tx:
        tx.change("slot-state", name="pool-wt-1", old="idle", new="leased", note="", changed_at=0)
    with build.watched(yard.repository, ResourceSettings()) as ground:
        report = sweep(ground, act=True, now=True)
    assert [(leak.kind, outcome.result) for leak, outcome in report.done] == [("slot", "quarantined")]
    assert yard.states() == {"pool-wt-1": "quarantine"}


def test_a_slot_that_is_being_made_is_no_leak(tmp_path):
    yard = make_pool(tmp_path, 1)
    with yard.ledger.write() as tx:
        tx.change("slot-state", name="pool-wt-1", old="idle", new="making", note="", changed_at=0)
    with build.watched(yard.repository, ResourceSettings()) as ground, yard.pool._yard.pool_lock():
        assert sweep(ground, act=True, now=True).leaks == ()
    assert yard.states() == {"pool-wt-1": "making"}


@pytest.mark.parametrize("name", ["first", "second"])
def test_worktrees_of_ours_under_any_name_can_be_set_aside(tmp_path, name):
    yard = make_pool(tmp_path, 1)
    for number, folder in enumerate(("first", "second")):
        path = yard.root / ".agent-worktrees" / folder
        git(yard.root, "worktree", "add", "--quiet", "--lock", "--reason", "agent-coord", "--detach", str(path))
        git(path, "init", "--quiet", f"nested{number}")
    with build.watched(yard.repository, ResourceSettings()) as ground:
        report = sweep(ground, act=True, now=True)
    assert {leak.name: outcome.result for leak, outcome in report.done}[name] == "quarantined"
    assert yard.states()[name] == "quarantine"
