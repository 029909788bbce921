"""This boot, this host, and whether a process of them still lives: what leases are judged by.

Only `os` and `time` are imported: the hooks that guard an agent's every write ask these questions and have
25 ms for everything. Where the kernel shows no /proc, psutil answers instead, and costs its import.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False  # typing itself costs 5 ms

if TYPE_CHECKING:
    from typing import Any

_KNOWN: list[str] = []
"""The boot id once it was asked for; `functools.cache` would cost 2 ms."""
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


def boot_seconds() -> float:
    """Seconds since this machine booted, suspend included where the system counts it."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def boot_id() -> str:
    """An identifier that changes at every boot."""
    if not _KNOWN:
        _KNOWN.append(_read(_BOOT_ID).strip() or _booted())
    return _KNOWN[0]


def _booted() -> str:
    return f"booted-{int(_psutil().boot_time())}"


def host_id() -> str:
    """The name of this host, for people and for telling owners on several hosts apart."""
    return os.uname().nodename


def start_of(pid: int) -> str | None:
    """The start time of `pid` as the kernel tells it, None when there is no such process or it is a zombie."""
    stat = _read(f"/proc/{pid}/stat")
    if not stat:
        return None if _read("/proc/self/stat") else _portable_start(pid)
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


def owner_gone(host: str, boot: str, pid: int, start: str) -> bool:
    """Whether the owner so recorded certainly runs no more: another boot of this host, or the process is gone.

    `pid` 0 stands for no process: such an owner lives as long as the boot does.
    """
    if host != host_id():
        return False
    if boot != boot_id():
        return True
    return pid != 0 and not (start and start_of(pid) == start)


def _read(path: str) -> str:
    try:
        with open(path, errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _psutil() -> Any:
    try:
        import psutil
    except ImportError:
        import site

        site.main()  # hooks start without the folder of installed packages
        import psutil
    return psutil


def _portable_start(pid: int) -> str | None:
    psutil = _psutil()
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
