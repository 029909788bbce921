"""The success criteria of a repository under coordination, as figures by week. Pure.

What is asked: did anything land that no gate had seen (must be 0), which share of the landed issues has recorded checks
(95 % or more), did two agents ever hold the same paths (must be 0), how long does it take from a red gate or a conflict
to the landing (the median), and how much do agents stand in each other's way: reservations that had to wait (under 5 %,
and no more than 20 on any day), waits for mutexes (10 minutes on any day), attempts that changed what all share. More
than that asks for another measure, which `advice` names. Weeks are ISO weeks of UTC, days too.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from statistics import median
from typing import Any

from analyzer.globs import intersect

Row = Mapping[str, Any]
RECORDED = 0.95
"""The share of landed issues that must have recorded checks."""
WAITS_AT = 0.05
"""The share of reservations that had to wait from which on something else should be tried."""
WAITS_A_DAY = 20
"""The same, as a number on the worst day: a busy day hides many waits in a small share."""
MUTEX_A_DAY = 600.0
"""Seconds that may be waited for mutexes on the worst day."""


@dataclass
class Week:
    """What happened in one week. Times are seconds."""

    landed: int = 0
    unjudged: int = 0
    with_checks: int = 0
    bounced: int = 0
    handed_off: int = 0
    repairs: list[float] = field(default_factory=list)
    reserved: int = 0
    waited: int = 0
    mutexes: int = 0
    shared: int = 0
    berths: int = 0
    """Places in a shared checkout that were lent."""
    waits_on: Counter[str] = field(default_factory=Counter)
    mutex_on: Counter[str] = field(default_factory=Counter)
    """Day -> waits for paths, and seconds waited for mutexes."""

    def as_json(self) -> dict[str, Any]:
        """The figures of the week; shares are None where nothing happened."""
        tries = self.reserved + self.waited
        return {
            "landed": self.landed,
            "landed_without_gate": self.unjudged,
            "recorded_checks": round(self.with_checks / self.landed, 3) if self.landed else None,
            "bounced": self.bounced,
            "handed_off": self.handed_off,
            "median_repair_seconds": round(median(self.repairs), 1) if self.repairs else None,
            "reservations": tries,
            "wait_rate": round(self.waited / tries, 3) if tries else None,
            "most_waits_a_day": max(self.waits_on.values(), default=0),
            "mutex_waits": self.mutexes,
            "most_mutex_seconds_a_day": round(max(self.mutex_on.values(), default=0), 1),
            "shared_state_failures": self.shared,
        }


@dataclass(frozen=True)
class Judged:
    """The trees that a gate has passed, and which of them with at least one check; landed commit -> its tree."""

    passed: Collection[str]
    checked: Collection[str]
    trees: Mapping[str, str]


def by_week(events: Iterable[Row], judged: Judged) -> dict[str, Week]:
    """ISO week -> what happened, in order. `events` are the ledger's, oldest first."""
    weeks: dict[str, Week] = defaultdict(Week)
    broken: dict[str, float] = {}
    for row in events:
        week, issue, data = weeks[_week(row["at"])], row["issue"], _data(row["data"])
        match row["kind"]:
            case "landing.bounced":
                week.bounced += 1
                broken.setdefault(issue, row["at"])
            case "task.handed_off":
                week.handed_off += 1
            case "landing.landed":
                _count(week, judged.trees.get(str(data.get("merged")), ""), judged)
                if issue in broken:
                    week.repairs.append(row["at"] - broken.pop(issue))
            case _:
                _contend(week, row, data)
    return {name: week for name, week in sorted(weeks.items()) if week != Week()}


def _contend(week: Week, row: Row, data: Mapping[str, Any]) -> None:
    """Count where agents stood in each other's way."""
    day = datetime.fromtimestamp(row["at"], UTC).date().isoformat()
    match row["kind"]:
        case "paths.reserved":
            week.reserved += 1
        case "paths.refused" | "paths.waited":
            week.reserved -= bool(data.get("granted"))  # it is told as reserved too, and was one try
            week.waited += 1
            week.waits_on[day] += 1
        case "slot.leased" if str(row.get("slot", "")).startswith("berth-"):
            week.berths += 1
        case "mutex.waited" | "mutex.refused":
            week.mutexes += 1
            week.mutex_on[day] += data["seconds"]
        case "attempt.ended" | "strays.found" if data.get("strays"):
            week.shared += 1


def _count(week: Week, tree: str, judged: Judged) -> None:
    week.landed += 1
    week.unjudged += tree not in judged.passed
    week.with_checks += tree in judged.checked


def overlapping(reservations: Sequence[Row]) -> list[tuple[str, str, str]]:
    """(agent, agent, path) for each two that held the same paths at one time, one of them exclusively: must be none."""
    found = []
    for a, b in combinations(reservations, 2):
        apart = a["agent"] == b["agent"] or (a["shared"] and b["shared"])
        if apart or min(_end(a), _end(b)) <= max(a["taken_at"], b["taken_at"]):
            continue
        witness = intersect(a["pattern"], b["pattern"])
        if witness is not None:
            found.append((a["agent"], b["agent"], witness))
    return found


def _end(row: Row) -> float:
    return row["released_at"] if row["released_at"] is not None else row["expires_at"]


def advice(weeks: Mapping[str, Week], overlaps: int) -> list[str]:
    """What the figures of the last week ask for, as sentences."""
    if not weeks:
        return []
    name, week = list(weeks.items())[-1]
    figures, found = week.as_json(), []
    if week.unjudged:
        found.append(f"{name}: {week.unjudged} landings without a verdict of the gate; who else moves the base branch?")
    if figures["recorded_checks"] is not None and figures["recorded_checks"] < RECORDED:
        found.append(f"{name}: {figures['recorded_checks']:.0%} of the landings have checks; configure [[gate.checks]]")
    found += [f"{name}: {sentence}" for sentence in _contention(figures, in_one_checkout=week.berths > 0)]
    if overlaps:
        found.append(f"{overlaps} times two agents held the same paths: agent-coord doctor, and report it")
    return found


def _contention(figures: Mapping[str, Any], *, in_one_checkout: bool) -> list[str]:
    """Where agents stood in each other's way too much, each with what to try next."""
    rate, waits, seconds = figures["wait_rate"], figures["most_waits_a_day"], figures["most_mutex_seconds_a_day"]
    shared = figures["shared_state_failures"]
    apart = ', or a slot for each agent ([agents] isolation = "slots")' if in_one_checkout else ""
    told = (
        (rate is not None and rate > WAITS_AT, f"{rate or 0:.0%} of the reservations had to wait",
         f"fewer agents, or track-analyzer recommend --write-deps{apart}"),
        (waits > WAITS_A_DAY, f"{waits} waits for paths on one day",
         f"agent-coord run --sequential for what meets in the same files{apart}"),
        (seconds > MUTEX_A_DAY, f"{seconds / 60:.0f} minutes were waited for mutexes on one day",
         "give what runs alone a port, a database or a folder of its slot's own"),
        (shared > 0, f"{shared} attempts changed the main checkout, which all share",
         'a wall around agents ([scope] wall = "auto")'),
    )  # fmt: skip
    return [f"{what}: {remedy}" for too_much, what, remedy in told if too_much]


def _week(at: float) -> str:
    year, week, _ = datetime.fromtimestamp(at, UTC).isocalendar()
    return f"{year}-W{week:02}"


def _data(value: Any) -> Mapping[str, Any]:
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}
