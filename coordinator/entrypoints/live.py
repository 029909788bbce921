"""The live view: the status, again and again, or a line for each change where there is no terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from coordinator.bootstrap import Project
from coordinator.entrypoints.outlook_text import outlook_lines
from coordinator.entrypoints.status import render
from coordinator.merging.outlook import Onlooker
from coordinator.reports.bars import cut
from coordinator.status import read_status
from resources.state.sqlite import SqliteLedger
from resources.state.store import Row
from resources.system.clock import iso
from resources.system.files import lock_is_held
from resources.system.repository import Repository

TOLD = {
    "attempt.started": "{agent} starts {issue} in {slot} (attempt {attempt})",
    "attempt.ended": "{agent} ended {issue}: {ending} {why}",
    "attempt.adopted": "{issue}: what {agent} had under way was taken over",
    "attempt.quiet": "{agent} gives no sign of life on {issue} for {seconds} s; last: {last}",
    "model.refuses": "the model refuses: {why}; nobody starts until it answers again",
    "model.answers": "the model answers again",
    "landing.queued": "{issue} waits to land",
    "gate.ended": "{issue}: the gate is {colour} after {seconds} s",
    "landing.landed": "{issue} landed",
    "radar.collision": "{issue} will not merge with {other}: {paths}; its agent was told",
    "stack.shaken": "{issue} stands on {parent}, which has changed; its agent was told",
    "landing.look": "{issue}: a person must look: {why}",
    "landing.bounced": "{issue} did not land: {why}",
    "task.handed_off": "{issue} is handed off: {why}",
    "strays.found": "{issue}: {strays}",
    "work.saved": "{issue}: unlanded work is kept under {ref}",
}
"""The events that a person wants to read, as sentences."""


FEWEST = 3
"""Lines of what happened last, and rows of each section, that are always shown."""


def follow(project: Project, *, interval: float, until_idle: bool, colour: bool, as_json: bool = False) -> int:
    """Show the status until interrupted, or until no coordinator works any more."""
    if sys.stdout.isatty() and not as_json:
        return _refresh(project, interval, until_idle, colour and "NO_COLOR" not in os.environ)
    return _print_changes(project.repository, interval, until_idle, _as_json if as_json else sentence)


def _refresh(project: Project, interval: float, until_idle: bool, colour: bool) -> int:
    onlooker = Onlooker(project)
    try:
        while True:
            size = shutil.get_terminal_size()
            most = max(FEWEST, size.lines // 6)
            landing = outlook_lines(onlooker.look(), size.columns, most)
            status = render(
                read_status(project.repository), colour=colour, width=size.columns, landing=landing, most=most
            )
            events = [cut(line, size.columns) for _, line in _events(project.repository, 0, sentence)]
            lines = frame(status.splitlines(), events, size.lines - 1)
            # Home, then each line cleared to its end, then the rest of the screen: no flicker.
            sys.stdout.write("\033[H" + "".join(f"{line}\033[K\n" for line in lines) + "\033[J")
            sys.stdout.flush()
            if until_idle and not _works(project.repository):
                return 0
            time.sleep(interval)
    except KeyboardInterrupt:
        sys.stdout.write("\n")
        return 0


def frame(body: Sequence[str], events: Sequence[str], height: int) -> list[str]:
    """A screen of at most `height` lines: what is going on, what happened last, and how the view is left.

    What does not fit is left out of the middle, and that is said.
    """
    foot = ["", "Ctrl-C ends the view; the work goes on"]
    room = height - len(foot) - 1
    newest = list(events[-max(FEWEST, room - len(body)) :])
    most = room - len(newest)
    if len(body) > most > 0:
        left = len(body) - most + 1
        body = [*body[: most - 1], f"… {left} more lines; agent-coord merge status shows all"]
    return [*body[: max(0, most)], "", *newest, *foot][:height]


def _print_changes(repository: Repository, interval: float, until_idle: bool, told: Callable[[Row], str]) -> int:
    seen = 0
    while True:
        idle = not _works(repository)
        for seq, line in _events(repository, seen, told):
            seen = seq
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
        if until_idle and idle:
            return 0
        time.sleep(interval)


def _works(repository: Repository) -> bool:
    return lock_is_held(repository.state / "coordinator.lock")


def _events(repository: Repository, since: int, told: Callable[[Row], str]) -> Iterator[tuple[int, str]]:
    ledger = SqliteLedger(repository.state)
    try:
        with ledger.read() as snapshot:
            rows = snapshot.all("events-since", seq=since)
    finally:
        ledger.close()
    for row in rows:
        line = told(row)
        if line:
            yield row["seq"], line


def sentence(row: Row) -> str:
    """An event as a line with its local time, "" when it is not for people."""
    pattern = TOLD.get(row["kind"])
    if pattern is None:
        return ""
    data: dict[str, Any] = {"why": "", "attempt": "", "seconds": 0, **json.loads(row["data"])}
    data["colour"] = "green" if data.get("passed") else f"red ({data.get('failed_check') or 'no check'})"
    data["paths"] = ", ".join(data.get("paths", ()))
    data["seconds"] = round(float(data["seconds"] or 0), 1)
    text = pattern.format(issue=row["issue"], slot=row["slot"], agent=row["agent"], **data)
    return f"{time.strftime('%H:%M:%S', time.localtime(row['at']))}  {text.rstrip(' :')}"


def _as_json(row: Row) -> str:
    """An event as one line for programs; every kind is told."""
    names = ("seq", "kind", "issue", "slot", "agent")
    told = {"schema": 1, "at": iso(row["at"])} | {name: row[name] for name in names}
    return json.dumps(told | {"data": json.loads(row["data"])})
