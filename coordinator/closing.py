"""Gives everything back: what `init` and `spawn` took, in the reverse order, without losing work.

The coordinator is asked to stop first (it saves and releases what it holds), then what a dead one left is
recovered, then slots are removed with their databases, then the server of ours and the daemon are stopped.
Ledger, configuration, logs and the refs with saved work stay.
"""

from __future__ import annotations

from contextlib import suppress

from coordinator.bootstrap import Project
from coordinator.running import serve
from coordinator.running.byhand import release_by_hand
from coordinator.running.recovery import recover
from coordinator.tasks import claims
from coordinator.tasks.claims import PENDING
from resources.leaks import daemon
from resources.state import leases
from resources.system.errors import Failure


def close_down(project: Project, *, act: bool) -> list[str]:
    """Give everything back, or with `act` false only say what would be; in sentences."""
    return _act(project) if act else _would(project)


def _would(project: Project) -> list[str]:
    lines = []
    if serve.running_coordinator(project):
        lines.append("stop the coordinator; its agents' unlanded work is saved under refs/agent-coord/saved/")
    with project.ledger.read() as snapshot:
        held = leases.live(snapshot, "slot")
        waiting = [task for task in claims.all_tasks(snapshot) if task.state in PENDING]
    lines += [f"take {lease.resource} back from {lease.agent} ({lease.issue})" for lease in held]
    lines += [f"take {len(waiting)} issues out of the queue"] if waiting else []
    slots = [*project.pool.slots(), *project.pool.slots("gate")]
    lines += [f"remove {slot.name}" + (f" and its database {slot.database}" if slot.database else "") for slot in slots]
    return lines


def _act(project: Project) -> list[str]:
    lines = []
    if serve.stop_coordinator(project):
        lines.append("the coordinator was stopped")
    with serve.only_coordinator(project):
        lines += recover(project)
        lines += _take_back(project)
        lines += [f"{name} was removed" for name in project.pool.remove_all()]
        if daemon.stop(project.repository):
            lines.append("the daemon was stopped")
        lines += _stop_server(project)
    return lines


def _take_back(project: Project) -> list[str]:
    lines = []
    with project.ledger.read() as snapshot:
        held = [lease.resource for lease in leases.live(snapshot, "slot")]
    for slot in held:
        lines.append(f"{slot} was taken back{release_by_hand(project, slot, keep=False).told}")
    with project.ledger.write() as tx:
        for task in claims.all_tasks(tx):
            if task.state in PENDING:
                claims.move(tx, task, "released", "taken out of the queue by cleanup")
                lines.append(f"{task.issue} was taken out of the queue")
    return lines


def _stop_server(project: Project) -> list[str]:
    databases = project.databases
    if databases is None:
        return []
    with suppress(Failure):
        # Never started, not ours, or in use by another project: then it is not ours to stop.
        if databases.server().owned and not any(found.slot for found in databases.inventory()):
            databases.stop()
            return ["the Postgres server was stopped"]
    return []
