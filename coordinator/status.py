"""What is going on, from the ledger alone: answers when Postgres, Docker and bd are all down.

Usage (connections, disk, processes) comes from the newest sample that the daemon or the coordinator
took; nothing is measured here, which is why this is fast. Only the standard library is imported.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coordinator.crowd import BY_HAND, crowd_of
from coordinator.transcripts.reading import read_line
from resources.monitor.sample import read_sample
from resources.state.leases import Lease, live
from resources.state.sqlite import SqliteLedger
from resources.state.store import Row, Snapshot
from resources.system.clock import iso, wall
from resources.system.files import lock_is_held
from resources.system.repository import Repository, branch_tip

LANDING = {
    "queued": "waits to land",
    "checking": "is being judged",
    "held": "waits for edits in the main checkout",
    "look": "waits for a person",
}
"""What becomes of finished work, by its entry in the landing queue."""
FOLDER = ".agent-worktrees"
"""Where the logs of agents without a slot are, as long as [pool] folder says nothing else."""

TAIL = 32_768
"""Bytes at the end of an agent's log in which the last activity is looked for."""

BOUNCED = "came back, waits for a free seat"


def read_status(repository: Repository) -> dict[str, Any]:
    """The answer of `status --json` (docs/cli.md). Raises Failure("not-initialised")."""
    ledger = SqliteLedger(repository.state)
    try:
        with ledger.read() as snapshot:
            return _status(repository, snapshot)
    finally:
        ledger.close()


def _status(repository: Repository, snapshot: Snapshot) -> dict[str, Any]:
    sample = read_sample(repository) or {}
    tasks = {row["issue"]: row for row in snapshot.all("tasks")}
    leases = {lease.resource: lease for lease in live(snapshot, "slot")}
    branch = _meta(snapshot, "base_branch")
    works = lock_is_held(repository.state / "coordinator.lock")
    queued = sorted(snapshot.all("landing-live"), key=_landing_order)
    landing = {row["issue"]: row["state"] for row in queued}
    rows = snapshot.all("slots")
    berths = [_berth(repository, name) for name in leases.keys() - {row["name"] for row in rows}]
    slots = [
        _slot(row, leases.get(row["name"]), tasks, landing, sample.get("usage", {}), repository)
        for row in [*rows, *sorted(berths, key=lambda row: row["name"])]
        if row["purpose"] == "work"
    ]
    return {
        "schema": 1,
        "repo": str(repository.root),
        "base": {"branch": branch, "sha": branch_tip(repository, branch)},
        "slots": slots,
        "queue": [
            {"issue": row["issue"], "track": row["track"], "why": row["why"]}
            for row in tasks.values()
            if row["state"] in ("waiting", "retry")
        ],
        "merge": [_queued(row) for row in queued],
        "agents": _agents(snapshot, tasks),
        "tasks": _counts(tasks),
        "limits": sample.get("limits", []),
        "sampled_at": sample.get("at"),
        "leaks": sample.get("leaks") or 0,
        "leaks_counted": sample.get("leaks") is not None,
        "coordinator": works,
        "breaker": _breaker(snapshot) if works else None,
        "daemon": _daemon(repository),
    }


def _queued(row: Row) -> dict[str, Any]:
    return {key: row[key] for key in ("issue", "branch", "state", "why")} | {"queued_at": iso(row["queued_at"])}


def _berth(repository: Repository, name: str) -> Row:
    """A lease without a slot is a berth in the checkout that all share (`coordinator.berths`)."""
    return {
        "name": name, "purpose": "work", "path": str(repository.root), "state": "leased", "database": "",
        "port_low": 0, "port_high": 0, "note": "", "logs": str(repository.root / FOLDER / "logs"),
    }  # fmt: skip


def _landing_order(row: Row) -> tuple[bool, int, float]:
    return row["state"] != "checking", row["priority"], row["queued_at"]


def _slot(
    row: Row,
    lease: Lease | None,
    tasks: dict[str, Row],
    landing: dict[str, str],
    usage: dict[str, Any],
    repository: Repository,
) -> dict[str, Any]:
    task = tasks.get(lease.issue) if lease else None
    name = row["name"]
    return {
        "slot": name,
        "path": _relative(row["path"], repository.root),
        "state": "quarantine" if row["state"] == "quarantine" else ("leased" if lease else row["state"]),
        "lease": {"fence": lease.fence, "since": iso(lease.taken_at), "pid": lease.owner.pid} if lease else None,
        "agent": lease.agent if lease else None,
        "issue": lease.issue if lease else None,
        "task": task["state"] if task else None,
        "attempt": task["attempt"] if task else None,
        "track": task["track"] if task else None,
        "branch": task["branch"] if task else None,
        "database": row["database"] or None,
        "ports": [row["port_low"], row["port_high"]] if row["port_low"] else None,
        "disk": usage.get("disk", {}).get(name),
        "connections": usage.get("connections", {}).get(row["database"]),
        "processes": usage.get("processes", {}).get(name, 0),
        "fd_ratio": usage.get("descriptors", {}).get(name),
        **_activity(row, task, landing.get(lease.issue, "") if lease else ""),
    }


def _activity(row: Row, task: Row | None, landing: str) -> dict[str, Any]:
    """What the agent last said, and for how many seconds it has been silent."""
    if task is None or task["state"] in ("judging", "bounced"):
        said = BOUNCED if task and task["state"] == "bounced" else LANDING.get(landing, "has ended")
        return {"activity": said if task else row["note"] or None, "silent": None}
    logs = Path(row["logs"]) if "logs" in row else Path(row["path"]).parent / "logs"
    log = logs / task["issue"].replace("/", "_") / f"{task['attempt']}.log"
    try:
        with log.open("rb") as stream:
            known = os.fstat(stream.fileno())
            stream.seek(max(0, known.st_size - TAIL))
            lines = stream.read().decode(errors="replace").splitlines()
    except OSError:
        return {"activity": "", "silent": None}
    silent = round(max(0.0, wall() - known.st_mtime), 1) if task["state"] == "working" else None
    texts = (read_line(line).text for line in reversed(lines))
    return {"activity": " ".join(next((text for text in texts if text), "").split())[:200], "silent": silent}


def _breaker(snapshot: Snapshot) -> dict[str, Any] | None:
    known = json.loads(_meta(snapshot, "breaker") or "null")
    return {"until": iso(known["until"]), "why": known["why"]} if known else None


def _relative(path: str, root: Path) -> str:
    return os.path.relpath(path, root)


def _agents(snapshot: Snapshot, tasks: dict[str, Row]) -> dict[str, int]:
    """Seats, and who takes them: agents at work; then work that came back and waits for one, and work that lands."""
    states = (row["state"] for row in tasks.values() if row["slot"] and row["program"] != BY_HAND)
    return {"seats": int(_meta(snapshot, "seats") or 0), **asdict(crowd_of(states))}


def _counts(tasks: dict[str, Row]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in tasks.values():
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    return counts


def _meta(snapshot: Snapshot, key: str) -> str:
    row = snapshot.one("meta-get", key=key)
    return str(row["value"]) if row else ""


def _daemon(repository: Repository) -> dict[str, Any] | None:
    lock = repository.state / "daemon.lock"
    if not lock_is_held(lock):
        return None
    try:
        return {"pid": json.loads(lock.read_text())["pid"]}
    except (ValueError, KeyError, TypeError):
        return {"pid": None}
