"""`agent-coord status`: the ledger's answer as text or JSON. Standard library only."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coordinator.status import read_status
from resources.system.repository import find_repository

SILENT = 120.0
"""Seconds after which it is told that an agent has printed nothing."""
COLOURS = {"leased": "36", "idle": "32", "quarantine": "31", "making": "33", "ok": "32", "warn": "33", "critical": "31"}


def print_status(repo: str | None, *, wants_json: bool) -> int:
    """Print the status of the repository around `repo` (default: the working directory)."""
    status = read_status(find_repository(Path(repo) if repo else Path.cwd()))
    if wants_json:
        sys.stdout.write(json.dumps(status, indent=2) + "\n")
    else:
        sys.stdout.write(render(status, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ) + "\n")
    return 0


def render(status: dict[str, Any], *, colour: bool, width: int = 110) -> str:
    """The status for a person."""
    base = status["base"]
    lines = [f"{status['repo']}  on {base['branch']} {(base['sha'] or '')[:10]}  {_tasks(status)}", ""]
    if status["breaker"]:
        lines += [f"no agent starts until {status['breaker']['until']}: {status['breaker']['why']}"[:width], ""]
    lines += _slots(status["slots"], colour, width)
    lines += _section("waiting", [(row["issue"], row["why"]) for row in status["queue"]], width)
    landing = [(row["issue"], f"{row['state']}{': ' + row['why'] if row['why'] else ''}") for row in status["merge"]]
    lines += _section("landing", landing, width)
    lines += _limits(status, colour)
    return "\n".join(lines)


def _tasks(status: dict[str, Any]) -> str:
    names = {"handed_off": "handed off"}
    counts = [f"{count} {names.get(state, state)}" for state, count in sorted(status["tasks"].items())]
    who = "coordinator at work" if status["coordinator"] else "no coordinator runs"
    return " · ".join([*counts, who])


def _slots(slots: Sequence[dict[str, Any]], colour: bool, width: int) -> list[str]:
    if not slots:
        return ["no slots yet: `agent-coord init` makes them"]
    rows = [("SLOT", "STATE", "AGENT", "ISSUE", "TRY", "DATABASE", "ACTIVITY")]
    for slot in slots:
        state = "judging" if slot["task"] == "judging" else slot["state"]
        attempt = str(slot["attempt"]) if slot["attempt"] else ""
        rows.append(
            (
                slot["slot"],
                state,
                slot["agent"] or "",
                slot["issue"] or "",
                attempt,
                slot["database"] or "",
                _silence(slot["silent"]) + (slot["activity"] or ""),
            )
        )
    return _table(rows, colour, width)


def _silence(seconds: float | None) -> str:
    return f"silent for {seconds / 60:.0f} min; last: " if seconds is not None and seconds >= SILENT else ""


def _table(rows: Sequence[Sequence[str]], colour: bool, width: int) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        text = "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()[:width]
        code = COLOURS.get(row[1], "") if number else "1"
        # Only the state is coloured, so that the columns stay where they are.
        if colour and code:
            text = f"\033[1m{text}\033[0m" if not number else text.replace(row[1], f"\033[{code}m{row[1]}\033[0m", 1)
        lines.append(text)
    return lines


def _section(name: str, rows: Sequence[tuple[str, str]], width: int, most: int = 12) -> list[str]:
    if not rows:
        return []
    size = max(len(issue) for issue, _ in rows)
    shown = [f"  {issue.ljust(size)}  {why}"[:width] for issue, why in rows[:most]]
    rest = [f"  and {len(rows) - most} more"] if len(rows) > most else []
    return ["", f"{name} ({len(rows)})", *shown, *rest]


def _limits(status: dict[str, Any], colour: bool) -> list[str]:
    if not status["limits"]:
        return []
    parts = []
    for reading in status["limits"]:
        code = COLOURS[reading["level"]]
        level = f"\033[{code}m{reading['level']}\033[0m" if colour else reading["level"]
        parts.append(f"{reading['resource']} {level}")
    parts += [f"{status['leaks']} leaks"] if status["leaks_counted"] else []
    return ["", "limits  " + " · ".join(parts)]
