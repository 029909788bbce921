"""The daemon: looks at everything in turn, tells of limits, takes leaks back.

`tick` is one pass and the whole of its work; the loop around it only waits. A tick writes the sample file and
the metrics file, logs each change of a limit's level, and once in `SWEEP_SECONDS` sweeps the leaks. Whatever
fails in a tick is logged and the loop goes on: the daemon must outlive Postgres, a slot that vanished and a full
disk. It ends when it is told to, when its repository is gone, or when its lock file was taken from under it.

One per repository, by flock. It is started detached, in a session of its own, without the variables that a slot
gives to its processes: else it would look like a leak of the agent that happened to start it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from resources.databases.provider import DSN_VARIABLE
from resources.leaks.daemon_lock import daemon_process, lock_file, note
from resources.leaks.sweep import sweep
from resources.monitor import metrics
from resources.monitor.counted import acquired, reaped
from resources.monitor.limits import Reading, judge
from resources.monitor.sample import as_json, read_sample, write_sample
from resources.monitor.usage import take_usage
from resources.monitor.watched import Watched, watch
from resources.settings import Limits
from resources.system.clock import iso, wall
from resources.system.errors import Failure, NotNow
from resources.system.files import file_lock, lock_is_held, replace_file
from resources.system.process import GRACE, ProcessId, clean_environment, identify, is_alive, spawn
from resources.system.repository import Repository

SWEEP_SECONDS = 60.0
_START_SECONDS = 20.0
_LOG_LIMIT = 1_000_000

Answer = TypeVar("Answer")


class Daemon:
    """The loop of one repository. `file` is the configuration to read in place of the repository's own."""

    def __init__(self, repository: Repository, file: Path | None = None) -> None:
        self._repository = repository
        self._file = file
        self._levels = {
            record["resource"]: record["level"] for record in (read_sample(repository) or {}).get("limits", ())
        }
        self._swept = float("-inf")
        self._leaks: Counter[str] | None = None
        self._pause = Limits().tick_seconds
        self._faults: dict[str, str] = {}

    def tick(self) -> dict[str, Any] | None:
        """One pass; returns the sample that it wrote, None when not even that was possible. Never raises Exception."""
        return self._tried("the tick", self._tick)

    def _tick(self) -> dict[str, Any]:
        with watch(self._repository, self._file) as watched:
            self._pause = watched.settings.limits.tick_seconds
            if time.monotonic() - self._swept >= SWEEP_SECONDS:
                self._swept = time.monotonic()
                self._tried("the leaks", lambda: self._sweep(watched))
            databases = watched.databases
            if databases is not None:
                self._tried("the spare databases", databases.tend)
            usage = take_usage(watched)
            readings = judge(usage, watched.settings.limits)
            sample = as_json(usage, readings, None if self._leaks is None else self._leaks.total())
            self._tried("the sample", lambda: write_sample(self._repository, sample))
            text = metrics.render(watched.project, usage, readings, self._leaks, reaped(watched), acquired(watched))
            self._tried("the metrics", lambda: replace_file(metrics_file(self._repository), text))
            self._tried("the levels", lambda: self._announce(watched, readings))
        return sample

    def _sweep(self, watched: Watched) -> None:
        report = sweep(watched, act=True)
        if not report.complete:
            _say(f"the leaks were not judged: {report.why}")
            return
        self._leaks = Counter(leak.kind for leak in report.left)
        for leak, outcome in report.done:
            _say(f"{leak.kind} {leak.name}: {outcome.result} {outcome.note}".rstrip())

    def _announce(self, watched: Watched, readings: tuple[Reading, ...]) -> None:
        changed = [reading for reading in readings if self._levels.get(reading.resource, "ok") != reading.level]
        if not changed:
            return
        with watched.ledger.write() as tx:
            for reading in changed:
                tx.event(f"limit.{reading.level}", resource=reading.resource, value=reading.value)
        for reading in changed:
            _say(f"{reading.resource} is {reading.level}: {reading.value:g}")
            self._levels[reading.resource] = reading.level

    def _tried(self, what: str, act: Callable[[], Answer]) -> Answer | None:
        answer, fault = None, ""
        try:
            answer = act()
        except Failure as failure:
            fault = f"{failure.what}. {failure.why}".rstrip(". ")
        except Exception as error:  # noqa: BLE001 -- the daemon must outlive whatever it watches, our bugs included
            fault = f"{type(error).__name__}: {error}"
        # A fault that lasts is told once, not at every tick.
        if fault != self._faults.get(what, ""):
            _say(f"{what}: {fault or 'works again'}")
        self._faults[what] = fault
        return answer

    def run(self) -> None:
        """Tick until told to end. Raises NotNow("daemon-runs") when this repository has a daemon already."""
        lock = lock_file(self._repository)
        try:
            with file_lock(lock, what="the daemon", wait=1.0, note=note(identify())):
                self._loop(lock)
        except NotNow as refusal:
            raise _refused(self._repository) from refusal

    def _loop(self, lock: Path) -> None:
        mine = lock.stat().st_ino
        ending, bell = os.pipe()
        former = {
            sign: signal.signal(sign, lambda *_: os.write(bell, b"x")) for sign in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            _say(f"watching {self._repository.root}")
            while lock.exists() and lock.stat().st_ino == mine:
                self.tick()
                if select.select([ending], [], [], self._pause)[0]:
                    break
            _say("ended")
        finally:
            for sign, handler in former.items():
                signal.signal(sign, handler)
            os.close(ending)
            os.close(bell)


def start(repository: Repository, file: Path | None = None) -> ProcessId:
    """Start the daemon detached and return when it has its lock.

    Raises NotNow("daemon-runs") when one runs, Failure("daemon-not-started") with the end of its log.
    """
    if lock_is_held(lock_file(repository)):
        raise _refused(repository)
    log = _log(repository)
    before = log.stat().st_size if log.exists() else 0
    launcher = Path(__file__).parents[2] / "agent_coord.py"
    argv = [sys.executable, str(launcher), "resource-monitor", "run", "--repo", str(repository.root)]
    argv += ["--config", str(file.absolute())] if file else []
    environment = {key: value for key, value in clean_environment().items() if _outlives_a_slot(key)}
    child = spawn(argv, cwd=repository.state, env=environment, log=log)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        found = daemon_process(repository)
        if found is not None and found.pid == child.pid:
            child.returncode = 0  # it is not ours to wait for any more
            return found
        time.sleep(0.02)
    said = log.read_bytes()[before:].decode(errors="replace").strip()[-2000:]
    raise Failure("daemon-not-started", "the daemon did not start", why=said, mend=f"read {log}")


def stop(repository: Repository, *, grace: float = GRACE) -> bool:
    """End the daemon: TERM, and KILL after `grace` seconds; False when none runs."""
    found = daemon_process(repository)
    if found is None:
        return False
    for sign in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + grace
        if is_alive(found):
            os.kill(found.pid, sign)
        while is_alive(found) and time.monotonic() < deadline:
            time.sleep(0.01)
    return True


def metrics_file(repository: Repository) -> Path:
    """Where the Prometheus text is."""
    return repository.state / "metrics.prom"


def systemd_unit(repository: Repository) -> str:
    """A systemd user unit that keeps the daemon running."""
    launcher = Path(__file__).parents[2] / "agent_coord.py"
    words = [sys.executable, str(launcher), "resource-monitor", "run", "--repo", str(repository.root)]
    command = " ".join(_quoted(word) for word in words)
    return (
        "[Unit]\n"
        f"Description=agent-coord resource monitor of {repository.root.name.replace('%', '%%')}\n\n"
        "[Service]\n"
        f"ExecStart={command}\n"
        "Restart=on-failure\n"
        "RestartSec=10\n"
        "KillMode=process\n\n"
        "[Install]\n"
        "WantedBy=default.target\n"
    )


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'


def _outlives_a_slot(variable: str) -> bool:
    return variable == DSN_VARIABLE or not variable.startswith("AGENT_COORD_")


def _refused(repository: Repository) -> NotNow:
    found = daemon_process(repository)
    who = f" (process {found.pid})" if found else ""
    return NotNow("daemon-runs", f"this repository's daemon runs already{who}", mend="resource-monitor stop")


def _log(repository: Repository) -> Path:
    path = repository.state / "daemon.log"
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path


def _say(text: str) -> None:
    # The log is on the disk that may be full: what cannot be told must not end the daemon.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{iso(wall())} {text}\n")
        sys.stderr.flush()
