"""The ways in which something leaks, each done for real where a process or git or Postgres is what leaks it.

A maker does the damage and says under which keys it must be found and how to tell that it is gone. `KINDS` is in the
order in which they are made: what works on the pool comes first, since it rewrites the host's list of ports. What
leaks on database servers is told by `leak_databases` and `leak_servers`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.leak_world import OLD, Made, World, keys, old_file, slot_folder
from coordinator.tasks import claims
from resources.monitor.processes import see_processes
from resources.system.process import is_alive
from resources.worktrees.host_ports import leased_to, open_book
from resources.worktrees.ports import find_range
from resources.worktrees.saving import ASIDE
from resources.worktrees.slots import Slot
from tests.support import watched as build

PRODUCT = Path(__file__).resolve().parents[1]
_OPEN = """
import sys, time
from dataclasses import replace
from pathlib import Path
from benchmarks.leak_world import SETTINGS
from resources.databases.databases import open_databases
from resources.state.sqlite import SqliteLedger
from resources.system.repository import find_repository
from resources.worktrees.pool import Pool
repository = find_repository(Path(sys.argv[1]))
ledger = SqliteLedger(repository.state)
"""
_LEASE = _OPEN + (
    "held = Pool(repository, ledger, SETTINGS.pool, None).acquire(sys.argv[2], 'amber', base='main')\n"
    "print(held.slot.name, held.lease.fence, flush=True)\ntime.sleep(600)\n"
)
_GROW = _OPEN + (
    "settings = replace(SETTINGS.pool, setup=('sh', '-c', 'touch begun.cache; exec sleep 600'))\n"
    "databases = open_databases(replace(SETTINGS.database, isolation=sys.argv[3]), home=repository.state / 'postgres',"
    " project=repository.root.name, owner=sys.argv[2])\n"
    "pool = Pool(repository, ledger, settings, databases)\npool.approve()\npool.grow(1)\n"
)


def _another_process(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=PRODUCT, stdout=subprocess.PIPE, text=True)


# -- whoever held something was killed


def killed_coordinator(world: World) -> Made:
    """Its process is gone with `kill -9`, the slot that it leased holds an hour of work."""
    issue = f"bd-{world.number()}"
    process = _another_process(_LEASE, str(world.root), issue)
    assert process.stdout is not None
    name, fence = process.stdout.readline().split()
    process.kill()
    process.communicate()
    world.used.add(name)
    (world.folder / name / "half.py").write_text("half a thought\n")

    def gone() -> bool:
        idle = {slot.name for slot in world.pool.slots() if slot.state == "idle"}
        return name in idle and world.git("show", f"refs/agent-coord/saved/{issue}/1:half.py") == "half a thought"

    # A clone keeps its branches to itself until they are fetched.
    branch = f"agent/{name}/{issue}/1"
    listed = [("branch", branch)] if world.ref(f"refs/heads/{branch}") else []
    return Made(keys(("lease", fence), *listed), gone)


def half_made_slot(world: World) -> Made:
    """A process that was making a slot is killed while the set-up command runs, which goes on by itself."""
    process = _another_process(_GROW, str(world.root), world.watched.project, world.isolation)
    deadline = time.monotonic() + 60
    while not (begun := list(world.folder.glob("*/begun.cache"))):
        assert time.monotonic() < deadline, "no slot was made"
        time.sleep(0.02)
    process.kill()
    process.communicate()
    name = begun[0].parent.name
    left = [seen.id for seen in see_processes(world.watched.project) if seen.fence == 0]
    furnished = world.furnished(name)

    def gone() -> bool:
        return not (begun[0].parent.exists() or furnished() or any(map(is_alive, left)))

    return Made(keys(("slot", name), *(("process", f"{one.pid}:{one.start}") for one in left)), gone)


def claim_of_the_dead(world: World) -> Made:
    """A claim on an issue whose process died before it took a slot."""
    issue = f"bd-{world.number()}"
    fence = build.lease_of_the_dead(world.watched.ledger, "issue", issue, issue)
    return Made(keys(("lease", str(fence))), lambda: fence not in _fences(world))


def _fences(world: World) -> set[int]:
    with world.watched.ledger.read() as snapshot:
        return {row["fence"] for row in snapshot.all("leases-live")}


def expired_reservation(world: World) -> Made:
    """A reservation whose term ended unrenewed."""
    build.reserve(world.watched.ledger, f"src/{world.number()}/**", -1.0)
    with world.watched.ledger.read() as snapshot:
        newest = snapshot.all("reservations-live")[-1]["id"]

    def gone() -> bool:
        with world.watched.ledger.read() as snapshot:
            return newest not in {row["id"] for row in snapshot.all("reservations-live")}

    return Made(keys(("reservation", str(newest))), gone)


def wait_of_the_dead(world: World) -> Made:
    """A process that waited for a reservation was killed."""
    agent = f"agent-{world.number()}"
    with world.watched.ledger.write() as tx:
        tx.change(
            "wait-put", agent=agent, issue="bd-1", holder="blue", pattern="src/**",
            owner=build.dead_owner().to_json(), now_at=time.time(),
        )  # fmt: skip

    def gone() -> bool:
        with world.watched.ledger.read() as snapshot:
            return agent not in {row["agent"] for row in snapshot.all("waits")}

    return Made(keys(("wait", f"{agent}/bd-1")), gone)


def task_of_the_dead(world: World) -> Made:
    """A task at work whose agent and lease are gone."""
    issue, fence = f"bd-{world.number()}", 1_000_000 + world.number()
    with world.watched.ledger.write() as tx:
        claims.enlist(tx, [claims.Wish(issue, "", "", "", "", 0)], again=False)
        tx.change(
            "task-work", issue=issue, agent="amber", program="", slot="", branch="", base="", fence=fence, attempt=1,
            process="{}", changed_at=0,
        )  # fmt: skip

    def gone() -> bool:
        with world.watched.ledger.read() as snapshot:
            return any(row["issue"] == issue and row["state"] == "retry" for row in snapshot.all("tasks"))

    return Made(keys(("task", issue)), gone)


def orphan(world: World) -> Made:
    """An agent's server that forked twice and called setsid, listens on a port of the pool and has a zombie."""
    port, _ = find_range([], world.watched.settings.pool.port_base + 20, 1)
    one = build.orphan(f"{world.watched.project}:999999", port=port)
    zombies = [seen.pid for seen in see_processes(world.watched.project) if seen.parent == one.id.pid]
    listed = [("zombie", str(pid)) for pid in zombies]
    return Made(
        keys(("process", f"{one.id.pid}:{one.id.start}"), ("port", str(one.port)), *listed),
        lambda: not is_alive(one.id),
    )


# -- git and files


def unknown_worktree(world: World) -> Made:
    """A worktree with our lock that no ledger knows, with a file that nobody has committed."""
    name = f"pool-wt-{1000 + world.number()}"
    path = world.folder / name
    world.git("worktree", "add", "--quiet", "--detach", "--lock", "--reason", "agent-coord", str(path))
    (path / "notes.txt").write_text(name)
    saved = f"refs/agent-coord/saved/{name}/1:notes.txt"
    return Made(keys(("worktree", name)), lambda: not path.exists() and world.git("show", saved) == name)


def renamed_slot(world: World) -> Made:
    """A slot whose folder somebody renamed."""
    return _renamed(world, world.slot())


def renamed_clone(world: World) -> Made:
    """The same with a slot that is a clone, which no registry of git knows."""
    clones = [one for one in world.pool.slots() if one.state == "idle" and (one.path / ".git").is_dir()]
    slot = next((one for one in clones if one.name not in world.used), None) or world.make_clone()
    world.used.add(slot.name)
    return _renamed(world, slot)


def _renamed(world: World, slot: Slot) -> Made:
    other = world.folder / f"my-copy-{world.number()}"
    (slot.path / "kept.cache").write_text(other.name)
    slot.path.rename(other)

    def gone() -> bool:
        kept = slot.path / "kept.cache"
        return not other.exists() and kept.exists() and kept.read_text() == other.name

    return Made(keys(("worktree", other.name)), gone)


def orphan_branch(world: World) -> Made:
    """A branch of an attempt that no task knows, with a commit that has not landed."""
    name = f"agent/pool-wt-77/bd-{world.number()}/1"
    tip = world.git("commit-tree", "main^{tree}", "-p", "main", "-m", name)
    world.git("branch", name, tip)
    saved = f"refs/agent-coord/saved/{name.split('/')[2]}/1"
    return Made(keys(("branch", name)), lambda: not world.ref(f"refs/heads/{name}") and world.ref(saved) == tip)


def git_lock(world: World) -> Made:
    """The index.lock of a git that was killed in an idle slot, or the lock of a branch of ours."""
    if world.has_slot() and world.random.random() < 0.7:
        path = slot_folder(world, world.slot()) / "index.lock"
    else:
        path = world.common / f"refs/heads/agent/pool-wt-77/bd-{world.number()}/1.lock"
    old_file(path)
    below = world.common if path.is_relative_to(world.common) else world.folder
    return Made(keys(("lock", str(path.relative_to(below)))), lambda: not path.exists())


def temporary(world: World) -> Made:
    """A file that a killed writer left half written, in each of the places where we write."""
    salt = f"{world.number():08x}"
    slot = next(one for one in world.pool.slots() if one.path.is_dir())
    places = [
        world.state / f".sample.json.{salt}",
        world.state / f"postgres/slots/.pool-wt-1.json.{salt}",
        world.folder / f"..progress.json.{salt}",
        world.folder / f"logs/bd-1/.1.log.{salt}",
        world.folder / f"trash-pool-wt-9-{salt}",
        slot_folder(world, slot) / f"{ASIDE}{salt}",
    ]
    path = world.random.choice(places)
    if path.name.startswith("."):
        old_file(path)
    else:
        old_file(path / "index")
        os.utime(path, (time.time() - OLD, time.time() - OLD))
    inside = path.is_relative_to(world.common)
    name = (
        str(path.relative_to(world.common if inside else world.root)) if inside or path.parent == world.folder else ""
    )
    return Made(keys(("temporary", name or str(path))), lambda: not path.exists())


def port_range(world: World) -> Made:
    """A range of ports in the host's list that no slot has: its taker died between the list and the ledger."""
    low = 61000 + 2 * world.number()
    with open_book(world.state) as book:
        book.keep([*leased_to(world.state), (low, low + 1)])
    return Made(keys(("port-range", f"{low}-{low + 1}")), lambda: (low, low + 1) not in leased_to(world.state))


KINDS: dict[str, Callable[[World], Made]] = {
    "killed coordinator": killed_coordinator,
    "half made slot": half_made_slot,
    "renamed slot": renamed_slot,
    "renamed clone": renamed_clone,
    "claim of the dead": claim_of_the_dead,
    "expired reservation": expired_reservation,
    "wait of the dead": wait_of_the_dead,
    "task of the dead": task_of_the_dead,
    "orphan": orphan,
    "unknown worktree": unknown_worktree,
    "orphan branch": orphan_branch,
    "git lock": git_lock,
    "temporary": temporary,
    "port range": port_range,
}
NEED_SLOT = frozenset({"killed coordinator", "renamed slot"})
"""Those that need an idle slot which nobody else touches."""
