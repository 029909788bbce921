"""The success criteria by week as small drawings side by side: bars, and the limit as a dashed line. Pure.

Each drawing is an SVG without a size of its own, so that a page lays them out; titles tell the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from coordinator.reports.bars import clock
from coordinator.reports.criteria import MUTEX_A_DAY, RECORDED, WAITS_A_DAY, WAITS_AT, Week

WIDTH, HEIGHT, TOP, FOOT = 260, 130, 40, 22
MOST_WEEKS = 26
"""The newest weeks that are drawn."""


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _count(number: float) -> str:
    return f"{number:.0f}"


@dataclass(frozen=True)
class _Criterion:
    """One figure of a week; with a limit it is good up to it, or (`least`) from it on."""

    name: str
    title: str
    tell: Callable[[float], str] = _count
    limit: float | None = None
    least: bool = False

    def is_good(self, value: float) -> bool | None:
        if self.limit is None:
            return None
        return value >= self.limit if self.least else value <= self.limit


CRITERIA = (
    _Criterion("landed", "landed"),
    _Criterion("landed_without_gate", "landed without a gate", limit=0.0),
    _Criterion("recorded_checks", "with recorded checks", _percent, RECORDED, least=True),
    _Criterion("bounced", "given back, red or in conflict"),
    _Criterion("handed_off", "handed to a person"),
    _Criterion("median_repair_seconds", "from given back to landed, median", clock),
    _Criterion("wait_rate", "reservations that had to wait", _percent, WAITS_AT),
    _Criterion("most_waits_a_day", "waits for paths on the worst day", limit=float(WAITS_A_DAY)),
    _Criterion("most_mutex_seconds_a_day", "waits for mutexes on the worst day", clock, MUTEX_A_DAY),
)


def week_charts(weeks: Mapping[str, Week]) -> list[str]:
    """A drawing for each criterion that has a figure in any week."""
    shown = [(name, week.as_json()) for name, week in list(weeks.items())[-MOST_WEEKS:]]
    kept = [one for one in CRITERIA if any(figures[one.name] is not None for _, figures in shown)]
    return [_chart(one, shown) for one in kept]


def _chart(one: _Criterion, weeks: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    values = [figures[one.name] for _, figures in weeks]
    most = max([value for value in values if value is not None] + [one.limit or 0.0]) or 1.0
    floor, step = HEIGHT - FOOT, WIDTH / len(weeks)

    def y(value: float) -> float:
        return floor - value / most * (floor - TOP)

    newest = next(value for value in reversed(values) if value is not None)
    bars = [
        _bar(one, week, value, (place * step, step, y(value), floor))
        for place, ((week, _), value) in enumerate(zip(weeks, values, strict=True))
        if value is not None
    ]
    limit = (
        ""
        if one.limit is None
        else f'<line class="limit" x1="0" x2="{WIDTH}" y1="{y(one.limit)}" y2="{y(one.limit)}"/>'
    )
    ends = f'<text class="soft" y="{HEIGHT - 6}">{escape(weeks[0][0])}</text>'
    ends += f'<text class="soft" x="{WIDTH}" y="{HEIGHT - 6}" text-anchor="end">{escape(weeks[-1][0])}</text>'
    return (
        f'<svg class="weeks" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(one.title)}">'
        f'<text y="13">{escape(one.title)}</text>'
        f'<text class="{_mood(one, newest)}" x="{WIDTH}" y="13" text-anchor="end">'
        f'{escape(one.tell(newest))}</text><line class="floor" x1="0" x2="{WIDTH}" y1="{floor}" y2="{floor}"/>'
        f"{''.join(bars)}{limit}{ends}</svg>"
    )


def _bar(one: _Criterion, week: str, value: float, place: tuple[float, float, float, float]) -> str:
    left, step, top, floor = place
    gap = min(4.0, step / 5)
    height = max(floor - top, 1.5)
    box = f'x="{left + gap / 2:.1f}" y="{floor - height:.1f}" width="{step - gap:.1f}" height="{height:.1f}"'
    return f'<rect class="{_mood(one, value)}" {box}><title>{escape(f"{week}: {one.tell(value)}")}</title></rect>'


def _mood(one: _Criterion, value: float) -> str:
    good = one.is_good(value)
    return "plain" if good is None else "good" if good else "bad"
