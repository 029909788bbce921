"""The live view: the status, again and again, or a line for each change where there is no terminal."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

from coordinator.entrypoints.status import render
from coordinator.status import read_status
from resources.state.sqlite import SqliteLedger
from resources.state.store import Row
from resources.system.files import lock_is_held
from resources.system.repository import Repository

TOLD = {
    "attempt.started": "{agent} starts {issue} in {slot} (attempt {attempt})",
    "attempt.ended": "{agent} ended {issue}: {ending} {why}",
    "attempt.adopted": "{issue}: {agent} is still at work and was taken over",
    "attempt.quiet": "{agent} gives no sign of life on {issue} for {seconds} s; last: {last}",
    "model.refuses": "the model refuses: {why}; nobody starts until it answers again",
    "model.answers": "the model answers again",
    "landing.queued": "{issue} waits to land",
    "gate.ended": "{issue}: the gate is {colour} after {seconds} s",
    "landing.landed": "{issue} landed",
    "landing.look": "{issue}: a person must look: {why}",
    "landing.bounced": "{issue} did not land: {why}",
    "task.handed_off": "{issue} is handed off: {why}",
    "strays.found": "{issue}: {strays}",
    "work.saved": "{issue}: unlanded work is kept under {ref}",
}
"""The events that a person wants to read, as sentences."""


def follow(repository: Repository, *, interval: float, until_idle: bool, colour: bool) -> int:
    """Show the status until interrupted, or until no coordinator works any more."""
    if sys.stdout.isatty():
        return _refresh(repository, interval, until_idle, colour and "NO_COLOR" not in os.environ)
    return _print_changes(repository, interval, until_idle)


def _refresh(repository: Repository, interval: float, until_idle: bool, colour: bool) -> int:
    try:
        while True:
            size = shutil.get_terminal_size()
            text = render(read_status(repository), colour=colour, width=size.columns)
            lines = [
                *text.splitlines(),
                "",
                *_newest(repository, size.lines),
                "",
                "Ctrl-C ends the view; the work goes on",
            ]
            # Home, then each line cleared to its end, then the rest of the screen: no flicker.
            sys.stdout.write("\033[H" + "".join(f"{line}\033[K\n" for line in lines[: size.lines - 1]) + "\033[J")
            sys.stdout.flush()
            if until_idle and not _works(repository):
                return 0
            time.sleep(interval)
    except KeyboardInterrupt:
        sys.stdout.write("\n")
        return 0


def _print_changes(repository: Repository, interval: float, until_idle: bool) -> int:
    seen = 0
    while True:
        idle = not _works(repository)
        for seq, line in _events(repository, seen):
            seen = seq
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
        if until_idle and idle:
            return 0
        time.sleep(interval)


def _works(repository: Repository) -> bool:
    return lock_is_held(repository.state / "coordinator.lock")


def _events(repository: Repository, since: int) -> Iterator[tuple[int, str]]:
    ledger = SqliteLedger(repository.state)
    try:
        with ledger.read() as snapshot:
            rows = snapshot.all("events-since", seq=since)
    finally:
        ledger.close()
    for row in rows:
        line = sentence(row)
        if line:
            yield row["seq"], line


def sentence(row: Row) -> str:
    """An event as a line with its local time, "" when it is not for people."""
    import json

    pattern = TOLD.get(row["kind"])
    if pattern is None:
        return ""
    data: dict[str, Any] = {"why": "", "attempt": "", "seconds": 0, **json.loads(row["data"])}
    data["colour"] = "green" if data.get("passed") else f"red ({data.get('failed_check') or 'no check'})"
    data["seconds"] = round(float(data["seconds"] or 0), 1)
    text = pattern.format(issue=row["issue"], slot=row["slot"], agent=row["agent"], **data)
    return f"{time.strftime('%H:%M:%S', time.localtime(row['at']))}  {text.rstrip(' :')}"


def _newest(repository: Repository, height: int) -> list[str]:
    lines = [line for _, line in _events(repository, 0)]
    return lines[-max(3, height // 3) :]
