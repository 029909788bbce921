"""Why each entry of the queue waits, in one sentence, from the ledger alone.

The head of the queue is never said to wait without a reason: it is being tried, held by edits in the main checkout,
waiting for a person or for a free bench, or it was red together with others and they are being told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coordinator.bootstrap import Project
from coordinator.merging import queue, trials
from coordinator.merging.benches import measured_workers
from coordinator.merging.gates import Gates
from coordinator.merging.order import Entry
from coordinator.merging.stack import Ground, Support
from coordinator.merging.stacks import Stacks
from coordinator.merging.trials import Run
from resources.state.store import Snapshot


@dataclass(frozen=True)
class Outlook:
    """The queue as a person wants to see it. `tried` are the issues of each running trial, `why` is by entry."""

    waiting: tuple[Entry, ...]
    paused: bool
    mode: str
    workers: int
    tried: list[list[str]]
    why: Mapping[int, str]


def look_at_queue(snapshot: Snapshot, project: Project, tip: str) -> Outlook:
    """The queue now; the base branch stands on `tip`."""
    waiting = tuple(queue.waiting(snapshot))
    paused = queue.is_paused(snapshot)
    keys = Gates(project.config).keys
    runs = trials.telling(snapshot, keys, {entry.id for entry in waiting})
    issues = {entry.id: entry.issue for entry in waiting}
    tried = [[issues[one] for one in run.members if one in issues] for run in runs if run.state == "running"]
    merge = project.config.merge
    workers = merge.workers or measured_workers(snapshot, keys)
    stacked = Stacks(project).on(snapshot, tip, waiting)
    why = {
        entry.id: _not_there(stacked.get(entry.id, ())) or why_waits(entry, waiting, runs, paused) for entry in waiting
    }
    return Outlook(waiting, paused, merge.mode, workers, tried, why)


def _not_there(supports: Sequence[Support]) -> str:
    missing = [one.parent for one in supports if one.ground is Ground.MENDED]
    return f"stands on {' and '.join(missing)}, whose author is mending it" if missing else ""


def why_waits(entry: Entry, waiting: Sequence[Entry], runs: Sequence[Run], paused: bool) -> str:
    """Why `entry` has not landed yet."""
    if entry.state == "look":
        return f"a person must look: {entry.why}; then: agent-coord merge approve {entry.id}"
    if entry.state == "held":
        return f"held: {entry.why}"
    issues = {one.id: one.issue for one in waiting}
    trial = next((run for run in runs if entry.id in run.members[-run.about :] and run.state == "running"), None)
    if trial is not None:
        others = [issues[one] for one in trial.members if one in issues and one != entry.id]
        return "its checks run now" + (f", together with {', '.join(others)}" if others else "")
    if paused:
        return "waits until landing is resumed"
    told = next((run for run in reversed(runs) if entry.id in run.members and run.state != "running"), None)
    return _after(entry, told, issues) or _before(entry, waiting)


def _after(entry: Entry, told: Run | None, issues: Mapping[int, str]) -> str:
    if told is None:
        return ""
    others = ", ".join(issues[one] for one in told.members if one in issues and one != entry.id)
    if told.state == "green":
        return f"passed; waits for {others or 'its turn to land'}"
    return f"was red together with {others}: who is to blame is being found out" if others else ""


def _before(entry: Entry, waiting: Sequence[Entry]) -> str:
    ahead = [one for one in waiting if one.state != "look"]
    place = next(where for where, one in enumerate(ahead) if one.id == entry.id)
    return "is next, waits for a free bench" if place == 0 else f"waits for {ahead[place - 1].issue} before it"
