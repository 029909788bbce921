"""The answers of `resource-monitor`, as text for people and as JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from resources.system.clock import iso

if TYPE_CHECKING:
    from resources.leaks.detect import Leak
    from resources.leaks.sweep import Report
    from resources.monitor.limits import Reading
    from resources.monitor.values import Usage

_COLOURS = {"ok": "\033[32m", "warn": "\033[33m", "critical": "\033[31m"}


def colours(wanted: bool) -> bool:
    """Whether to colour: wanted, a terminal, and NO_COLOR unset."""
    return wanted and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def readings(found: Sequence[Reading], *, colour: bool = False) -> str:
    """A line for each figure with its thresholds."""
    rows: list[Sequence[str]] = [("resource", "now", "warn", "critical", "level")]
    rows += [
        (each.resource, *(amount(value, each.unit) for value in (each.value, each.warn, each.critical)), each.level)
        for each in found
    ]
    return "\n".join(_painted(line, colour) for line in table(rows, (1, 2, 3)).splitlines())


def _painted(line: str, colour: bool) -> str:
    body, _, level = line.rpartition(" ")
    return f"{body} {_COLOURS[level]}{level}\033[0m" if colour and level in _COLOURS else line


def status(usage: Usage, found: Sequence[Reading], record: dict[str, Any], *, colour: bool = False) -> str:
    """The figures, the slots, the daemon and the leaks."""
    daemon, leaks = record["daemon"], record["leaks"]
    states = ", ".join(f"{count} {state}" for state, count in sorted(usage.slots.items()))
    runs = f"runs (process {daemon['pid']})" if daemon else "does not run; to start it: resource-monitor start"
    looked = "nobody has looked; to look now: resource-monitor detect-leaks" if leaks is None else str(leaks)
    facts = [
        ("slots", states or "none yet; to make some: agent-coord init"),
        ("daemon", runs),
        ("leaks", looked),
        ("free disk", amount(usage.disk_free, "bytes")),
    ]
    parts = [readings(found, colour=colour), "", table(facts)]
    names = sorted({*usage.disk, *usage.processes})
    if names:
        rows = [("folder", "disk", "processes", "descriptors")]
        rows += [
            (
                name, amount(usage.disk.get(name, 0), "bytes"), _few(usage.processes.get(name, 0), "count"),
                _few(usage.descriptors.get(name, 0.0), "ratio"),
            )
            for name in names
        ]  # fmt: skip
        parts += ["", table(rows, (1, 2, 3))]
    return "\n".join(parts)


def _few(value: float, unit: str) -> str:
    return amount(value, unit) if value else "-"


def report_json(found: Report, *, act: bool) -> dict[str, Any]:
    """The answer of `detect-leaks`; when `act`, each leak also has what became of it."""
    done = {leak.key: outcome for leak, outcome in found.done}
    answer: dict[str, Any] = {"schema": 1, "complete": found.complete, "leaks": []}
    if not found.complete:
        answer["why"] = found.why
    for leak in found.leaks:
        record = leak_json(leak)
        if act:
            outcome = done.get(leak.key)
            record["result"] = outcome.result if outcome else "waits"
            record["note"] = outcome.note if outcome else ""
        answer["leaks"].append(record)
    return answer


def leak_json(leak: Leak) -> dict[str, Any]:
    """One leak as the contract has it."""
    return {
        "kind": leak.kind,
        "name": leak.name,
        "why": leak.why,
        "age": None if leak.age is None else round(leak.age, 3),
        "since": None if leak.since is None else iso(leak.since),
        "action": leak.action,
        "condemned_at": None if leak.condemned_at is None else iso(leak.condemned_at),
    }


def report(found: Report, *, act: bool, wait: float) -> str:
    """The leaks as a table, and what to do next."""
    if not found.leaks:
        return "no leaks" if found.complete else "no leaks in what could be seen"
    done = {leak.key: outcome for leak, outcome in found.done}
    rows = [("kind", "name", "age", "why", "result" if act else "what will be done")]
    for leak in found.leaks:
        outcome = done.get(leak.key)
        told = f"{outcome.result} {outcome.note}".rstrip() if outcome else "waits"
        rows.append((leak.kind, leak.name, duration(leak.age), leak.why, told if act else leak.action))
    hint = (
        f"\ncondemned; taken back from {duration(wait)} after the first sighting: resource-monitor cleanup-leaks --yes"
    )
    waiting = any(leak.key not in done for leak in found.leaks) and found.complete
    return table(rows) + (f"{hint} (--now: at once)" if waiting else "")


def amount(value: float, unit: str) -> str:
    """A figure with its unit: 1.2 GB, 85%, 12."""
    if unit == "ratio":
        return f"{value:.1%}"
    if unit != "bytes":
        return f"{value:g}"
    for name, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{value / size:.1f} {name}"
    return f"{value:.0f} B"


def duration(seconds: float | None) -> str:
    """Seconds as people say them: 42s, 7m, 3h, 2d; "-" when not known."""
    if seconds is None:
        return "-"
    for name, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{name}"
    return f"{seconds:.0f}s"


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Columns aligned, two spaces apart; the columns `right` are flush right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)
