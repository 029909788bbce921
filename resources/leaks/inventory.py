"""Everything of this project that can be seen: on the machine, in git, on the database server, in the ledger.

Only what bears our mark is listed. The marks: worktrees registered below the pool folder and locked with the
reason `agent-coord`, and folders there that are named as slots are; branches below `refs/heads/agent/`;
processes with the project's uid in `AGENT_COORD_LEASE`; databases and roles by their comment; rows of the
ledger, and of the host's list of ports those of this repository; locks, logins and half-written files inside our own
folders and our slots' git folders.

When a part cannot be seen (git fails, the server does not answer) the inventory says that it is not complete,
and nobody may conclude from it that something is not held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from resources.leaks import repository_things
from resources.leaks.daemon_lock import daemon_process
from resources.leaks.detect import DATABASE_KINDS, LIVE_TASKS, Held, Inventory, Thing
from resources.leaks.ledger_things import ledger_things, slot_things
from resources.monitor.processes import Seen, see_processes
from resources.monitor.watched import Watched, server_processes, valid_leases
from resources.system.errors import Failure
from resources.system.files import lock_is_held
from resources.system.process import is_alive
from resources.worktrees.host_ports import leased_to
from resources.worktrees.records import Records
from resources.worktrees.slots import ref_part


def take_inventory(watched: Watched) -> Inventory:
    """Look at everything now. Raises Failure only when the ledger itself does not answer."""
    things: list[Thing] = []
    missing: list[str] = []
    for part in _PARTS:
        try:
            things.extend(part(watched))
        except Failure as failure:
            missing.append(f"{failure.what}: {failure.why}" if failure.why else failure.what)
    unseen = DATABASE_KINDS if _left_asleep(watched) else frozenset()
    return Inventory(not missing, "; ".join(missing), tuple(things), unseen)


def read_held(watched: Watched) -> Held:
    """What the ledger says is held now."""
    with watched.ledger.read() as snapshot:
        leases = valid_leases(snapshot)
        slots = snapshot.all("slots")
        tasks = snapshot.all("tasks")
        landings = snapshot.all("landing-live")
        condemned = snapshot.all("condemned-all")
    branches = {task["branch"] for task in tasks if task["state"] in LIVE_TASKS}
    return Held(
        slots=frozenset(row["name"] for row in slots),
        fences=frozenset(lease.fence for lease in leases),
        issues=frozenset(ref_part(lease.issue) for lease in leases if lease.issue),
        branches=frozenset(branches | {row["branch"] for row in landings}),
        making=pool_at_work(watched) and any(row["state"] == "making" for row in slots),
        condemned={(row["kind"], row["name"]): row["since_at"] for row in condemned},
    )


def pool_at_work(watched: Watched) -> bool:
    """Whether some process makes or takes down slots now: a row in state `making` has a maker only then."""
    return lock_is_held(watched.repository.state / "pool.lock")


def _processes(watched: Watched) -> Iterator[Thing]:
    for seen in see_processes(watched.project, apart=set(_apart(watched))):
        facts = {"pid": seen.pid, "start": seen.start, "fence": seen.fence, "program": seen.name}
        if seen.state == "zombie":
            yield Thing("zombie", f"{seen.pid}", seen.began, {**facts, "parent": seen.parent})
        elif seen.start:
            yield Thing("process", f"{seen.pid}:{seen.start}", seen.began, facts)
            yield from (Thing("port", str(port), seen.began, facts) for port in _listening(seen, watched))


def _apart(watched: Watched) -> Iterator[int]:
    """The processes that serve every lease and end with none: coordinators, the daemon, the database server."""
    with watched.ledger.read() as snapshot:
        owners = {lease.owner.process for lease in valid_leases(snapshot)}
    yield from (owner.pid for owner in owners if is_alive(owner))
    daemon = daemon_process(watched.repository)
    if daemon is not None:
        yield daemon.pid
    yield from (server.pid for server in server_processes(watched.database_home))


def _listening(seen: Seen, watched: Watched) -> Iterable[int]:
    import psutil

    pool = watched.settings.pool
    spans = [(pool.port_base, pool.port_base + pool.maximum * pool.ports_per_slot - 1)]
    spans += Records(watched.ledger).ports()
    try:
        sockets = psutil.Process(seen.pid).net_connections("inet")
    except (psutil.Error, OSError):
        return ()
    listening = {each.laddr.port for each in sockets if each.status == psutil.CONN_LISTEN and each.laddr}
    return sorted(port for port in listening if any(low <= port <= high for low, high in spans))


def _databases(watched: Watched) -> Iterator[Thing]:
    if watched.databases is None or _left_asleep(watched):
        return
    for found in watched.databases.inventory():
        facts = {
            "slot": found.slot,
            "sessions": found.sessions,
            "mark": str(found.mark.get("kind", "")),
            "found": found,
        }
        made = found.mark.get("at")
        yield Thing(found.kind, found.name, float(str(made)) if made else None, facts)


def _left_asleep(watched: Watched) -> bool:
    return not watched.wake and watched.databases is not None and watched.databases.listing_wakes


def _port_ranges(watched: Watched) -> Iterator[Thing]:
    held = set(Records(watched.ledger).ports())
    for low, high in leased_to(watched.repository.state):
        over = "" if (low, high) in held else "no slot has it"
        yield Thing("port-range", f"{low}-{high}", None, {"over": over})


_PARTS: tuple[Callable[[Watched], Iterable[Thing]], ...] = (
    lambda watched: ledger_things(watched.ledger),
    lambda watched: slot_things(watched.ledger, at_work=pool_at_work(watched)),
    _processes,
    lambda watched: repository_things.worktrees(watched.repository, watched.pool_folder),
    lambda watched: repository_things.branches(watched.repository, watched.pool_folder),
    lambda watched: repository_things.locks(watched.repository, watched.pool_folder),
    lambda watched: repository_things.temporary_files(watched.repository, watched.pool_folder),
    lambda watched: repository_things.logins(watched.repository),
    _port_ranges,
    _databases,
)
