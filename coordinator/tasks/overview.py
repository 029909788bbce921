"""Every issue of the backlog with its phase: pure.

    waiting -> available -> started (stuck) -> completed -> done
                   ^            └-> failed

*completed* is the agent's word or a branch that waits for its landing; *done* is landed or closed. Dependants see
*completed* at once: dependencies are hard, but a merge is nothing to wait for. Layers only order what is available.
Tracker, ledger and agents' words are three sources: the newest word of ledger and agents counts, and what is closed in
the tracker is done whatever they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from analyzer.backlog.issues import Issue, Status
from analyzer.backlog.readiness import Rules, is_work, resolve, standings
from analyzer.layering import layers_of
from coordinator.tasks.claims import Task
from coordinator.tasks.progress import COMPLETED, FAILED, STARTED, Progress


class Phase(StrEnum):
    """Where an issue stands for those who look for work."""

    WAITING = "waiting"
    AVAILABLE = "available"
    STARTED = "started"
    STUCK = "stuck"
    COMPLETED = "completed"
    DONE = "done"
    FAILED = "failed"


UNDER_WAY = (Phase.STARTED, Phase.STUCK)
_OF_TASK = {
    "working": Phase.STARTED,
    "bounced": Phase.STARTED,
    "judging": Phase.COMPLETED,
    "landed": Phase.DONE,
    "handed_off": Phase.FAILED,
}
_OF_WORD = {STARTED: Phase.STARTED, COMPLETED: Phase.COMPLETED, FAILED: Phase.FAILED}


@dataclass(frozen=True)
class Line:
    """One issue. `since` is when the phase began (wall-clock seconds, 0: not known), `pr` 0 without one."""

    issue: str
    title: str
    layer: str
    phase: Phase
    priority: int
    agent: str = ""
    since: float = 0.0
    waits_for: tuple[str, ...] = ()
    why: str = ""
    pr: int = 0


@dataclass(frozen=True)
class Said:
    """What ledger and agents know of an issue."""

    phase: Phase
    agent: str
    since: float
    why: str = ""
    pr: int = 0


def overview(
    issues: Sequence[Issue], tasks: Iterable[Task], words: Mapping[str, Progress], *, now: float, stuck_after: float
) -> tuple[Line, ...]:
    """Every issue that is work, by layer, then urgency. `stuck_after` is in seconds without a sign of life."""
    said = _said(tasks, words, now, stuck_after)
    over = {name for name, one in said.items() if one.phase in (Phase.COMPLETED, Phase.DONE)}
    seen = [replace(issue, status=Status.CLOSED) if issue.id in over else issue for issue in issues]
    busy = frozenset(name for name, one in said.items() if one.phase in UNDER_WAY)
    rules = Rules(now, busy)
    backlog = resolve(seen, rules)
    stands = standings(backlog, rules)
    true = {issue.id: issue for issue in issues}
    lines = []
    for heading, members in layers_of(backlog):
        for issue in sorted(members, key=lambda issue: (issue.priority, issue.id)):
            if issue.id in true and is_work(issue):
                stand = stands.get(issue.id)
                waits, why = (stand.waits_for, stand.why) if stand else ((), "")
                lines.append(_line(true[issue.id], heading, said.get(issue.id), waits, why))
    return tuple(lines)


def _said(tasks: Iterable[Task], words: Mapping[str, Progress], now: float, stuck_after: float) -> dict[str, Said]:
    found: dict[str, Said] = {}
    for task in tasks:
        phase = _OF_TASK.get(task.state)
        if phase is not None:
            found[task.issue] = Said(phase, task.agent, task.changed_at, task.why)
    for word in words.values():
        known = found.get(word.issue)
        # What the coordinator runs is judged by it; the agent's own word counts where it does not, or later.
        if known is None or (known.phase in (Phase.STARTED, Phase.FAILED) and word.changed_at >= known.since):
            phase = _OF_WORD[word.state]
            silent = phase is Phase.STARTED and now - word.changed_at > stuck_after
            found[word.issue] = Said(Phase.STUCK if silent else phase, word.agent, word.changed_at, word.why, word.pr)
    return found


def _line(issue: Issue, layer: str, said: Said | None, waits: tuple[str, ...], why: str) -> Line:
    line = Line(issue.id, issue.title, layer, Phase.WAITING, issue.priority, waits_for=waits, why=why)
    if not issue.is_open:
        return replace(line, phase=Phase.DONE, since=issue.closed or 0.0)
    if said is not None and not (said.phase is Phase.FAILED and waits):
        return replace(
            line, phase=said.phase, agent=said.agent, since=said.since, why=said.why, pr=said.pr, waits_for=()
        )
    if issue.status in (Status.IN_PROGRESS, Status.HOOKED):
        return replace(line, phase=Phase.STARTED, agent=issue.assignee, since=issue.updated or 0.0)
    return line if why else replace(line, phase=Phase.AVAILABLE)


def available(lines: Iterable[Line], agent: str = "", assigned: Mapping[str, str] | None = None) -> list[Line]:
    """What may be started: available or failed, and for `agent` only what is its own or nobody's."""
    owner = assigned or {}
    free = [line for line in lines if line.phase in (Phase.AVAILABLE, Phase.FAILED)]
    return [line for line in free if not agent or owner.get(line.issue, "") in ("", agent)]
