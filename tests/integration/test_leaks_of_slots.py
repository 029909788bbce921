"""What slots leak beside worktrees: thrown-away folders whose deleter was killed, and whatever clones leave."""

import os
import time

import pytest

from resources.leaks.sweep import sweep
from resources.settings import PoolSettings, ResourceSettings
from resources.system.files import file_lock
from resources.system.git import git, resolve
from resources.worktrees.pool import Pool
from tests.support import watched as build
from tests.support.repos import commit, write

SETTINGS = ResourceSettings(pool=PoolSettings(copy=(), minimum=1, port_base=46500, backend="clone"))
LONG_AGO = time.time() - 7200


@pytest.fixture
def ground(tmp_path):
    with build.watched(build.make_repository(tmp_path / "a project"), SETTINGS) as ground:
        yield ground


@pytest.fixture
def pool(ground):
    return Pool(ground.repository, ground.ledger, ground.settings.pool, None)


def kinds(report):
    return {(leak.kind, leak.name) for leak in report.leaks}


def test_trash_is_a_leak_when_nobody_deletes_it(ground):
    trash = ground.pool_folder / "trash-pool-wt-3-ab12"
    write(trash, {"big/file.txt": "x\n"})
    write(ground.pool_folder, {"trash.txt": "a person's own\n"})
    os.utime(trash, (LONG_AGO, LONG_AGO))
    with file_lock(ground.repository.state / "trash.lock", what="the trash"):
        assert sweep(ground, act=True, now=True).leaks == ()
    assert {kind for kind, _ in kinds(sweep(ground, act=True, now=True))} == {"temporary"}
    assert not trash.exists()
    assert (ground.pool_folder / "trash.txt").exists()


def test_a_clone_without_a_slot_is_saved_and_removed(ground, pool):
    root = ground.repository.root
    git(root, "config", "user.name", "A Developer")
    git(root, "config", "user.email", "developer@example.com")
    (slot,) = pool.grow(1)
    held = pool.acquire("bd-1", "amber", base=resolve(root, "main"))
    tip = commit(slot.path, {"done.py": "x = 1\n"}, "work")
    write(slot.path, {"half.py": "x = 2\n"})
    with ground.ledger.write() as tx:
        tx.change("lease-release", fence=held.lease.fence, now_at=0)
        tx.change("slot-delete", name=slot.name)

    report = sweep(ground, act=True, now=True)

    assert ("worktree", slot.name) in kinds(report)
    assert not slot.path.exists()
    assert git(root, "show", "refs/agent-coord/saved/bd-1/1:half.py").text == "x = 2"
    assert git(root, "merge-base", "--is-ancestor", tip, "refs/agent-coord/saved/bd-1/1").code == 0
    assert sweep(ground, act=True, now=True).left == ()


def test_a_lock_that_a_killed_git_left_in_a_clone_goes(ground, pool):
    (slot,) = pool.grow(1)
    lock = slot.path / ".git" / "index.lock"
    lock.touch()
    os.utime(lock, (LONG_AGO, LONG_AGO))
    assert kinds(sweep(ground, act=True, now=True)) == {("lock", f"{slot.name}/.git/index.lock")}
    assert not lock.exists()
