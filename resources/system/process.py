"""The one gate to other programs.

`run` waits for a program, `run_bounded` for one whose output may have no end; `spawn` starts one that outlives the
call. All take a list of arguments
(never a shell string), close standard input, give the program a process group of its own, scrub the
`GIT_*` variables that a hook would leak into another repository, and speak one error. A time limit
kills the whole group, so a program's children do not go on writing after their parent was given up.

A process is known by (pid, start): pids are reused within a day. `start` is the kernel's own start
time where /proc shows it, so that a change of the wall clock cannot make a live process look dead.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from resources.system.boot import start_of
from resources.system.errors import Failure
from resources.system.output import Output

__all__ = [
    "Completed", "ProcessId", "attend", "clean_environment", "end", "failed", "finished", "identify", "is_alive",
    "kill_group", "run", "run_bounded", "spawn", "start_of", "stop_group",
]  # fmt: skip

GRACE = 10.0
"""Seconds between TERM and KILL; the default of supervisord and Ryuk."""

CANCEL_LOOK = 0.1
"""Seconds between two looks at whether a run was cancelled."""

KEPT = 200_000
"""Bytes that are kept of a stream that may have no end: a long test report, and no burden in memory or ledger."""

LINGER = 2.0
"""Seconds in which the streams of a killed group must end; a program that has left the group may hold them open."""

COMPLAINT = 4_000
"""Characters of a program's last lines that are passed on: lines have no bound of their own."""


@dataclass(frozen=True)
class Completed:
    """What a program that ended left: exit code, output as bytes, duration in seconds."""

    argv: tuple[str, ...]
    code: int
    out: bytes
    err: bytes
    seconds: float
    timed_out: bool = False
    left_out: int = 0
    """Bytes that it printed and that are not kept (`run_bounded`)."""

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are no UTF-8 are replaced."""
        return self.out.decode(errors="replace")

    @property
    def complaint(self) -> str:
        """The last lines of what it said, standard error first: for a message."""
        said = (self.err.strip() or self.out.strip()).decode(errors="replace")
        return "\n".join(said.splitlines()[-8:])[-COMPLAINT:]


@dataclass(frozen=True)
class ProcessId:
    """A process that cannot be mistaken for a later one with the same pid."""

    pid: int
    start: str


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without the variables that point git at another repository, plus `extra`."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment.update(extra or {})
    return environment


def run(
    argv: Sequence[str],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 120.0,
    stdin: bytes = b"",
    check: bool = True,
) -> Completed:
    """Run a program to its end and return what it left.

    `env` replaces the environment (default: `clean_environment()`); `timeout` is in seconds, and past it the
    whole process group is killed and `timed_out` set. With `check` a non-zero exit raises
    Failure("command-failed"); a program that is not there raises Failure("program-missing") always.
    """
    started, timed_out = time.monotonic(), False
    process = _start(argv, cwd, env, stdin=subprocess.PIPE)
    try:
        out, err = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
        kill_group(process.pid)
        out, err = process.communicate()
    except BaseException:
        kill_group(process.pid)
        process.wait()
        raise
    done = Completed(tuple(argv), process.returncode, out, err, time.monotonic() - started, timed_out)
    if check and (done.code != 0 or done.timed_out):
        raise failed(done, timeout)
    return done


def _never() -> bool:
    return False


def run_bounded(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float, cancelled: Callable[[], bool] = _never
) -> Completed:
    """As `run` without `check`, for programs that others write and that may print without end.

    Of each stream KEPT bytes are kept. `cancelled` is asked several times a second, and the group killed when it says
    so. What has left the group by then and still holds a stream open is not waited for.
    """
    started, timed_out, kept = time.monotonic(), False, (Output(KEPT), Output(KEPT))
    process = _start(argv, cwd, env, stdin=subprocess.DEVNULL)
    readers = [
        threading.Thread(target=output.read, args=(stream,), daemon=True)
        for output, stream in zip(kept, (process.stdout, process.stderr), strict=True)
    ]
    try:
        for reader in readers:
            reader.start()
        while not _has_ended(process, readers, CANCEL_LOOK) and not timed_out and not cancelled():
            timed_out = time.monotonic() - started > timeout
    finally:
        if process.returncode is None:
            kill_group(process.pid)
            _has_ended(process, readers, LINGER)
            process.wait()
    out, err = kept
    seconds, left_out = time.monotonic() - started, out.left_out + err.left_out
    return Completed(tuple(argv), process.returncode, out.kept, err.kept, seconds, timed_out, left_out)


def _has_ended(process: subprocess.Popen[bytes], readers: Iterable[threading.Thread], wait: float) -> bool:
    """Whether all that the program printed is read and it is over; looks for `wait` seconds at each of the three.

    It is reaped last: until then the kernel cannot give its group's number to anybody else.
    """
    for reader in readers:
        reader.join(wait)
        if reader.is_alive():
            return False
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(wait)
    return process.returncode is not None


def _start(
    argv: Sequence[str], cwd: Path | str | None, env: Mapping[str, str] | None, *, stdin: int
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv), cwd=cwd, env=dict(env) if env is not None else clean_environment(),
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise _not_started(argv, cwd, error) from error


def _not_started(argv: Sequence[str], cwd: Path | str | None, error: OSError) -> Failure:
    if cwd is not None and not Path(cwd).is_dir():
        return Failure("folder-missing", f"{cwd} does not exist", why=f"needed to run {argv[0]}")
    return Failure(
        "program-missing",
        f"{argv[0]} is not installed",
        why=str(error),
        mend=f"install {argv[0]} or put it on PATH",
    )


def failed(done: Completed, timeout: float) -> Failure:
    """The Failure that tells of a program's non-zero exit or time-out."""
    how = f"ran longer than {timeout:g} s" if done.timed_out else f"ended with code {done.code}"
    return Failure("command-failed", f"{' '.join(done.argv[:4])} {how}", why=done.complaint)


def spawn(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a program that lives on by itself: own session, standard input closed, all output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        try:
            return subprocess.Popen(
                list(argv), cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise _not_started(argv, cwd, error) from error


def leave_running(argv: Sequence[str], *, cwd: Path, keep: Sequence[int] = ()) -> None:
    """Start a program that nobody waits for: its own session, no output, adopted by the system, in low priority.

    `keep` are descriptors that it inherits (a lock, say). Our marks are taken from its environment.
    """
    env = {key: value for key, value in clean_environment().items() if not key.startswith("AGENT_COORD_")}
    shell = ["sh", "-c", 'nice "$@" </dev/null >/dev/null 2>&1 &', "sh", *argv]
    subprocess.run(shell, cwd=cwd, env=env, pass_fds=tuple(keep), start_new_session=True, check=True)


def attend(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], out: IO[str], keep: Sequence[int] = ()) -> int:
    """Run a program in the foreground, its output going to `out` (a real file) as it comes; returns its exit code.

    `keep` are descriptors that it inherits (a lock, say).

    It stays in our process group, so that Ctrl-C at the terminal reaches it too; when we are interrupted by other
    means it is interrupted as well, and killed when that does not end it.
    """
    try:
        process = subprocess.Popen(
            list(argv), cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, pass_fds=tuple(keep)
        )
    except (FileNotFoundError, PermissionError) as error:
        raise _not_started(argv, cwd, error) from error
    try:
        return process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        process.kill()
        process.wait()
        raise


def kill_group(pid: int, sig: int = signal.SIGKILL) -> None:
    """Send `sig` to the process group led by `pid`; a group that is gone is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, sig)


def identify(pid: int | None = None) -> ProcessId:
    """The identity of `pid` (default: this process); start is "" when it is already gone."""
    number = os.getpid() if pid is None else pid
    return ProcessId(number, start_of(number) or "")


def is_alive(process: ProcessId) -> bool:
    """Whether exactly this process still runs (a zombie does not)."""
    return bool(process.start) and start_of(process.pid) == process.start


def finished(child: subprocess.Popen[bytes]) -> int | None:
    """The exit code of a spawned program, None while it runs. What it left in its process group is killed.

    The group is ended before the leader is reaped: until then the kernel cannot give its number to anybody else.
    """
    if hasattr(os, "waitid"):
        with contextlib.suppress(ChildProcessError):
            if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return None
            kill_group(child.pid)
    return child.poll()


def end(processes: Iterable[ProcessId], *, wait: float = GRACE) -> None:
    """Kill single processes, and wait until they are gone. Those that are gone already are no error."""
    left = [process for process in processes if is_alive(process)]
    for process in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + wait
    while any(map(is_alive, left)) and time.monotonic() < deadline:
        time.sleep(0.01)


def stop_group(process: ProcessId, *, grace: float = GRACE) -> None:
    """End the process group that `process` leads: TERM, then KILL after `grace` seconds. Safe to repeat."""
    if not is_alive(process):
        return
    kill_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    kill_group(process.pid)
