"""Taking one leak back.

Each way looks again at the moment of acting and under the guard of its kind: a process by pid and start time, a
lease by its fence, a branch by compare-and-swap on its tip, a database by the mark that it still must bear. What
has changed since it was listed is kept and says so. Work is saved under `refs/agent-coord/saved/` first; a
worktree whose work cannot be saved becomes a quarantined slot and stays.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from resources.leaks.detect import Leak
from resources.leaks.ledger_things import over_because
from resources.leaks.outcome import GONE, RECLAIMED, Outcome, kept
from resources.leaks.reclaim_work import reclaim_branch, reclaim_slot, reclaim_slot_lease, reclaim_worktree
from resources.leaks.repository_things import is_open
from resources.monitor.watched import Watched, valid_leases
from resources.state import leases
from resources.state.leases import Lease, Owner
from resources.system.clock import wall
from resources.system.errors import Failure
from resources.system.process import GRACE, ProcessId, is_alive
from resources.worktrees.host_ports import open_book
from resources.worktrees.records import Records


def reclaim(watched: Watched, leaks: Sequence[Leak], *, grace: float = GRACE) -> list[tuple[Leak, Outcome]]:
    """Take the `leaks` back, in their order. A failure of one is its outcome and stops no other."""
    end_processes([_process_of(leak) for leak in leaks if leak.kind == "process"], grace=grace)
    return [(leak, _one(watched, leak)) for leak in leaks]


def _one(watched: Watched, leak: Leak) -> Outcome:
    try:
        return _WAYS[leak.kind](watched, leak)
    except Failure as failure:
        return Outcome("failed", f"{failure.what}: {failure.why}" if failure.why else failure.what)
    except OSError as error:
        return Outcome("failed", str(error))


def end_processes(processes: list[ProcessId], *, grace: float) -> None:
    """End them all: TERM to each, KILL after `grace` seconds to those that still run."""
    for process in processes:
        _send(process, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while any(is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in processes:
        _send(process, signal.SIGKILL)
    deadline = time.monotonic() + 1.0
    while any(is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.005)


def _send(process: ProcessId, sign: signal.Signals) -> None:
    # Through a pidfd no other process can get the signal, even if the pid is given away in between.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if not hasattr(os, "pidfd_open"):
            if is_alive(process):
                os.kill(process.pid, sign)
            return
        handle = os.pidfd_open(process.pid)
        try:
            if is_alive(process):
                signal.pidfd_send_signal(handle, sign)
        finally:
            os.close(handle)


def _process_of(leak: Leak) -> ProcessId:
    facts = leak.thing.facts
    return ProcessId(facts["pid"], facts["start"])


def _ended(_: Watched, leak: Leak) -> Outcome:
    if is_alive(_process_of(leak)):
        raise Failure("process-stays", f"process {leak.thing.facts['pid']} does not end")
    return RECLAIMED


def _reported(_: Watched, leak: Leak) -> Outcome:
    return Outcome("reported", f"end or restart process {leak.thing.facts['parent']}")


def _task(watched: Watched, leak: Leak) -> Outcome:
    fence, row = leak.thing.facts["fence"], leak.thing.facts["row"]
    with watched.ledger.write() as tx:
        if any(lease.fence == fence for lease in valid_leases(tx)):
            return kept("it is worked on again")
        if tx.change("task-abandoned", issue=leak.name, fence=fence, why=leak.why, changed_at=wall()) == 0:
            return kept("it has moved on")
        tx.change("task-free", issue=leak.name, fence=fence, changed_at=wall())
        tx.event("task.retry", issue=leak.name, slot=row["slot"], agent=row["agent"], why=leak.why)
    return RECLAIMED


def _lease(watched: Watched, leak: Leak) -> Outcome:
    lease: Lease = leak.thing.facts["lease"]
    if lease.kind == "slot":
        return reclaim_slot_lease(watched, lease)
    with watched.ledger.write() as tx:
        row = tx.one("lease-live", kind=lease.kind, resource=lease.resource)
        if row is None or row["fence"] != lease.fence:
            return GONE
        if not over_because(Owner.of(row["owner"]), row["expires"]):
            return kept("it was renewed")
        leases.release(tx, lease)
    return RECLAIMED


def _reservation(watched: Watched, leak: Leak) -> Outcome:
    with watched.ledger.write() as tx:
        row = next((row for row in tx.all("reservations-live") if str(row["id"]) == leak.name), None)
        if row is None:
            return GONE
        if not over_because(Owner.of(row["owner"]), row["expires"]):
            return kept("it was renewed")
        tx.change("reservation-release", id=row["id"], now_at=wall())
        tx.event("reservation.released", issue=row["issue"], agent=row["agent"], pattern=row["pattern"], why=leak.why)
    return RECLAIMED


def _wait(watched: Watched, leak: Leak) -> Outcome:
    facts = leak.thing.facts
    with watched.ledger.write() as tx:
        mine = [row for row in tx.all("waits") if (row["agent"], row["issue"]) == (facts["agent"], facts["issue"])]
        if any(not over_because(Owner.of(row["owner"]), leases.FOR_EVER) for row in mine):
            return kept("it waits again")
        tx.change("wait-over", agent=facts["agent"], issue=facts["issue"])
    return RECLAIMED


def _login(watched: Watched, leak: Leak) -> Outcome:
    if Records(watched.ledger).slot(leak.name) is not None:
        return kept("it is a slot again")
    return _temporary(watched, leak)


def _port_range(watched: Watched, _: Leak) -> Outcome:
    with open_book(watched.repository.state) as book:
        book.keep(Records(watched.ledger).ports())
    return RECLAIMED


def _lock(_: Watched, leak: Leak) -> Outcome:
    path: Path = leak.thing.facts["path"]
    try:
        seen = path.stat()
    except FileNotFoundError:
        return GONE
    if seen.st_mtime != leak.since or is_open(path, leak.thing.facts["tree"]):
        return kept("it is in use")
    path.unlink()
    return RECLAIMED


def _temporary(_: Watched, leak: Leak) -> Outcome:
    path: Path = leak.thing.facts["path"]
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return RECLAIMED


def _database(watched: Watched, leak: Leak) -> Outcome:
    if watched.databases is None:
        return kept("the databases are turned off")
    watched.databases.reclaim(leak.thing.facts["found"])
    return RECLAIMED


_WAYS: dict[str, Callable[[Watched, Leak], Outcome]] = {
    "process": _ended,
    "port": _ended,
    "zombie": _reported,
    "task": _task,
    "lease": _lease,
    "reservation": _reservation,
    "wait": _wait,
    "lock": _lock,
    "slot": reclaim_slot,
    "worktree": reclaim_worktree,
    "branch": reclaim_branch,
    "half-dropped": _database,
    "half-made": _database,
    "template": _database,
    "retired": _database,
    "spare": _database,
    "server": _database,
    "database": _database,
    "role": _database,
    "login": _login,
    "port-range": _port_range,
    "temporary": _temporary,
}
