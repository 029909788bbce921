"""`agent-coord status`: the ledger's answer as text or JSON. Standard library only."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coordinator.reports.bars import cut, plural
from coordinator.status import read_status
from resources.system.repository import find_repository

SILENT = 120.0
"""Seconds after which it is told that an agent has printed nothing."""
MOST, WIDTH = 12, 110
"""Rows of a section; characters of a line where there is no terminal."""
COLOURS = {
    "leased": "36",
    "working": "36",
    "finished": "35",
    "bounced": "33",
    "idle": "32",
    "quarantine": "31",
    "making": "33",
    "ok": "32",
    "warn": "33",
    "critical": "31",
}


def print_status(repo: str | None, *, wants_json: bool) -> int:
    """Print the status of the repository around `repo` (default: the working directory)."""
    status = read_status(find_repository(Path(repo) if repo else Path.cwd()))
    if wants_json:
        sys.stdout.write(json.dumps(status, indent=2) + "\n")
        return 0
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else WIDTH
    sys.stdout.write(render(status, colour=is_terminal and "NO_COLOR" not in os.environ, width=width) + "\n")
    return 0


def render(
    status: dict[str, Any], *, colour: bool, width: int = WIDTH, landing: Sequence[str] | None = None, most: int = MOST
) -> str:
    """The status for a person, sections of at most `most` rows.

    `landing` are lines that tell more of the landing queue than the status knows.
    """
    lines = [_head(status, width), ""]
    if status["breaker"]:
        lines += [cut(f"no agent starts until {status['breaker']['until']}: {status['breaker']['why']}", width), ""]
    lines += _slots(status["slots"], colour, width, briefly=landing is not None)
    lines += _section("waiting", [(row["issue"], row["why"]) for row in status["queue"]], width, most)
    if landing is None:
        merge = [(row["issue"], f"{row['state']}{': ' + row['why'] if row['why'] else ''}") for row in status["merge"]]
        lines += _section("landing", merge, width, most)
    else:
        lines += ["", *landing]
    lines += _limits(status, colour, width)
    return "\n".join(lines)


def _head(status: dict[str, Any], width: int) -> str:
    base, names = (
        status["base"],
        {"handed_off": "handed off", "working": "at work", "judging": "finished", "retry": "to be tried again"},
    )
    counts = [f"{count} {names.get(state, state)}" for state, count in sorted(status["tasks"].items())]
    if status["coordinator"]:
        counts = [_agents(status), *(count for count in counts if not count.endswith(" at work"))]
    who = "coordinator runs" if status["coordinator"] else "no coordinator"
    told = f"  on {base['branch']} {(base['sha'] or '')[:10]}  {' · '.join([*counts, who])}"
    path = status["repo"]
    return cut((path if len(path) + len(told) <= width else Path(path).name) + told, width)


def _agents(status: dict[str, Any]) -> str:
    agents = status["agents"]
    others = status["tasks"].get("working", 0) - agents["working"]
    return f"{agents['working']} of {agents['seats']} at work" + (f", {others} by hand" if others else "")


def _slots(slots: Sequence[dict[str, Any]], colour: bool, width: int, briefly: bool) -> list[str]:
    if not slots:
        return ["no slots yet: `agent-coord init` makes them"]
    idle = [slot["slot"] for slot in slots if slot["state"] == "idle"] if briefly else []
    slots = [slot for slot in slots if slot["slot"] not in idle]
    rest = [cut(f"{len(idle)} idle: {', '.join(idle)}", width)] if idle else []
    return (_table_of(slots, colour, width) if slots else []) + rest


def _table_of(slots: Sequence[dict[str, Any]], colour: bool, width: int) -> list[str]:
    heads = ("SLOT", "STATE", "AGENT", "ISSUE", "TRY", "DATABASE", "ACTIVITY")
    rows = [heads, *(_row(slot) for slot in slots)]
    # A column in which nothing stands would only take room from the others.
    kept = [column for column in range(len(heads)) if column < 2 or any(row[column] for row in rows[1:])]
    return _table([[row[column] for column in kept] for row in rows], colour, width)


def _row(slot: dict[str, Any]) -> tuple[str, ...]:
    state = {"working": "working", "judging": "finished", "bounced": "bounced"}.get(slot["task"] or "", slot["state"])
    attempt = str(slot["attempt"]) if slot["attempt"] else ""
    said = _silence(slot["silent"]) + (slot["activity"] or "")
    return slot["slot"], state, slot["agent"] or "", slot["issue"] or "", attempt, slot["database"] or "", said


def _silence(seconds: float | None) -> str:
    return f"silent for {seconds / 60:.0f} min; last: " if seconds is not None and seconds >= SILENT else ""


def _table(rows: Sequence[Sequence[str]], colour: bool, width: int) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        text = cut("  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip(), width)
        code = COLOURS.get(row[1], "") if number else "1"
        # Only the state is coloured, so that the columns stay where they are.
        if colour and code:
            text = f"\033[1m{text}\033[0m" if not number else text.replace(row[1], f"\033[{code}m{row[1]}\033[0m", 1)
        lines.append(text)
    return lines


def _section(name: str, rows: Sequence[tuple[str, str]], width: int, most: int) -> list[str]:
    if not rows:
        return []
    size = max(len(issue) for issue, _ in rows)
    shown = [cut(f"  {issue.ljust(size)}  {why}", width) for issue, why in rows[:most]]
    rest = [f"  and {len(rows) - most} more"] if len(rows) > most else []
    return ["", f"{name} ({len(rows)})", *shown, *rest]


def _limits(status: dict[str, Any], colour: bool, width: int) -> list[str]:
    if not status["limits"]:
        return []
    parts = [(reading["resource"], reading["level"]) for reading in status["limits"]]
    leaks = f" · {status['leaks']} {plural('leak', status['leaks'])}" if status["leaks_counted"] else ""
    text = cut("limits  " + " · ".join(f"{resource} {level}" for resource, level in parts) + leaks, width)
    for resource, level in parts if colour else ():
        text = text.replace(f"{resource} {level}", f"{resource} \033[{COLOURS[level]}m{level}\033[0m", 1)
    return ["", text]
