"""Time, and the identity of this boot.

Leases on one host run on the boot-time clock (it counts suspend, is the same for every process and
never jumps); the wall clock is for display alone. A change of the boot id means that every process
of the earlier boot is dead. On systems without CLOCK_BOOTTIME or a boot id file the monotonic clock
and the boot's second stand in.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from resources.system.boot import boot_id, boot_seconds, host_id

__all__ = ["boot_id", "boot_seconds", "host_id", "iso", "parse_iso", "wall"]


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
