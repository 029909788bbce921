"""Is it too much? A snapshot of usage against the configured limits.

Pure. A reading compares one figure with two thresholds: at `warn` it is logged, at `critical` new spawns
queue. The thresholds for database connections are the smaller of the configured ones and of what the server
can give (80 % and 95 % of its usable connections): a limit above what the server has would never speak.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resources.monitor.values import Usage
    from resources.settings import Limits

GB = 10**9
LEVELS = ("ok", "warn", "critical")
_SERVER_WARN, _SERVER_CRITICAL = 0.80, 0.95


@dataclass(frozen=True)
class Reading:
    """One figure against its two thresholds. `unit` is "count", "bytes" or "ratio"."""

    resource: str
    value: float
    warn: float
    critical: float
    unit: str

    @property
    def level(self) -> str:
        """ "ok", "warn" or "critical"."""
        if self.value >= self.critical:
            return "critical"
        return "warn" if self.value >= self.warn else "ok"

    def to_json(self) -> dict[str, Any]:
        """As in the JSON answers."""
        return {**asdict(self), "level": self.level}

    @classmethod
    def of(cls, record: dict[str, Any]) -> Reading:
        """From a JSON answer."""
        return cls(record["resource"], record["value"], record["warn"], record["critical"], record["unit"])


def judge(usage: Usage, limits: Limits) -> tuple[Reading, ...]:
    """A reading for every figure that is known; what could not be measured has none."""
    return tuple(_readings(usage, limits))


def _readings(usage: Usage, limits: Limits) -> Iterator[Reading]:
    if usage.connections_total is not None:
        warn, critical = float(limits.connections_warn), float(limits.connections_critical)
        if usage.connections_usable:
            warn = min(warn, _SERVER_WARN * usage.connections_usable)
            critical = min(critical, _SERVER_CRITICAL * usage.connections_usable)
        yield Reading("connections", usage.connections_total, warn, critical, "count")
    if usage.disk_used is not None:
        yield Reading("disk", usage.disk_used, limits.disk_warn_gb * GB, limits.disk_critical_gb * GB, "bytes")
    yield Reading("descriptors", usage.descriptors_ratio, limits.descriptors_warn, limits.descriptors_critical, "ratio")
    yield Reading("memory", usage.memory_ratio, limits.memory_warn, limits.memory_critical, "ratio")
    slots = sum(usage.slots.values())
    if slots:
        # One slot in quarantine waits for a person; with every slot there nothing can be lent any more.
        yield Reading("pool", usage.slots.get("quarantine", 0) / slots, 1 / slots, 1.0, "ratio")


def worst(readings: Sequence[Reading]) -> str:
    """The highest level among `readings`; "ok" when there are none."""
    return max((reading.level for reading in readings), key=LEVELS.index, default="ok")
