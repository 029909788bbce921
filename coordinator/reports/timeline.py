"""The timeline of a run: from the ledger's events to text and to a picture. Pure.

    timeline = build_timeline(rows)
    timeline_text(timeline), timeline_svg(timeline)

Events that are missing or unknown cost at most a mark: the ledger of a run that is still going, or that
was killed, draws as far as it tells. A red gate and a conflict both bounce; the gate's own event tells
them apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from coordinator.reports.bars import Bar, Gate, Outcome, Timeline
from coordinator.reports.bars_svg import timeline_svg
from coordinator.reports.bars_text import timeline_text

__all__ = ["build_timeline", "timeline_svg", "timeline_text"]

_KINDS = (
    *("attempt.started", "attempt.ended", "landing.queued", "gate.started", "gate.ended", "gate.stopped"),
    *("landing.landed", "landing.bounced", "task.handed_off", "task.resolved"),
    "radar.collision",
)
_ENDINGS = {"failed": Outcome.FAILED} | dict.fromkeys(("stopped", "unavailable", "lost", "unguarded"), Outcome.STOPPED)

_GOOD = {"landing.landed": Outcome.LANDED, "task.resolved": Outcome.RESOLVED}


def build_timeline(events: Iterable[Mapping[str, Any]]) -> Timeline:
    """The timeline of a ledger's event rows (seq, at, kind, issue, slot, agent, data), in any order."""
    told = sorted((row for row in events if row["kind"] in _KINDS), key=lambda row: row["seq"])
    if not told:
        return Timeline((), 0.0)
    origin = told[0]["at"]
    bars: list[Bar] = []
    current: dict[str, int] = {}
    for row in told:
        at, data = row["at"] - origin, _data(row["data"])
        if row["kind"] == "attempt.started":
            current[row["issue"]] = len(bars)
            bars.append(_begin(row, at, data))
        elif row["issue"] in current:
            place = current[row["issue"]]
            bars[place] = _next(bars[place], row["kind"], at, data)
    return Timeline(tuple(bars), max(row["at"] for row in told) - origin, origin)


def _begin(row: Mapping[str, Any], at: float, data: Mapping[str, Any]) -> Bar:
    return Bar(row["issue"], str(data.get("title", "")), row["agent"], row["slot"], int(data.get("attempt", 1)), at)


def _next(bar: Bar, kind: str, at: float, data: Mapping[str, Any]) -> Bar:
    why = str(data.get("why") or "")
    if kind in _GOOD:
        return replace(bar, outcome=_GOOD[kind], end=at, why=why)
    if kind.startswith("gate."):
        return replace(bar, gates=_judged(bar.gates, kind, at, data))
    match kind:
        case "attempt.ended":
            bar = _ended(bar, at, str(data.get("ending")), why)
        case "radar.collision":
            bar = replace(bar, warned=(*bar.warned, (at, str(data.get("other")))))
        case "landing.bounced":
            red = bool(bar.gates) and bar.gates[-1].passed is False
            bar = replace(bar, outcome=Outcome.RED if red else Outcome.BOUNCED, end=at, why=why)
        case "task.handed_off":
            bar = replace(bar, outcome=Outcome.HANDED_OFF, end=bar.end or at, why=why)
    return bar


def _judged(gates: tuple[Gate, ...], kind: str, at: float, data: Mapping[str, Any]) -> tuple[Gate, ...]:
    if kind == "gate.started":
        return (*gates, Gate(at))
    if not gates:
        return gates
    passed = bool(data.get("passed")) if kind == "gate.ended" else None
    return (*gates[:-1], replace(gates[-1], end=at, passed=passed))


def _ended(bar: Bar, at: float, ending: str, why: str) -> Bar:
    # An agent may end well and have left nothing to judge: then `why` tells, and the attempt is over.
    outcome = _ENDINGS.get(ending, Outcome.RED if why else Outcome.FINISHED)
    return replace(bar, worked=at, outcome=outcome, end=None if outcome is Outcome.FINISHED else at, why=why)


def _data(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}
