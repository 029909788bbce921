"""The pool at its door, on real git: lending, taking back, growing and shrinking."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from resources.settings import PoolSettings
from resources.state import leases
from resources.system.errors import Failure, NotNow
from resources.worktrees.pool import Pool
from tests.support.pools import FILES, make_pool
from tests.support.repos import commit, make_repository, write

PRODUCT = Path(__file__).parents[2]


def test_a_slot_is_lent_on_a_branch_of_its_own_and_the_main_checkout_stays_as_it_is(tmp_path):
    yard = make_pool(tmp_path, 2)
    write(yard.root, {"src/app.py": "edited by the user\n", "notes.txt": "untracked\n"})
    before = (yard.git("status", "--porcelain"), yard.git("rev-parse", "HEAD"))

    held = yard.pool.acquire("demo-1", "ada", base=yard.head, prefer="pool-wt-2")

    assert (held.slot.name, held.slot.state, held.branch) == ("pool-wt-2", "leased", "agent/pool-wt-2/demo-1/1")
    assert yard.git("status", "--porcelain", "--branch", at=held.slot.path) == "## agent/pool-wt-2/demo-1/1"
    assert (held.slot.path / "src/app.py").read_text() == FILES["src/app.py"]
    assert held.environment == yard.pool.environment(held.slot, held.lease, "demo-1", "ada")
    assert held.environment["AGENT_COORD_LEASE"].endswith(f":{held.lease.fence}")
    assert held.environment["AGENT_COORD_REPO"] == str(yard.root)
    assert (yard.git("status", "--porcelain"), yard.git("rev-parse", "HEAD")) == before
    assert yard.git("config", "core.bare") == "false"


def test_each_slot_has_ports_of_its_own_and_leaves_a_range_that_is_in_use(tmp_path):
    yard = make_pool(tmp_path, 2, ports_per_slot=5)
    first, second = (set(range(low, high + 1)) for low, high in (slot.ports for slot in yard.pool.slots()))
    assert len(first) == len(second) == 5
    assert not first & second
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", max(first)))
        stranger.listen()
        held = yard.pool.acquire("demo-1", "ada", base=yard.head, prefer="pool-wt-1")
    low, high = int(held.environment["AGENT_COORD_PORT_LOW"]), int(held.environment["AGENT_COORD_PORT_HIGH"])
    assert not set(range(low, high + 1)) & (first | second)
    assert yard.pool.slots()[0].ports == (low, high)


def test_release_saves_everything_that_is_not_landed(tmp_path):
    yard = make_pool(tmp_path, 1)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    commit(held.slot.path, {"src/new.py": "committed\n"}, "work")
    write(held.slot.path, {"docs/a.md": "staged\n"})
    yard.git("add", "docs/a.md", at=held.slot.path)
    write(held.slot.path, {"docs/a.md": "edited\n", "src/untracked file.py": "untracked\n", "build.cache": "cache\n"})
    (held.slot.path / "src/app.py").unlink()

    done = yard.pool.release(held.lease)

    assert done.quarantined is None
    assert done.saved_ref == "refs/agent-coord/saved/demo-1/1"
    saved = {path: yard.git("show", f"{done.saved_ref}:{path}") for path in ("src/new.py", "docs/a.md")}
    assert saved == {"src/new.py": "committed", "docs/a.md": "edited"}
    assert yard.git("show", f"{done.saved_ref}:src/untracked file.py") == "untracked"
    assert yard.git("show", f"{done.saved_ref}~1:docs/a.md") == "staged"
    assert "src/app.py" not in yard.git("ls-tree", "-r", "--name-only", done.saved_ref)
    assert yard.states() == {"pool-wt-1": "idle"}
    assert yard.git("status", "--porcelain", "--branch", at=held.slot.path) == "## HEAD (no branch)"
    assert (held.slot.path / "build.cache").exists(), "ignored files are the caches that a slot is kept for"
    assert yard.git("branch", "--list", "agent/*") == ""
    assert yard.leases() == []


def test_what_has_landed_needs_no_ref_and_idle_slots_follow_the_base(tmp_path):
    yard = make_pool(tmp_path, 2)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    tip = commit(held.slot.path, {"src/new.py": "done\n"}, "work")
    yard.git("merge", "--quiet", "--ff-only", held.branch)
    yard.pool.refresh(tip)
    assert [slot.base == tip for slot in yard.pool.slots()] == [False, True], "a leased slot is left alone"
    assert yard.pool.release(held.lease).saved_ref is None
    assert yard.git("for-each-ref", "--format=%(refname)", "refs/agent-coord", "refs/heads/agent") == ""
    assert {slot.base for slot in yard.pool.slots()} == {tip}


def test_a_branch_that_is_kept_or_waits_to_land_outlives_the_lease(tmp_path):
    yard = make_pool(tmp_path, 1)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    commit(held.slot.path, {"src/new.py": "finished\n"}, "work")
    assert yard.pool.release(held.lease, keep=True).saved_ref is None
    assert yard.git("show", f"{held.branch}:src/new.py") == "finished"

    again = yard.pool.acquire("demo-1", "ada", base=yard.head)
    assert again.branch == "agent/pool-wt-1/demo-1/2"
    tip = commit(again.slot.path, {"src/other.py": "finished\n"}, "work")
    with yard.ledger.write() as tx:
        tx.change("landing-insert", issue="demo-1", branch=again.branch, tip=tip, fence=1, priority=1, queued_at=0)
    yard.pool.release(again.lease)
    assert yard.git("branch", "--list", "agent/*", "--format=%(refname:short)") == again.branch
    assert yard.git("show", "refs/agent-coord/saved/demo-1/1:src/new.py") == "finished"


def test_a_release_after_the_lease_has_ended_changes_nothing(tmp_path):
    yard = make_pool(tmp_path, 1)
    old = yard.pool.acquire("demo-1", "ada", base=yard.head)
    yard.pool.release(old.lease)
    new = yard.pool.acquire("demo-2", "bob", base=yard.head)
    write(new.slot.path, {"src/app.py": "bob's work\n"})
    with pytest.raises(Failure) as failure:
        yard.pool.release(old.lease)
    assert failure.value.reference == "stale-lease"
    assert (new.slot.path / "src/app.py").read_text() == "bob's work\n"


def test_an_operation_in_the_middle_and_a_detached_head_lose_nothing(tmp_path):
    yard = make_pool(tmp_path, 1)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    ours = commit(held.slot.path, {"src/app.py": "ours\n"}, "ours")
    theirs = commit(yard.root, {"src/app.py": "theirs\n"}, "theirs")
    subprocess.run(["git", "rebase", theirs], cwd=held.slot.path, capture_output=True, check=False)
    assert "UU src/app.py" in yard.git("status", "--porcelain", at=held.slot.path)

    assert yard.pool.release(held.lease).quarantined is None

    refs = yard.git("for-each-ref", "--format=%(refname)", "refs/agent-coord/saved").splitlines()
    assert len(refs) == 2
    assert "<<<<<<<" in yard.git("show", f"{refs[0]}:src/app.py")
    assert yard.git("rev-parse", refs[1]) == ours
    assert yard.pool.acquire("demo-2", "bob", base=theirs).slot.name == "pool-wt-1"


def test_a_repository_inside_a_slot_is_never_cleaned_away(tmp_path):
    yard = make_pool(tmp_path, 1)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    inner = make_repository(held.slot.path / "inner", {"precious.txt": "only here\n"})
    done = yard.pool.release(held.lease)
    assert "inner/" in (done.quarantined or "")
    assert (inner / "precious.txt").read_text() == "only here\n"
    inner.rename(tmp_path / "moved out")
    assert "in use again" in " ".join(yard.pool.repair())
    assert yard.states() == {"pool-wt-1": "idle"}


def test_a_full_pool_names_who_holds_what(tmp_path):
    yard = make_pool(tmp_path, 1)
    yard.pool.acquire("demo-1", "ada", base=yard.head)
    with pytest.raises(NotNow) as refusal:
        yard.pool.acquire("demo-2", "bob", base=yard.head)
    assert refusal.value.reference == "pool-full"
    assert "pool-wt-1: ada for demo-1" in refusal.value.why


def test_what_no_slot_could_serve_is_refused_and_no_slot_pays_for_it(tmp_path):
    yard = make_pool(tmp_path, 1)
    with pytest.raises(Failure, match="names no commit"):
        yard.pool.acquire("demo-1", "ada", base="no-such-thing")
    assert yard.states() == {"pool-wt-1": "idle"}
    yard.git("branch", "agent")
    with pytest.raises(Failure) as failure:
        yard.pool.acquire("demo-1", "ada", base=yard.head)
    assert failure.value.reference == "branch-in-the-way"
    yard.git("branch", "-m", "agent", "agent-old")
    yard.pool.repair()
    assert yard.pool.acquire("demo-1", "ada", base=yard.head).branch.endswith("/demo-1/1")


def test_a_slot_that_fails_is_set_aside_and_the_next_one_serves(tmp_path):
    yard = make_pool(tmp_path, 2)
    (yard.pool.slots()[0].path / ".git").unlink()
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    assert (held.slot.name, yard.states()["pool-wt-1"]) == ("pool-wt-2", "quarantine")
    assert yard.git("status", "--porcelain", "--branch") == "## main", "git never answered for the main checkout"
    assert "in use again" in " ".join(yard.pool.repair())


def test_the_pool_grows_to_its_maximum_shrinks_to_its_minimum_and_goes(tmp_path):
    yard = make_pool(tmp_path, 5, minimum=2, maximum=4)
    assert [slot.name for slot in yard.pool.slots()] == ["pool-wt-1", "pool-wt-2", "pool-wt-3", "pool-wt-4"]
    with pytest.raises(NotNow) as refusal:
        yard.pool.grow(1)
    assert refusal.value.reference == "pool-at-maximum"
    held = yard.pool.acquire("demo-1", "ada", base=yard.head, prefer="pool-wt-4")
    assert yard.pool.shrink(9) == ["pool-wt-3", "pool-wt-2"]
    assert [slot.name for slot in yard.pool.grow(1, "gate")] == ["gate-1"]
    write(yard.pool.slots()[0].path, {"stray.txt": "left in an idle slot\n"})
    assert yard.pool.remove_all() == ["pool-wt-1", "gate-1"]
    assert yard.git("show", "refs/agent-coord/saved/idle/1:stray.txt") == "left in an idle slot"
    yard.pool.release(held.lease)
    assert yard.pool.remove_all() == ["pool-wt-4"]
    assert yard.worktrees() == []
    assert yard.folders() == []


def test_a_gate_slot_stands_on_the_commit_itself(tmp_path):
    yard = make_pool(tmp_path)
    yard.pool.grow(1, "gate")
    tip = commit(yard.root, {"src/app.py": "next\n"}, "next")
    held = yard.pool.acquire("demo-1", "gate", base=tip, purpose="gate")
    assert (held.branch, yard.git("rev-parse", "HEAD", at=held.slot.path)) == ("", tip)
    assert yard.git("status", "--porcelain", "--branch", at=held.slot.path) == "## HEAD (no branch)"
    write(held.slot.path, {"coverage.xml": "what a check left\n"})
    assert yard.pool.release(held.lease).saved_ref is None
    assert not (held.slot.path / "coverage.xml").exists()


def test_a_lease_is_found_by_whoever_opens_the_ledger_next(tmp_path):
    yard = make_pool(tmp_path, 1)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head)
    other = Pool(yard.repository, yard.ledger, PoolSettings(), None)
    with yard.ledger.read() as snapshot:
        (found,) = leases.live(snapshot, "slot")
    assert found == held.lease
    assert other.release(found).quarantined is None


RUSH = """
import sys, time
from pathlib import Path
from resources.settings import PoolSettings
from resources.state.sqlite import SqliteLedger
from resources.system.errors import NotNow
from resources.system.repository import find_repository
from resources.worktrees.pool import Pool
root, me = Path(sys.argv[1]), sys.argv[2]
repository = find_repository(root)
pool = Pool(repository, SqliteLedger(repository.state), PoolSettings(), None)
done = 0
while done < 3:
    try:
        held = pool.acquire(f"issue-{me}", me, base="main")
    except NotNow:
        time.sleep(0.02)
        continue
    mark = held.slot.path / "mine.txt"
    mark.open("x").write(f"{me} {done}")
    time.sleep(0.03)
    assert mark.read_text() == f"{me} {done}"
    answer = pool.release(held.lease)
    assert answer.quarantined is None, answer
    done += 1
"""


def test_four_processes_share_two_slots_and_none_sees_another(tmp_path):
    yard = make_pool(tmp_path, 2)
    rush = [
        subprocess.Popen([sys.executable, "-c", RUSH, str(yard.root), f"p{n}"], cwd=PRODUCT, stderr=subprocess.PIPE)
        for n in range(4)
    ]
    complaints = [process.communicate(timeout=120)[1].decode() for process in rush]
    assert [process.returncode for process in rush] == [0] * 4, complaints
    assert (yard.states(), yard.leases()) == ({"pool-wt-1": "idle", "pool-wt-2": "idle"}, [])
    saved = yard.git("for-each-ref", "--format=%(refname)", "refs/agent-coord/saved").splitlines()
    assert len(saved) == 12
    kept = {(ref.split("/")[3], yard.git("show", f"{ref}:mine.txt")) for ref in saved}
    assert kept == {(f"issue-p{n}", f"p{n} {turn}") for n in range(4) for turn in range(3)}
