"""Starts agents' processes, watches them, stops them.

Each agent runs in a process group of its own with its output in a file, so that it survives the
coordinator's death and can be found and stopped by the next one. The supervisor reads what the file
gained since the last look; it never blocks. Two limits apply to every program, because some never end
by themselves (a lost network makes one wait for ever): no output for `idle` seconds, and `timeout`
seconds in all.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.agents.adapter import Activity, Adapter, Assignment, Ending, Launch
from resources.databases.environment import MISLEADING
from resources.system.process import ProcessId, clean_environment, finished, identify, spawn, stop_group

READ_AT_ONCE = 1_000_000
"""Bytes of output looked at per pass; an agent that prints faster is read later, never all at once."""


@dataclass
class Running:
    """An agent at work. Times are monotonic seconds."""

    assignment: Assignment
    adapter: Adapter
    child: subprocess.Popen[bytes]
    process: ProcessId
    log: Path
    started: float
    heard: float
    offset: int = 0
    rest: bytes = b""
    last: Activity = field(default_factory=Activity)


@dataclass(frozen=True)
class Ended:
    """An agent that is gone: how, and a sentence why."""

    ending: Ending
    why: str
    files: tuple[str, ...] = ()
    """Those that its last words name: where it failed, if it did."""


def start(
    adapter: Adapter, assignment: Assignment, launch: Launch, environment: Mapping[str, str], log: Path
) -> Running:
    """Start what the adapter has described for an assignment, in its slot."""
    inherited = {key: value for key, value in clean_environment().items() if key not in MISLEADING}
    values = inherited | dict(environment) | dict(launch.environment)
    offset = log.stat().st_size if log.exists() else 0
    child = spawn(launch.argv, cwd=assignment.slot, env=values, log=log)
    now = time.monotonic()
    return Running(assignment, adapter, child, identify(child.pid), log, now, now, offset)


def look(running: Running, *, idle: float, timeout: float) -> Ended | None:
    """Read new output; None while the agent works, else how it ended. Stops it past `idle` or `timeout` seconds."""
    _read(running)
    code = finished(running.child)
    if code is not None:
        _read(running)
        return Ended(running.adapter.classify(code, running.last), _sentence(running, code), running.last.files)
    now = time.monotonic()
    if now - running.heard > idle:
        stop(running)
        return Ended(Ending.FAILED, f"no output for {idle:g} s; last: {running.last.text or 'nothing'}")
    if now - running.started > timeout:
        stop(running)
        return Ended(Ending.FAILED, f"ran longer than {timeout:g} s; last: {running.last.text or 'nothing'}")
    return None


def stop(running: Running, *, grace: float = 5.0) -> None:
    """End the agent and everything in its process group. Safe to repeat."""
    stop_group(running.process, grace=grace)
    running.child.wait()


def _read(running: Running) -> None:
    try:
        with running.log.open("rb") as stream:
            stream.seek(running.offset)
            new = stream.read(READ_AT_ONCE)
    except OSError:
        return
    if not new:
        return
    running.offset += len(new)
    running.heard = time.monotonic()
    *lines, running.rest = (running.rest + new).split(b"\n")
    running.rest = running.rest[-READ_AT_ONCE:]
    for line in lines:
        activity = running.adapter.parse(line.decode(errors="replace"))
        if activity.text or activity.session or activity.failed:
            running.last = activity


def _sentence(running: Running, code: int) -> str:
    how = f"ended with code {code}" if code >= 0 else f"was ended by signal {-code}"
    return f"{running.adapter.name} {how}" + (f"; last: {running.last.text[:300]}" if running.last.text else "")
