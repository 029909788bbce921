"""What the pool promises, whatever a slot is: a worktree, or a clone on shared objects. Real git."""

import pytest

from resources.system.git import git
from resources.system.repository import find_repository
from resources.worktrees.pool import View
from tests.support.pools import make_pool, open_pool
from tests.support.repos import commit, write
from tests.support.watched import bury


@pytest.fixture(params=["worktree", "clone"])
def yard(tmp_path, request):
    made = make_pool(tmp_path, 2, backend=request.param, ports_per_slot=2)
    yield made
    made.ledger.close()


def test_work_is_made_on_a_branch_collected_and_landed(yard):
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    tip = commit(held.slot.path, {"src/new.py": "done\n"}, "work")
    yard.pool.collect(held.slot)
    assert yard.git("rev-parse", held.branch) == tip
    yard.git("merge", "--quiet", "--ff-only", held.branch)
    yard.pool.refresh(tip)
    assert yard.pool.release(held.lease).saved_ref is None
    assert yard.git("branch", "--list", "agent/*") == yard.git("branch", "--list", "agent/*", at=held.slot.path) == ""
    assert {slot.base for slot in yard.pool.slots()} == {tip}
    again = yard.pool.acquire("demo-1", "ada", base=tip)
    assert (again.branch, (again.slot.path / "src/new.py").exists()) == ("agent/pool-wt-1/demo-1/1", True)


def test_whatever_is_not_landed_is_saved_in_the_main_repository(yard):
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    commit(held.slot.path, {"src/new.py": "committed\n"}, "work")
    yard.git("switch", "--quiet", "--detach", at=held.slot.path)
    loose = commit(held.slot.path, {"src/loose.py": "on no branch\n"}, "detached")
    write(held.slot.path, {"docs/a.md": "edited\n"})
    ref = yard.pool.release(held.lease).saved_ref
    assert yard.git("show", f"{ref}:docs/a.md") == "edited"
    assert yard.git("rev-parse", f"{ref}~1") == loose
    assert yard.git("status", "--porcelain", "--branch", at=held.slot.path) == "## HEAD (no branch)"
    assert yard.git("rev-parse", "HEAD", at=held.slot.path) == yard.head


def test_views_and_repository_are_those_of_the_main_checkout(yard):
    held = yard.pool.acquire("demo-1", "ada", base=yard.head, view=View("closure", ("src/auth",)))
    assert not (held.slot.path / "docs").exists()
    assert find_repository(held.slot.path / "src").common == yard.repository.common
    assert find_repository(held.slot.path / "src").here == held.slot.path
    assert yard.git("config", "user.name", at=held.slot.path) == "A Developer"
    yard.pool.widen(held.slot.name, ["docs/**"])
    assert (held.slot.path / "docs/a.md").exists()


def test_the_dead_and_the_unknown_are_repaired(yard):
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    write(held.slot.path, {"docs/a.md": "half\n"})
    bury(yard.ledger, held.lease)
    assert "taken back from ada" in yard.pool.repair()[0]
    assert yard.git("show", "refs/agent-coord/saved/demo-1/1:docs/a.md") == "half"
    yard.ledger.close()
    for file in yard.repository.state.glob("ledger.sqlite3*"):
        file.unlink()
    lost = open_pool(yard.root)
    assert "did not know" in lost.pool.repair()[0]
    lost.pool.repair()
    assert lost.states() == {"pool-wt-1": "idle", "pool-wt-2": "idle"}
    assert lost.pool.remove_all() == ["pool-wt-2", "pool-wt-1"]
    assert (lost.folders(), lost.worktrees()) == ([], [])
    yard.ledger = lost.ledger


def test_what_a_slot_borrows_is_not_pruned_while_it_lives(tmp_path):
    yard = make_pool(tmp_path, 1, backend="clone")
    base = commit(yard.root, {"src/app.py": "soon gone\n"}, "will be dropped")
    held = yard.pool.acquire("demo-1", "ada", base=base)
    yard.git("reset", "--quiet", "--hard", "HEAD~1")
    yard.git("reflog", "expire", "--expire=now", "--all")
    git(yard.root, "gc", "--quiet")
    assert yard.git("fsck", "--connectivity-only", at=held.slot.path) is not None
    yard.pool.release(held.lease)
    yard.pool.remove_all()
    assert git(yard.root, "config", "gc.pruneExpire", check=False).code != 0
