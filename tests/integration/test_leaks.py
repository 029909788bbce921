"""Leaks made for real, beside look-alikes that are not ours: only the leaks go, and no work is lost."""

import os
import time

import pytest

from coordinator.tasks import claims
from resources.leaks.sweep import sweep
from resources.monitor.processes import see_processes
from resources.monitor.usage import take_usage
from resources.settings import DatabaseSettings, PoolSettings, ResourceSettings
from resources.system.git import git, resolve
from resources.system.process import is_alive
from resources.worktrees.pool import Pool
from tests.support import watched as build
from tests.support.postgres import make_tree, server

SETTINGS = ResourceSettings(pool=PoolSettings(copy=(), size=1, minimum=1, port_base=46000))


@pytest.fixture
def repository(tmp_path):
    return build.make_repository(tmp_path / "a project")


@pytest.fixture
def ground(repository):
    with build.watched(repository, SETTINGS) as ground:
        yield ground


@pytest.fixture
def pool(ground):
    return Pool(ground.repository, ground.ledger, ground.settings.pool, None)


def kinds(report):
    return {(leak.kind, leak.name) for leak in report.leaks}


def outcomes(report):
    return {(leak.kind, leak.name): outcome.result for leak, outcome in report.done}


def test_a_project_at_rest_has_no_leaks(ground, pool):
    pool.grow(1)
    held = pool.acquire("bd-1", "amber", base=resolve(ground.repository.root, "main"))
    assert sweep(ground, act=True, now=True).leaks == ()
    assert held.slot.path.is_dir()


def test_processes_that_outlived_their_lease_go_and_others_stay(ground):
    ours = build.orphan(f"{ground.project}:99", port=SETTINGS.pool.port_base + 3)
    others = [build.orphan("another-project:99"), build.orphan(None)]
    try:
        report = sweep(ground)
        name = f"{ours.id.pid}:{ours.id.start}"
        assert {("process", name), ("port", str(ours.port))} <= kinds(report)
        assert {kind for kind, _ in kinds(report)} == {"process", "port", "zombie"}
        assert is_alive(ours.id)

        report = sweep(ground, act=True, now=True)
        assert outcomes(report)["process", name] == "reclaimed"
        assert not is_alive(ours.id)
        assert all(is_alive(other.id) for other in others)
    finally:
        for one in (ours, *others):
            build.end(one)


def test_a_process_under_a_valid_lease_is_seen_and_kept(ground, pool):
    pool.grow(1)
    held = pool.acquire("bd-1", "amber", base=resolve(ground.repository.root, "main"))
    one = build.orphan(f"{ground.project}:{held.lease.fence}")
    try:
        assert one.id.pid in {seen.pid for seen in see_processes(ground.project)}
        assert sweep(ground, act=True, now=True).leaks == ()
        assert is_alive(one.id)
    finally:
        build.end(one)


def test_a_leaked_branch_is_saved_before_it_goes(ground):
    root = ground.repository.root
    git(root, "switch", "--quiet", "--create", "agent/pool-wt-4/bd-9/1")
    work = build.commit(root, "unlanded.py")
    git(root, "switch", "--quiet", "main")
    git(root, "branch", "agent/notes")
    git(root, "branch", "feature/agent")

    assert kinds(sweep(ground)) == {("branch", "agent/pool-wt-4/bd-9/1")}
    report = sweep(ground, act=True, now=True)

    assert report.left == ()
    assert git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads").lines == [
        "agent/notes",
        "feature/agent",
        "main",
    ]
    assert resolve(root, "refs/agent-coord/saved/bd-9/1") == work


def test_a_branch_that_is_checked_out_stays(ground):
    root = ground.repository.root
    git(root, "switch", "--quiet", "--create", "agent/pool-wt-4/bd-9/1")
    assert sweep(ground, act=True, now=True).leaks == ()
    assert resolve(root, "refs/heads/agent/pool-wt-4/bd-9/1")


def test_a_worktree_without_a_slot_is_saved_and_removed_and_others_stay(ground, pool):
    root, folder = ground.repository.root, ground.pool_folder
    pool.grow(1)
    for name, arguments in {
        "pool-wt-9": ("--lock", "--reason", "agent-coord"),
        "pool-wt-8": ("--lock", "--reason", "mine"),
        "my-look": (),
    }.items():
        git(root, "worktree", "add", "--quiet", "--detach", *arguments, str(folder / name))
    (folder / "pool-wt-9" / "notes.txt").write_text("an hour of work\n")
    (folder / "not-a-slot").mkdir()

    assert kinds(sweep(ground)) == {("worktree", "pool-wt-9")}
    report = sweep(ground, act=True, now=True)

    assert outcomes(report) == {("worktree", "pool-wt-9"): "reclaimed"}
    assert not (folder / "pool-wt-9").exists()
    assert git(root, "show", "refs/agent-coord/saved/pool-wt-9/1:notes.txt").text == "an hour of work"
    assert all((folder / name).is_dir() for name in ("pool-wt-1", "pool-wt-8", "my-look", "not-a-slot"))


def test_a_folder_whose_work_cannot_be_saved_goes_to_quarantine(ground, pool):
    strange = ground.pool_folder / "pool-wt-7"
    strange.mkdir(parents=True)
    (strange / "only-copy.txt").write_text("precious\n")

    report = sweep(ground, act=True, now=True)

    assert outcomes(report) == {("worktree", "pool-wt-7"): "quarantined"}
    assert (strange / "only-copy.txt").read_text() == "precious\n"
    assert [(slot.name, slot.state) for slot in pool.slots()] == [("pool-wt-7", "quarantine")]
    assert sweep(ground).leaks == ()


def test_leases_and_reservations_of_the_dead_are_given_back_with_their_work_saved(ground, pool):
    root = ground.repository.root
    pool.grow(2)
    dead = pool.acquire("bd-1", "amber", base=resolve(root, "main"))
    alive = pool.acquire("bd-2", "blue", base=resolve(root, "main"))
    (dead.slot.path / "half.py").write_text("x = 1\n")
    build.bury(ground.ledger, dead.lease)
    fence = build.lease_of_the_dead(ground.ledger, "issue", "bd-1", "bd-1")
    build.reserve(ground.ledger, "src/**", -1.0)
    build.reserve(ground.ledger, "docs/**", 60.0)

    report = sweep(ground, act=True, now=True)

    assert kinds(report) >= {("lease", str(dead.lease.fence)), ("lease", str(fence)), ("reservation", "1")}
    assert report.left == ()
    assert git(root, "show", "refs/agent-coord/saved/bd-1/1:half.py").text == "x = 1"
    assert {slot.name: slot.state for slot in pool.slots()} == {dead.slot.name: "idle", alive.slot.name: "leased"}
    with ground.ledger.read() as snapshot:
        assert [row["pattern"] for row in snapshot.all("reservations-live")] == ["docs/**"]
        assert [row["fence"] for row in snapshot.all("leases-live")] == [alive.lease.fence]


def test_a_task_whose_agent_and_lease_are_gone_waits_for_another_attempt(ground):
    with ground.ledger.write() as tx:
        for issue, fence in (("bd-1", 41), ("bd-2", 42)):
            claims.enlist(tx, [claims.Wish(issue, "", "", "", "", 0)], again=False)
            tx.change(
                "task-work", issue=issue, agent="amber", program="", slot="pool-wt-1", branch="", base="", fence=fence,
                attempt=1, process="{}", changed_at=0,
            )  # fmt: skip
    running = build.orphan(f"{ground.project}:42")
    with ground.ledger.write() as tx:
        text = f'{{"pid": {running.id.pid}, "start": "{running.id.start}"}}'
        tx.change("task-process", issue="bd-2", fence=42, process=text, changed_at=0)
    try:
        assert ("task", "bd-1") in kinds(sweep(ground, act=False))
        report = sweep(ground, act=True, now=True)
    finally:
        build.end(running)
    assert outcomes(report)["task", "bd-1"] == "reclaimed"
    with ground.ledger.read() as snapshot:
        states = {row["issue"]: (row["state"], row["slot"], row["attempt"]) for row in snapshot.all("tasks")}
    assert states["bd-1"] == ("retry", "", 1)


def test_old_locks_and_half_written_files_of_ours_go_and_others_stay(ground, pool):
    root, state = ground.repository.root, ground.repository.state
    pool.grow(2)
    git_dirs = ground.repository.common / "worktrees"
    old, fresh, used = (
        git_dirs / name for name in ("pool-wt-1/index.lock", "pool-wt-2/index.lock", "pool-wt-1/HEAD.lock")
    )
    theirs = [ground.repository.common / "index.lock", ground.pool_folder / ".env.abcdefgh", state / "notes.txt"]
    half, making = state / ".sample.json.ab12cd34", state / "ledger.making"
    for path in (old, fresh, used, *theirs, half, making):
        path.write_text("")
        if path != fresh:
            os.utime(path, (time.time() - 7200, time.time() - 7200))
    with used.open():
        report = sweep(ground, act=True, now=True)

    assert {kind for kind, _ in kinds(report)} == {"lock", "temporary"}
    assert report.left == ()
    assert not any(path.exists() for path in (old, half, making))
    assert all(path.exists() for path in (fresh, used, *theirs))
    (root / ".git" / "index.lock").unlink()


def test_the_first_sighting_condemns_and_only_a_later_pass_takes_back(ground):
    root = ground.repository.root
    git(root, "branch", "agent/pool-wt-4/bd-9/1")

    first = sweep(ground, act=True)
    assert first.done == ()
    assert first.leaks[0].condemned_at is not None
    assert resolve(root, "refs/heads/agent/pool-wt-4/bd-9/1")

    with ground.ledger.write() as tx:  # ten minutes pass
        tx.change("pardon", kind="branch", name="agent/pool-wt-4/bd-9/1")
        tx.change("condemn", kind="branch", name="agent/pool-wt-4/bd-9/1", since_at=time.time() - 601)
    assert sweep(ground).done == ()
    assert outcomes(sweep(ground, act=True)) == {("branch", "agent/pool-wt-4/bd-9/1"): "reclaimed"}


def test_what_is_held_again_is_pardoned(ground):
    git(ground.repository.root, "branch", "agent/pool-wt-4/bd-9/1")
    sweep(ground)
    with ground.ledger.write() as tx:
        tx.change(
            "landing-insert", issue="bd-9", branch="agent/pool-wt-4/bd-9/1", tip="", fence=0, priority=0, queued_at=0
        )
    assert sweep(ground, act=True, now=True).leaks == ()
    with ground.ledger.read() as snapshot:
        assert snapshot.all("condemned-all") == []


def test_an_unreachable_server_aborts_the_pass(repository):
    from resources.databases.databases import open_databases

    settings = DatabaseSettings(provider="dsn", dsn="host=/nowhere/at/all dbname=postgres")
    home = repository.state / "postgres"
    home.mkdir()
    git(repository.root, "branch", "agent/pool-wt-4/bd-9/1")
    databases = open_databases(settings, home=home, project="x", owner="any")
    with build.watched(repository, ResourceSettings(database=settings), databases) as ground:
        report = sweep(ground, act=True, now=True)
        assert not report.complete
        assert report.why
        with ground.ledger.read() as snapshot:
            assert snapshot.all("condemned-all") == []
    assert resolve(repository.root, "refs/heads/agent/pool-wt-4/bd-9/1")


def test_databases_that_no_slot_has_are_dropped(repository, tmp_path):
    tree = make_tree(tmp_path / "tree")
    with server(repository.state / "postgres") as databases, build.watched(repository, SETTINGS, databases) as ground:
        Pool(repository, ground.ledger, SETTINGS.pool, None).grow(1)
        held, orphan = databases.prepare("pool-wt-1", tree), databases.prepare("pool-wt-6", tree)
        leaked = {("database", orphan.name), ("role", orphan.role), ("login", "pool-wt-6")}
        assert kinds(sweep(ground)) == leaked
        assert take_usage(ground).connections_usable in range(1, 10_000)

        databases.stop()
        with build.watched(repository, SETTINGS, databases, wake=False) as drowsy:
            assert kinds(sweep(drowsy)) == {("login", "pool-wt-6")}
            assert take_usage(drowsy).connections_total is None
            assert drowsy.asleep
        with ground.ledger.read() as snapshot:
            assert {(row["kind"], row["name"]) for row in snapshot.all("condemned-all")} == leaked

        report = sweep(ground, act=True, now=True)
        assert report.left == ()
        names = {found.name for found in databases.inventory()}
        assert {held.name, held.role} <= names
        assert not {orphan.name, orphan.role} & names
