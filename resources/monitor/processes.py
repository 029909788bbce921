"""Which processes are ours, found in one pass over all.

Everything that is started for a lease carries `AGENT_COORD_LEASE=<project>:<fence>` in its environment. The
mark survives what process groups and sessions do not: a child that forked twice and called setsid is still
found by it. A program that overwrites its environment is found through its parent, so the pass walks down
from the marked ones.

One `process_iter` with a map of parents costs 24 ms for 260 processes; asking each root for its children
costs 4.8 s at 100 roots. Processes of other users cannot be read and are never ours.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.system.process import ProcessId, end, start_of

MARK = "AGENT_COORD_LEASE"
ROUNDS = 5
"""Looks for what is left of a lease: what is killed may have started more meanwhile."""
_PROC = Path("/proc")


@dataclass(frozen=True)
class Seen:
    """A process of ours. `fence` is the lease it was started under; `began` is wall-clock seconds.

    `start` tells it from a later process with its pid; it is "" for a zombie.
    """

    pid: int
    parent: int
    name: str
    state: str
    began: float
    fence: int
    start: str

    @property
    def id(self) -> ProcessId:
        """Its identity."""
        return ProcessId(self.pid, self.start)


def mark(project: str, fence: int) -> dict[str, str]:
    """The variable that a program started under the lease `fence` must have in its environment."""
    return {MARK: f"{project}:{fence}"}


def see_processes(project: str, *, apart: Iterable[int] = ()) -> tuple[Seen, ...]:
    """Every process that bears the mark of `project` or descends from one that does, by pid.

    The pids in `apart`, and this process with its ancestors, are left out, however they were started; so is
    what descends from `apart` without a mark of its own.
    """
    everything = {found["pid"]: found for found in _everything()}
    left_out = set(apart) | set(_lineage(os.getpid(), everything))
    marked: dict[int, int] = {}
    for pid in everything.keys() - left_out:
        fence = _fence_of(pid, project)
        if fence is not None:
            marked[pid] = fence
    fences = _inherited(marked, everything, left_out)
    return tuple(_seen(everything[pid], fences[pid]) for pid in sorted(fences))


def end_marked(project: str, fence: int) -> None:
    """Kill every process that was started under a lease, and wait until they are gone."""
    for _ in range(ROUNDS):
        left = [seen.id for seen in see_processes(project) if seen.fence == fence and seen.start]
        if not left:
            return
        end(left)


def _everything() -> Iterator[dict[str, Any]]:
    import psutil

    for process in psutil.process_iter(["pid", "ppid", "name", "status", "create_time"]):
        yield process.info


def _lineage(pid: int, everything: dict[int, dict[str, Any]]) -> Iterator[int]:
    while pid in everything:
        yield pid
        pid = everything[pid]["ppid"] or -1


def _fence_of(pid: int, project: str) -> int | None:
    wanted = f"{MARK}={project}:".encode()
    for entry in _environment(pid).split(b"\0"):
        if entry.startswith(wanted) and entry[len(wanted) :].isdigit():
            return int(entry[len(wanted) :])
    return None


def _environment(pid: int) -> bytes:
    try:
        if _PROC.joinpath("self/environ").exists():
            return (_PROC / str(pid) / "environ").read_bytes()
        return _portable_environment(pid)
    except OSError:
        return b""


def _portable_environment(pid: int) -> bytes:
    import psutil

    try:
        found = psutil.Process(pid).environ()
    except psutil.Error:
        return b""
    return f"{MARK}={found[MARK]}".encode() if MARK in found else b""


def _inherited(marked: dict[int, int], everything: dict[int, dict[str, Any]], left_out: set[int]) -> dict[int, int]:
    children: dict[int, list[int]] = defaultdict(list)
    for pid, found in everything.items():
        children[found["ppid"]].append(pid)
    fences, waiting = dict(marked), list(marked)
    while waiting:
        parent = waiting.pop()
        for child in children[parent]:
            if child not in fences and child not in left_out:
                fences[child] = fences[parent]
                waiting.append(child)
    return fences


def _seen(found: dict[str, Any], fence: int) -> Seen:
    return Seen(
        found["pid"], found["ppid"], found["name"] or "?", found["status"] or "?", found["create_time"] or 0.0,
        fence, start_of(found["pid"]) or "",
    )  # fmt: skip
