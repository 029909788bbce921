"""A snapshot as Prometheus text, for a textfile collector or a scrape through any static server. Pure.

Base units, no pids and no paths as labels; names and labels follow those of postgres_exporter and
process-exporter where they exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from resources.monitor.limits import LEVELS, Reading

if TYPE_CHECKING:
    from resources.monitor.values import Usage

Labelled = Sequence[tuple[Mapping[str, str], float]]


class _Family(NamedTuple):
    name: str
    kind: str
    told: str
    values: Labelled


def render(
    project: str,
    usage: Usage,
    readings: Sequence[Reading],
    leaks: Mapping[str, int] | None = None,
    reaped: Mapping[tuple[str, str], int] | None = None,
    acquired: Mapping[str, tuple[int, float]] | None = None,
) -> str:
    """The text. `leaks` counts by kind (None: nobody has looked).

    Since the beginning: `reaped` counts by (kind, result), `acquired` counts and seconds by the databases' source.
    """
    families = [
        *_usage(usage),
        _Family(
            "limit_level", "gauge", "0 ok, 1 warn, 2 critical",
            [({"resource": reading.resource}, LEVELS.index(reading.level)) for reading in readings],
        ),
        _Family("leaks", "gauge", "Things of ours that nobody holds", _by("kind", leaks or {})),
        _Family(
            "reaped_total", "counter", "Leaks taken back, or tried",
            [({"kind": kind, "result": result}, count) for (kind, result), count in sorted((reaped or {}).items())],
        ),
    ]  # fmt: skip
    text = "".join(_text(family, project) for family in families if family.values)
    return text + _acquired(acquired or {}, project)


def _usage(usage: Usage) -> list[_Family]:
    limit = [] if usage.connections_usable is None else [({}, usage.connections_usable)]
    used = [] if usage.disk_used is None else [({}, usage.disk_used)]
    return [
        _Family("worktrees", "gauge", "Slots by state", _by("state", usage.slots)),
        _Family("worktree_disk_bytes", "gauge", "Disk that a slot takes", _by("worktree", usage.disk)),
        _Family("disk_used_bytes", "gauge", "Disk that the pool and the cluster take", used),
        _Family("disk_free_bytes", "gauge", "Free space of the file system", [({}, usage.disk_free)]),
        _Family("processes", "gauge", "Processes of ours by state", _by("state", usage.states)),
        _Family("open_fds", "gauge", "Open descriptors of our processes", [({}, usage.descriptors_open)]),
        _Family("fd_limit_ratio_max", "gauge", "Worst share of its descriptor limit", [({}, usage.descriptors_ratio)]),
        _Family("memory_ratio", "gauge", "Share of the machine's memory in use", [({}, usage.memory_ratio)]),
        _Family("db_connections", "gauge", "Client connections by state", _by("state", usage.connection_states)),
        _Family("db_numbackends", "gauge", "Client connections by database", _by("database", usage.connections)),
        _Family("db_size_bytes", "gauge", "Size of our databases by kind", _by("kind", usage.database_sizes)),
        _Family("db_connection_limit", "gauge", "Connections the server has for ordinary roles", limit),
        _Family("check_duration_seconds", "gauge", "Duration of the last look", [({}, usage.seconds)]),
    ]


def _by(label: str, counts: Mapping[str, float]) -> Labelled:
    return [({label: key}, value) for key, value in sorted(counts.items())]


def _acquired(found: Mapping[str, tuple[int, float]], project: str) -> str:
    if not found:
        return ""
    name = "agent_coord_db_acquire_duration_seconds"
    lines = [f"# HELP {name} Time until a slot had its new database", f"# TYPE {name} summary"]
    for source, (count, seconds) in sorted(found.items()):
        lines.append(_line(f"{name}_sum", project, {"source": source}, seconds))
        lines.append(_line(f"{name}_count", project, {"source": source}, count))
    return "\n".join(lines) + "\n"


def _text(family: _Family, project: str) -> str:
    name = f"agent_coord_{family.name}"
    lines = [f"# HELP {name} {family.told}", f"# TYPE {name} {family.kind}"]
    lines += [_line(name, project, labels, value) for labels, value in family.values]
    return "\n".join(lines) + "\n"


def _line(name: str, project: str, labels: Mapping[str, str], value: float) -> str:
    pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in {"project": project, **labels}.items())
    return f"{name}{{{pairs}}} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
