"""What a drawing tells of one issue when it is pointed at: title, why it waits, its place, its likely files and why."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.planning.proposal import Plan
from analyzer.showing.layout import clean
from analyzer.showing.report import placement, why_not

FILES = 4
GOLDEN_ANGLE = 137.508
"""Degrees; steps of it keep neighbours apart on the circle of colours, however many there are."""


def told(plan: Plan, name: str) -> str:
    """The words, line by line."""
    return "\n".join(clean(line) for line in _lines(plan, name))


def _lines(plan: Plan, name: str) -> Iterator[str]:
    issue, track = plan.issue(name), plan.track_of.get(name)
    yield f"{name} P{issue.priority} {issue.title}"
    why = why_not(plan, issue)
    if why:
        yield why
    if track:
        yield f"{track.id}: {placement(plan, track) or track.status.value.lower()}"
    scope = plan.scopes.get(name)
    for file in scope.files[:FILES] if scope else ():
        yield f"{file.p:.0%} {file.path}: {'; '.join(file.evidence[:2])}"
    for pattern, p in scope.new[:2] if scope else ():
        yield f"{p:.0%} {pattern}: to be made"


def hues(plan: Plan) -> dict[str, int]:
    """Track -> its colour, as degrees on the circle of hues."""
    return {track.id: round(number * GOLDEN_ANGLE) % 360 for number, track in enumerate(plan.tracks)}
