"""Starts agents' processes, watches them, stops them.

Each agent runs in a process group of its own with its output in a file, so that it survives the coordinator's
death and can be found, taken over or stopped by the next one. The supervisor reads what the file gained since the last
look; it never blocks. Two limits apply to every program, because some never end by themselves: no sign of life for
`idle` seconds (a program that only says that it waits for its model gives none), and `timeout` seconds in all. A
program that uses a tool before its guard has answered is stopped at once.

Of what a program prints `keep` bytes stay, half from the beginning and half from the end, and one that prints faster
than it can be listened to is heard at the beginning and the end too: there stand its session and its last word.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.agents.adapter import Adapter, Assignment, Launch
from coordinator.transcripts.activity import Activity, Ending, Usage
from resources.databases.environment import MISLEADING
from resources.system.errors import Failure
from resources.system.logs import cut_middle, free_middle
from resources.system.process import ProcessId, clean_environment, finished, identify, is_alive, spawn, stop_group

READ_AT_ONCE = 65_536
"""Bytes of output taken in per look; records of 50 bytes cost 0.1 s of CPU for each million."""
BEHIND = 1_000_000
"""Bytes that may wait to be taken in, and the longest line; beyond that the middle is passed over."""
KEEP = 20_000_000
"""Bytes of a program's output that are kept unless the configuration says otherwise."""
LEFT_OUT = "(agent-coord left out what was printed here; [agents] log_mb says how much is kept)"
CUT = "(agent-coord left out {bytes} bytes that were printed here; [agents] log_mb says how much is kept)"


@dataclass
class Running:
    """An agent at work. `child` is None when another coordinator started it. Times are monotonic seconds."""

    assignment: Assignment
    adapter: Adapter
    process: ProcessId
    log: Path
    started: float
    heard: float
    child: subprocess.Popen[bytes] | None = None
    mark: Path | None = None
    """Where the guard says that it is there; None when it has, or when there is none."""
    session: str = ""
    begin: int = 0
    """Where its output begins in the log, in bytes."""
    offset: int = 0
    """How far the log was read."""
    freed: int = 0
    """Up to where the log's middle was given back to the disk."""
    keep: int = KEEP
    """Bytes of its output that are kept."""
    rest: bytes = b""
    last: Activity = field(default_factory=Activity)
    said: str = ""
    """The last text, for people."""
    usage: Usage | None = None
    denials: int = 0
    acted: bool = False
    """It has used a tool: its model answers."""
    unguarded: bool = False
    named: bool = False
    """Somebody was told that it is silent."""
    until: float = 0.0


@dataclass(frozen=True)
class Ended:
    """An agent that is gone: how, and a sentence why."""

    ending: Ending
    why: str
    files: tuple[str, ...] = ()
    """Where it failed, as its last words say."""


def start(
    adapter: Adapter,
    assignment: Assignment,
    launch: Launch,
    environment: Mapping[str, str],
    log: Path,
    keep: int = KEEP,
) -> Running:
    """Start what the adapter has described for an assignment, in its slot; `keep` bytes of its output are kept."""
    unwanted = {*MISLEADING, *launch.without}
    inherited = {key: value for key, value in clean_environment().items() if key not in unwanted}
    values = inherited | dict(environment) | dict(launch.environment)
    begin = log.stat().st_size if log.exists() else 0
    child = spawn(launch.argv, cwd=assignment.slot, env=values, log=log)
    now = time.monotonic()
    return Running(
        assignment, adapter, identify(child.pid), log, now, now, child, launch.mark, launch.session, begin, keep=keep
    )  # fmt: skip


def look(running: Running, *, idle: float, timeout: float) -> Ended | None:
    """Read new output; None while the agent works, else how it ended. Stops it past `idle` or `timeout` seconds."""
    _read(running)
    if running.unguarded:
        stop(running)
        return Ended(Ending.UNGUARDED, f"{running.adapter.name} used a tool although its guard had not answered")
    code = _code(running)
    if code is not None:
        _read_to_the_end(running)
        return Ended(running.adapter.classify(code, running.last), _sentence(running, code), _named(running))
    now = time.monotonic()
    if now - running.heard > idle:
        return _overdue(running, f"no sign of life for {idle:g} s")
    if now - running.started > timeout:
        return _overdue(running, f"ran longer than {timeout:g} s")
    return None


def _named(running: Running) -> tuple[str, ...]:
    # An edit that was its last sign of life tells nothing about why it ended.
    return running.last.files if running.last.failed else ()


def stop(running: Running, *, grace: float = 5.0) -> None:
    """End the agent and everything in its process group. Safe to repeat."""
    stop_group(running.process, grace=grace)
    if running.child is not None:
        running.child.wait()
    shorten(running.log, running.begin, running.keep)


def shorten(log: Path, begin: int, keep: int) -> None:
    """Leave `keep` bytes of what a program that is gone has printed into `log` from `begin` on."""
    # A log that stays too long is no reason to lose the attempt.
    with suppress(Failure, OSError):
        cut_middle(log, begin, keep, CUT)


def _overdue(running: Running, why: str) -> Ended:
    stop(running)
    ending = Ending.UNAVAILABLE if running.last.waits else Ending.FAILED
    return Ended(ending, f"{why}; last: {running.said or 'nothing'}")


def _code(running: Running) -> int | None:
    if running.child is not None:
        return finished(running.child)
    # Of another's child only its last word can be known: 0 stands for an exit code that says nothing.
    return None if is_alive(running.process) else 0


def _read_to_the_end(running: Running) -> None:
    # What has left its process group may print for ever: the end is where it is now.
    end = _size(running.log)
    while running.offset < end and _read(running):
        pass
    if running.rest:
        _hear(running, running.adapter.parse(running.rest.decode(errors="replace")))
    shorten(running.log, running.begin, running.keep)


def _read(running: Running) -> bool:
    """Take in what the log gained; False when that was nothing."""
    passed_over = running.begin < running.offset < _size(running.log) - BEHIND
    if passed_over:
        running.offset, running.rest = _size(running.log) - BEHIND, b""
    running.offset = max(running.offset, running.begin)
    try:
        with running.log.open("rb") as stream:
            stream.seek(running.offset)
            new = stream.read(READ_AT_ONCE)
    except OSError:
        return False
    running.offset += len(new)
    # Zeros are what a hole reads as, and no words in any other place.
    *lines, running.rest = (running.rest + new.replace(b"\0", b"")).split(b"\n")
    running.rest = running.rest[-BEHIND:]
    if new and not lines:
        running.heard = time.monotonic()
    for line in lines[passed_over:]:
        _hear(running, running.adapter.parse(line.decode(errors="replace")))
    _free(running)
    return bool(new)


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _free(running: Running) -> None:
    """Give back the middle of what was read, once it is worth the trouble."""
    begin, end = running.begin + running.keep // 2, running.offset - running.keep // 2
    if end - max(begin, running.freed) > running.keep // 4 and free_middle(running.log, begin, end, f"\n{LEFT_OUT}"):
        running.freed = end


def _hear(running: Running, activity: Activity) -> None:
    if not activity.waits:
        running.heard = time.monotonic()
    if running.mark is not None and running.mark.exists():
        running.mark = None
    running.acted = running.acted or activity.acts
    running.unguarded = running.unguarded or (activity.acts and running.mark is not None)
    if activity.text:
        running.said = activity.text
    running.session = activity.session or running.session
    running.usage = activity.usage or running.usage
    running.until = activity.until or running.until
    running.denials += bool(activity.denial)
    # What comes after the last word (a warning on standard error) is not a later word.
    if activity.final or (not running.last.final and (activity.text or activity.acts or activity.failed)):
        running.last = activity


def _sentence(running: Running, code: int) -> str:
    how = f"ended with code {code}" if code >= 0 else f"was ended by signal {-code}"
    said = (running.last.text or running.said)[:300]
    return f"{running.adapter.name} {how}" + (f"; last: {said}" if said else "")
