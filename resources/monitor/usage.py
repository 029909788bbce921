"""One snapshot of what the project uses.

One pass over the processes, one question to the database server, one statvfs, sizes from the kept walk:
about 20 ms with ten slots. A part that cannot be measured is named in `Usage.unknown` and never stops the
rest; the snapshot must come out when Postgres is down, because that is when it is needed.
"""

from __future__ import annotations

import contextlib
import resource
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.monitor.disk import disk_usage, kept_sizes
from resources.monitor.processes import Seen, see_processes
from resources.monitor.values import Usage
from resources.monitor.watched import Watched, valid_leases
from resources.system.clock import wall
from resources.system.errors import Failure
from resources.system.process import is_alive

_SYSTEM_WIDE = Path("/proc/sys/fs/file-nr")


def take_usage(watched: Watched) -> Usage:
    """Measure now. Raises Failure only when the ledger itself does not answer."""
    started = time.monotonic()
    with watched.ledger.read() as snapshot:
        slots = snapshot.all("slots")
        leases = valid_leases(snapshot)
    slot_of = {lease.fence: lease.resource for lease in leases if lease.kind == "slot"}
    processes = see_processes(watched.project)
    owners = {lease.owner.pid for lease in leases if is_alive(lease.owner.process)}
    files = _open_files(processes, owners, slot_of)
    facts = {**_connections(watched), **_disk(watched), **files}
    return Usage(
        at=wall(),
        memory_ratio=_memory(),
        processes=Counter(slot_of[seen.fence] for seen in processes if seen.fence in slot_of),
        states=Counter(seen.state for seen in processes),
        slots=Counter(row["state"] for row in slots if row["purpose"] == "work"),
        seconds=time.monotonic() - started,
        **facts,
    )


def _connections(watched: Watched) -> dict[str, Any]:
    if watched.databases is None or watched.asleep:
        return {"unknown": ()}
    databases = watched.databases
    try:
        found = databases.usage()
        sizes = kept_sizes(watched.repository.state / "databases.json", lambda: dict(databases.sizes()))
    except Failure as failure:
        return {"unknown": (f"database connections: {failure.what}. {failure.why}".strip(),)}
    return {
        "connections": dict(found.per_database),
        "connection_states": dict(found.states),
        "database_sizes": sizes or {},
        "connections_total": found.total,
        "connections_usable": found.usable,
        "unknown": (),
    }


def _disk(watched: Watched) -> dict[str, Any]:
    found = disk_usage(watched.pool_folder, [watched.database_home], watched.repository.state / "disk.json")
    free = shutil.disk_usage(watched.repository.common).free
    if found is None:
        return {"disk_free": free}
    return {"disk": dict(found.entries), "disk_used": found.total, "disk_free": free}


def _memory() -> float:
    import psutil

    memory = psutil.virtual_memory()
    return 1 - memory.available / memory.total


@dataclass(frozen=True)
class _Open:
    who: str
    slot: str
    count: int
    ratio: float


def _open_files(processes: Iterable[Seen], owners: Iterable[int], slot_of: Mapping[int, str]) -> dict[str, Any]:
    found = [*_each_open(processes, owners, slot_of), *_system_wide()]
    worst = max(found, key=lambda each: each.ratio, default=_Open("", "", 0, 0.0))
    by_slot: dict[str, float] = {}
    for each in found:
        if each.slot:
            by_slot[each.slot] = max(by_slot.get(each.slot, 0.0), each.ratio)
    return {
        "descriptors": by_slot,
        "descriptors_open": sum(each.count for each in found if each.who != "the whole system"),
        "descriptors_ratio": worst.ratio,
        "descriptors_worst": worst.who,
    }


def _each_open(processes: Iterable[Seen], owners: Iterable[int], slot_of: Mapping[int, str]) -> Iterable[_Open]:
    import psutil

    ours = {seen.pid: slot_of.get(seen.fence, "") for seen in processes}
    for pid in {*ours, *owners}:
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            count = process.num_fds()
            yield _Open(f"{process.name()} ({pid})", ours.get(pid, ""), count, count / _limit(process))


def _limit(process: Any) -> int:
    # macOS does not tell another process's limit; ours is what its children began with.
    ask = getattr(process, "rlimit", None)
    soft = ask(resource.RLIMIT_NOFILE)[0] if ask else resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return soft if soft > 0 else 1 << 20


def _system_wide() -> Iterable[_Open]:
    with contextlib.suppress(OSError, ValueError):
        used, _, limit = (int(part) for part in _SYSTEM_WIDE.read_text().split())
        yield _Open("the whole system", "", used, used / max(limit, 1))
