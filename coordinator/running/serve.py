"""Drives the loop until nothing is left to do: in the foreground for `run`, in the background for `spawn`.

One lock per repository makes the driver the only one. The first interrupt drains (nothing new starts,
what is under way is finished), the second stops at once; a termination request stops at once. Both give
everything back. Between ticks the driver sleeps; every few seconds it also takes the usage sample that
`status` and the limits read, unless the daemon does.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from coordinator.bootstrap import Project
from coordinator.merging.radar import Lookout, look
from coordinator.running.adoption import adopt
from coordinator.running.loop import Loop
from coordinator.running.mirroring import mirroring
from coordinator.running.pool_size import PoolSize
from coordinator.running.publishing import News
from coordinator.running.recovery import recover
from coordinator.running.rounds import Round
from coordinator.running.starting import WishFor
from coordinator.running.stocking import stocking
from coordinator.tracing import Traces
from resources.leaks.daemon_lock import lock_file as daemon_lock
from resources.monitor.limits import judge
from resources.monitor.sample import as_json, read_sample, write_sample
from resources.monitor.usage import take_usage
from resources.monitor.watched import watch
from resources.state.store import Snapshot
from resources.system.errors import Failure, NotNow
from resources.system.files import file_lock, lock_is_held
from resources.system.process import ProcessId, clean_environment, identify, is_alive, spawn

TICK = 0.1
"""Seconds between ticks: the delay that a person notices before an ended agent's work goes on."""

SAMPLE_EVERY = 5.0
"""Seconds between usage samples; one costs 20 ms of CPU with ten slots."""

RADAR_EVERY = 60.0
"""Seconds between looks at what will not merge; one costs up to 2 s of CPU with 32 slots of 12,000 files."""

START_WAIT = 20.0
"""Seconds that a background coordinator may need until it holds its lock (half a second is usual)."""

SEATS, CALLS = "seats", "calls"


@dataclass(frozen=True)
class Served:
    """How many issues landed, and whether the loop ended by itself (it was neither interrupted nor out of time)."""

    landed: int
    done: bool


def lock_file(project: Project) -> Path:
    """The lock that the only coordinator of a repository holds."""
    return project.repository.state / "coordinator.lock"


@contextmanager
def only_coordinator(project: Project) -> Generator[None]:
    """Be the coordinator of this repository. Raises NotNow("coordinator-running") when there is one."""
    me = identify()
    try:
        with file_lock(lock_file(project), what="this repository", wait=0, note=f"{me.pid} {me.start}"):
            yield
    except NotNow as refusal:
        if refusal.reference != "locked":
            raise
        raise NotNow(
            "coordinator-running", "another coordinator works on this repository", why=refusal.what,
            mend="agent-coord status; what you spawn is queued for it",
        ) from refusal  # fmt: skip


def set_seats(project: Project, seats: int) -> None:
    """How many agents may work at once; a running coordinator obeys at its next tick."""
    with project.ledger.write() as tx:
        tx.change("meta-put", key=SEATS, value=str(seats))


def get_seats(project: Project) -> int:
    """How many agents may work at once, 0 when nobody has said."""
    with project.ledger.read() as snapshot:
        row = snapshot.one("meta-get", key=SEATS)
    return int(row["value"]) if row else 0


def serve(
    project: Project, wish_for: WishFor, *, deadline: float | None = None, most: int | None = None, ahead: bool = True
) -> Served:
    """Tick until nothing is under way and nothing more can start, or until `deadline` (monotonic seconds).

    The caller is the only coordinator. `most` is how many issues are begun at the most; without `ahead` none while
    another waits to land.
    """
    adopted = adopt(project)
    for line in recover(project):
        project.say(line)
    loop = Loop(project, seats=get_seats(project), wish_for=wish_for, most=most, ahead=ahead)
    loop.take_over(adopted)
    with _signals(loop) as stopping, ExitStack() as open_rounds:
        rounds = [made for made in (stocking(project), mirroring(project)) if made is not None]
        for made in rounds:
            open_rounds.enter_context(closing(made))
        try:
            done = _drive(project, loop, rounds, stopping, deadline)
        finally:
            loop.stop("the coordinator was stopped")
    return Served(loop.landed, done)


def _drive(
    project: Project, loop: Loop, rounds: Sequence[Round], stopping: Callable[[], bool], deadline: float | None
) -> bool:
    sampled, news, traces, looked = 0.0, News(project), Traces(project), time.monotonic()
    size, lookout = PoolSize(project), Lookout()
    while not stopping():
        loop.seats = get_seats(project)
        for beside in rounds:
            beside.tick()
        goes_on = loop.tick()
        news.publish(now=not goes_on)
        traces.export(now=not goes_on)
        if not goes_on:
            return not loop.draining
        if deadline is not None and time.monotonic() > deadline:
            project.say("time is up: stopping the agents and giving everything back")
            return False
        if time.monotonic() - sampled > SAMPLE_EVERY and not lock_is_held(daemon_lock(project.repository)):
            sampled = time.monotonic()
            # A sample is a courtesy: whatever it meets (Postgres down, a full disk) must not stop the agents.
            with suppress(Failure, OSError):
                _take_sample(project)
        if loop.at_work and not project.config.shared and time.monotonic() - looked > RADAR_EVERY:
            looked = time.monotonic()
            with suppress(Failure, OSError):
                for collision in look(project, lookout).new:
                    project.say(f"radar: {collision.sentence}")
        size.follow(loop.seats)
        time.sleep(TICK)
    return False


def _take_sample(project: Project) -> None:
    known = read_sample(project.repository) or {}
    with watch(project.repository) as watched:
        usage = take_usage(watched)
        readings = judge(usage, watched.settings.limits)
    # Looking for leaks is the daemon's; its last count stands until it looks again.
    write_sample(project.repository, as_json(usage, readings, known.get("leaks")))


@contextmanager
def _signals(loop: Loop) -> Generator[Callable[[], bool]]:
    asked = {"interrupts": 0, "stop": False}

    def interrupted(number: int, _frame: object) -> None:
        asked["interrupts"] += 1
        if asked["interrupts"] == 1 and number == signal.SIGINT:
            loop.drain()
            sys.stderr.write("draining: no new work starts; interrupt again to stop now\n")
        else:
            asked["stop"] = True

    before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked["stop"])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def calls(project: Project) -> int:
    """How often a coordinator was called for. One that ends looks once more when it was called meanwhile.

    Whoever calls writes first and looks for the lock then; who ends gives the lock back first and reads then. So one of
    the two sees the other, and nothing that was queued at the last moment is left lying.
    """
    with project.ledger.read() as snapshot:
        return _number(snapshot, CALLS)


def _number(snapshot: Snapshot, key: str) -> int:
    row = snapshot.one("meta-get", key=key)
    return int(row["value"]) if row else 0


def ensure_running(project: Project) -> bool:
    """Start the background coordinator unless one runs; True when it was started."""
    with project.ledger.write() as tx:
        tx.change("meta-put", key=CALLS, value=str(_number(tx, CALLS) + 1))
    if lock_is_held(lock_file(project)):
        return False
    argv = [sys.executable, "-I", "-m", "agent_coord", "--repo", str(project.repository.root)]
    argv += ["--config", str(project.config.file)] if project.config.file.exists() else []
    # Started from inside a slot it would look like that slot's process, and be stopped with it.
    environment = {key: value for key, value in clean_environment().items() if not key.startswith("AGENT_COORD_")}
    child = spawn([*argv, "serve"], cwd=project.repository.root, env=environment, log=project.logs / "coordinator.log")
    # Whoever looks right after this must not find the repository idle.
    deadline = time.monotonic() + START_WAIT
    while child.poll() is None and not lock_is_held(lock_file(project)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return True


def running_coordinator(project: Project) -> ProcessId | None:
    """The process that holds the coordinator's lock, None when there is none."""
    if not lock_is_held(lock_file(project)):
        return None
    with suppress(OSError, ValueError):
        pid, start = lock_file(project).read_text().split()
        process = ProcessId(int(pid), start)
        return process if is_alive(process) else None
    return None


def stop_coordinator(project: Project, *, wait: float = 60.0) -> bool:
    """Ask the running coordinator to give everything back and end; True when one was stopped.

    Raises NotNow("coordinator-busy") when it has not ended after `wait` seconds.
    """
    process = running_coordinator(project)
    if process is None or process.pid == os.getpid():
        return False
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + wait
    while is_alive(process):
        if time.monotonic() > deadline:
            raise NotNow(
                "coordinator-busy",
                f"the coordinator (pid {process.pid}) has not stopped yet",
                mend="repeat the command",
            )
        time.sleep(0.05)
    return True
