"""What crashes, hands and full disks leave of a pool, and how it comes back."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coordinator.tasks import claims
from resources.system.errors import Failure
from resources.system.process import identify
from tests.support.pools import make_pool, open_pool
from tests.support.repos import commit, make_repository, write

PRODUCT = Path(__file__).parents[2]

OPEN = """
import os, sys, time
from pathlib import Path
from resources.settings import PoolSettings
from resources.state.sqlite import SqliteLedger
from resources.system.repository import find_repository
from resources.worktrees.pool import Pool
repository = find_repository(Path(sys.argv[1]))
ledger = SqliteLedger(repository.state)
"""
LEASE = OPEN + "print(Pool(repository, ledger, PoolSettings(), None).acquire('demo-1', 'ada', base='main').slot.path)"
GROW = (
    OPEN
    + """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start what they put aside with interrupts ignored
pool = Pool(repository, ledger, PoolSettings(setup=('sh', '-c', 'touch begun.cache; sleep 600')), None)
pool.approve()
pool.grow(2)
"""
)


def in_another_process(program, yard):
    return subprocess.Popen(
        [sys.executable, "-c", program, str(yard.root)], cwd=PRODUCT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def lease_by_a_process_that_is_gone(yard):
    out, err = in_another_process(LEASE, yard).communicate(timeout=60)
    assert out, err
    return Path(out.decode().strip())


def nothing_is_left(yard):
    folders = yard.folders()
    return (yard.states(), yard.worktrees(), folders) == ({}, [], [])


def test_a_sound_pool_needs_no_repair(tmp_path):
    yard = make_pool(tmp_path, 2)
    yard.pool.acquire("demo-1", "ada", base=yard.head)
    assert yard.pool.repair() == []


@pytest.mark.parametrize("crashed", ["before the folder", "after the folder", "in the middle of its removal"])
def test_a_half_made_slot_is_removed(tmp_path, crashed):
    yard = make_pool(tmp_path, 1)
    (slot,) = yard.pool.slots()
    with yard.ledger.write() as tx:
        tx.change("slot-state", name=slot.name, old="idle", new="making", note="", changed_at=0)
    if crashed == "before the folder":
        yard.git("worktree", "unlock", str(slot.path))
        yard.git("worktree", "remove", "--force", str(slot.path))
    elif crashed == "in the middle of its removal":
        slot.path.rename(slot.path.parent / "trash-pool-wt-1-abcd")
    assert any("half made" in said for said in yard.pool.repair())
    assert nothing_is_left(yard)
    assert yard.pool.grow(1)[0].name == "pool-wt-1"


@pytest.mark.parametrize("lost", ["HEAD", "commondir", "gitdir"])
def test_a_registration_that_a_killed_git_left_half_deleted_goes_with_the_slot(tmp_path, lost):
    yard = make_pool(tmp_path, 1)
    (slot,) = yard.pool.slots()
    with yard.ledger.write() as tx:
        tx.change("slot-state", name=slot.name, old="idle", new="making", note="", changed_at=0)
    slot.path.rename(slot.path.parent / "trash-pool-wt-1-abcd")
    entry = yard.repository.common / "worktrees" / slot.name
    (entry / lost).unlink()
    yard.pool.repair()
    assert nothing_is_left(yard)
    assert not entry.exists()


def test_a_folder_deleted_by_hand_is_made_anew(tmp_path):
    yard = make_pool(tmp_path, 2)
    shutil.rmtree(yard.root / ".agent-worktrees/pool-wt-2")
    assert yard.pool.acquire("demo-1", "ada", base=yard.head, prefer="pool-wt-2").slot.name == "pool-wt-1"
    (said,) = yard.pool.repair()
    assert "pool-wt-2 was gone and was made anew" in said
    assert yard.pool.acquire("demo-2", "bob", base=yard.head).slot.name == "pool-wt-2"
    assert yard.worktrees() == ["pool-wt-1", "pool-wt-2"]


def test_a_folder_deleted_under_its_agent_loses_no_commit(tmp_path):
    yard = make_pool(tmp_path, 1)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    tip = commit(held.slot.path, {"src/new.py": "done\n"}, "work")
    shutil.rmtree(held.slot.path)
    assert yard.pool.release(held.lease).quarantined == "its folder is gone"
    yard.pool.repair()
    assert yard.git("rev-parse", held.branch) == tip
    assert yard.states() == {"pool-wt-1": "idle"}


def test_the_slot_of_a_dead_process_is_saved_and_given_back(tmp_path):
    yard = make_pool(tmp_path, 1)
    path = lease_by_a_process_that_is_gone(yard)
    write(path, {"src/app.py": "half a thought\n"})
    (said,) = yard.pool.repair()
    assert "taken back from ada" in said
    assert "refs/agent-coord/saved/demo-1/1" in said
    assert yard.git("show", "refs/agent-coord/saved/demo-1/1:src/app.py") == "half a thought"
    assert (yard.states(), yard.leases()) == ({"pool-wt-1": "idle"}, [])


def test_a_slot_whose_agent_still_runs_is_not_taken_from_it(tmp_path):
    yard = make_pool(tmp_path, 1)
    lease_by_a_process_that_is_gone(yard)
    fence = yard.leases()[0]["fence"]
    agent = identify()
    with yard.ledger.write() as tx:
        claims.enlist(tx, [claims.Wish("demo-1", "", "", "", "", 0)], again=False)
        tx.change(
            "task-work", issue="demo-1", agent="ada", program="", slot="pool-wt-1", branch="", base="", fence=fence + 1,
            attempt=1, process=json.dumps({"pid": agent.pid, "start": agent.start}), changed_at=0,
        )  # fmt: skip
    assert yard.pool.repair() == []
    assert yard.states() == {"pool-wt-1": "leased"}


def test_a_left_over_lock_is_removed_when_no_process_is_in_the_slot(tmp_path):
    yard = make_pool(tmp_path, 1)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    lock = Path(yard.git("rev-parse", "--absolute-git-dir", at=held.slot.path)) / "index.lock"
    lock.touch()
    with subprocess.Popen(["sleep", "60"], cwd=held.slot.path) as agent:
        done = yard.pool.release(held.lease)
        agent.kill()
    assert "sleep" in (done.quarantined or "")
    assert "in use again" in " ".join(yard.pool.repair())
    assert not lock.exists()


def test_slots_that_a_lost_ledger_knew_are_found_and_their_work_is_saved(tmp_path):
    yard = make_pool(tmp_path, 1)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    write(held.slot.path, {"src/app.py": "only here\n"})
    yard.git("worktree", "add", "--quiet", "--detach", str(yard.root / ".agent-worktrees/pool-wt-7"))
    yard.ledger.close()
    for file in (yard.repository.state).glob("ledger.sqlite3*"):
        file.unlink()
    again = open_pool(yard.root)
    assert "did not know" in again.pool.repair()[0]
    assert again.states() == {"pool-wt-1": "quarantine"}, "a worktree without our lock is the user's own"
    again.pool.repair()
    assert again.states() == {"pool-wt-1": "idle"}
    assert again.git("show", "refs/agent-coord/saved/quarantine/1:src/app.py") == "only here"


def test_an_interrupted_grow_leaves_nothing(tmp_path):
    yard = make_pool(tmp_path)
    process = in_another_process(GROW, yard)
    deadline = time.monotonic() + 60
    while not list(yard.root.glob(".agent-worktrees/*/begun.cache")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert yard.pool.repair() == [], "what another process is making is no wreck"
    process.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
    assert nothing_is_left(yard)


def test_a_killed_grow_is_cleared_by_the_next_repair(tmp_path):
    yard = make_pool(tmp_path)
    process = in_another_process(GROW, yard)
    deadline = time.monotonic() + 60
    while not (begun := list(yard.root.glob(".agent-worktrees/*/begun.cache"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=60)
    assert begun
    assert any("half made" in said for said in yard.pool.repair())
    assert nothing_is_left(yard)


def test_a_full_disk_is_named_and_the_slot_is_taken_back(tmp_path):
    root = make_repository(tmp_path / "big", {f"data/{n}.txt": f"{n}" * 200_000 for n in range(10)})
    folder = root / ".agent-worktrees"
    folder.mkdir()
    small = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if small.returncode != 0:
        pytest.skip(f"a small disk needs the right to mount: {small.stderr.decode().strip()}")
    try:
        yard = open_pool(root)
        with pytest.raises(Failure) as failure:
            yard.pool.grow(1)
        assert failure.value.reference == "disk-full"
        assert nothing_is_left(yard)
        assert yard.git("status", "--porcelain") == ""
    finally:
        subprocess.run(["umount", str(folder)], check=True)
