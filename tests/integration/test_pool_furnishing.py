"""What a slot is furnished with beside its files: copies, caches of its own, and what the set-up command makes."""

import sys
from pathlib import Path

import pytest

from resources.settings import PoolSettings
from resources.system.errors import Failure
from resources.worktrees.pool import Pool
from tests.support.pools import FILES, make_pool, open_pool
from tests.support.repos import commit, make_repository, write


def test_copied_files_keep_their_mode_and_are_neither_saved_nor_cleaned(tmp_path):
    root = make_repository(tmp_path / "with secrets", FILES | {".gitignore": "", "conf/README": "tracked\n"})
    write(
        root, {".env": "TOKEN=1\n", "conf/local.toml": "a = 1\n", ".worktreeinclude": "conf/*\n", "other.txt": "no\n"}
    )
    (root / ".env").chmod(0o600)
    yard = open_pool(root, 1)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    path = held.slot.path
    assert ((path / ".env").stat().st_mode & 0o777, (path / ".env").read_text()) == (0o600, "TOKEN=1\n")
    assert (path / "conf/local.toml").exists()
    assert not (path / "other.txt").exists()
    assert yard.git("status", "--porcelain", at=path) == ""
    assert yard.pool.release(held.lease).saved_ref is None
    assert (path / ".env").exists()


def test_each_slot_has_caches_of_its_own_and_keeps_them(tmp_path):
    yard = make_pool(tmp_path, 2, caches=("CARGO_TARGET_DIR",))
    one, two = (yard.pool.acquire(f"demo-{n}", "ada", base=yard.head) for n in (1, 2))
    built = Path(one.environment["CARGO_TARGET_DIR"])
    assert built.is_relative_to(one.slot.path)
    assert Path(two.environment["CARGO_TARGET_DIR"]).is_relative_to(two.slot.path)
    built.mkdir()
    (built / "app.o").write_text("built")
    assert yard.git("status", "--porcelain", at=one.slot.path) == ""
    assert yard.pool.release(one.lease).saved_ref is None
    again = yard.pool.acquire("demo-3", "bob", base=yard.head, prefer=one.slot.name)
    assert (Path(again.environment["CARGO_TARGET_DIR"]) / "app.o").read_text() == "built"


def test_the_set_up_command_runs_in_each_slot_and_its_failure_takes_the_slot_back(tmp_path):
    script = "import os; open('made.cache', 'w').write(os.environ['AGENT_COORD_SLOT'])"
    yard = make_pool(tmp_path, 2, setup=(sys.executable, "-c", script))
    assert [(slot.path / "made.cache").read_text() for slot in yard.pool.slots()] == ["pool-wt-1", "pool-wt-2"]
    broken = open_pool(yard.root, setup=(sys.executable, "-c", "import sys; sys.exit('no network')"))
    with pytest.raises(Failure) as failure:
        broken.pool.grow(1)
    assert (failure.value.reference, "no network" in failure.value.why) == ("setup-failed", True)
    assert broken.worktrees() == ["pool-wt-1", "pool-wt-2"]
    assert set(broken.states()) == {"pool-wt-1", "pool-wt-2"}


def test_the_set_up_command_asks_again_when_it_changes_and_runs_again_for_other_lock_files(tmp_path):
    count = (sys.executable, "-c", "open('runs.cache', 'a').write('x')")
    yard = make_pool(tmp_path, 1, setup=count)
    (slot,) = yard.pool.slots()
    commit(yard.root, {"src/app.py": "other\n"}, "no lock file")
    yard.pool.refresh("main")
    assert (slot.path / "runs.cache").read_text() == "x"
    commit(yard.root, {"web/package-lock.json": "{}"}, "a lock file")
    yard.pool.refresh("main")
    assert (slot.path / "runs.cache").read_text() == "xx"

    changed = Pool(yard.repository, yard.ledger, PoolSettings(setup=("rm", "-rf", "/")), None)
    with pytest.raises(Failure) as failure:
        changed.grow(1)
    assert (failure.value.reference, "rm -rf /" in failure.value.what) == ("setup-not-approved", True)
    assert yard.pool.approve() == [" ".join(count)]
