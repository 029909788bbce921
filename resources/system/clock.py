"""Time, and the identity of this boot.

Leases on one host run on the boot-time clock (it counts suspend, is the same for every process and
never jumps); the wall clock is for display alone. A change of the boot id means that every process
of the earlier boot is dead. On systems without CLOCK_BOOTTIME or a boot id file the monotonic clock
and the boot's second stand in.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_seconds() -> float:
    """Seconds since this machine booted, suspend included where the system counts it."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


@cache
def boot_id() -> str:
    """An identifier that changes at every boot."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        import psutil

        return f"booted-{int(psutil.boot_time())}"


@cache
def host_id() -> str:
    """The name of this host, for people and for telling owners on several hosts apart."""
    import socket  # 10 ms that most commands never need

    return socket.gethostname()


def wall() -> float:
    """Seconds since 1970, for display and for comparing with other programs' time stamps."""
    return time.time()


def iso(seconds: float) -> str:
    """A wall-clock time as ISO 8601 UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> float | None:
    """Seconds since 1970 for an ISO 8601 time, None when it is none; a time without a zone counts as UTC."""
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
