"""A run, or all runs of a repository, as one HTML file: success criteria, timeline, what bounced and why. Pure.

Everything is inside the file, nothing is fetched and nothing runs: a policy in its head forbids both.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from coordinator.reports.bars import Bar, Outcome, Timeline, clock
from coordinator.reports.bars_svg import WIDTH, timeline_svg, width_of
from coordinator.reports.criteria import RECORDED, Week
from coordinator.reports.weeks_svg import week_charts

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
MOST_RUNS = 20
"""Runs that are drawn."""
_STYLE = Path(__file__).with_suffix(".css")


@dataclass(frozen=True)
class Told:
    """What the page tells besides the timeline."""

    name: str
    base: str
    weeks: Mapping[str, Week]
    overlaps: int
    advice: Sequence[str]
    collisions: Sequence[tuple[str, str, str]] = ()
    """(issue, with what, paths) that the radar has told."""


def run_page(timeline: Timeline, told: Told) -> str:
    """The page: the newest run in full, those before it folded."""
    runs = timeline.runs()[::-1]
    parts = [
        f"<h1>{escape(told.name)}</h1>",
        f'<p class="soft">{escape(_when(timeline))}</p>',
        _figures(timeline, told),
        "".join(f'<p class="bad">{escape(line)}</p>' for line in told.advice),
        *(f"<h2>{_run_name(one)}</h2>{_drawn(one, told)}" for one in runs[:1]),
        *(
            f"<details><summary>{_run_name(one)}: {one.headline()}</summary>{_drawn(one, told)}</details>"
            for one in runs[1:MOST_RUNS]
        ),
        _weeks(told.weeks),
        _table("What did not land at once", _TROUBLES, _troubles(timeline.bars), numbers=(1,)),
        _table("What would not merge, told early", ("issue", "with", "paths"), told.collisions),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Report: {escape(told.name)}</title><style>{_STYLE.read_text()}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _when(timeline: Timeline) -> str:
    if not timeline.bars:
        return "nothing has been worked on yet"
    begin, end = _moment(timeline.origin), _moment(timeline.origin + timeline.seconds)
    return f"{begin} to {end} UTC"


def _run_name(run: Timeline) -> str:
    return f"Run of {_moment(run.origin)} UTC"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def _drawn(run: Timeline, told: Told) -> str:
    # A picture of the usual width may shrink a little before it is scrolled, a wider one may not.
    width = width_of(run)
    least = width if width > WIDTH else width * 3 // 4
    return f'<div class="scroll"><div style="min-width:{least}px">{timeline_svg(run, base=told.base)}</div></div>'


def _figures(timeline: Timeline, told: Told) -> str:
    landed = sum(week.landed for week in told.weeks.values())
    unjudged = sum(week.unjudged for week in told.weeks.values())
    checked = sum(week.with_checks for week in told.weeks.values())
    enough = "good" if checked >= RECORDED * landed else "bad"
    figures = [
        (str(landed), "landed", ""),
        (str(unjudged), "landed without a gate", "bad" if unjudged else "good"),
        (f"{checked / landed:.0%}" if landed else "–", "with recorded checks", enough),
        (str(told.overlaps), "times two agents held the same paths", "bad" if told.overlaps else "good"),
        (str(sum(bar.outcome is Outcome.HANDED_OFF for bar in timeline.bars)), "handed to a person", ""),
    ]
    cards = "".join(f'<div class="figure {mood}"><b>{value}</b>{escape(what)}</div>' for value, what, mood in figures)
    return f'<div class="figures">{cards}</div>'


_WEEK = (
    *("week", "landed", "without a gate", "with checks", "given back", "handed off", "from given back to landed"),
    *("waits for paths", "waits for mutexes"),
)


def _weeks(weeks: Mapping[str, Week]) -> str:
    rows = []
    for name, week in weeks.items():
        one = week.as_json()
        repair, rate, checks = one["median_repair_seconds"], one["wait_rate"], one["recorded_checks"]
        rows.append((
            name, one["landed"], one["landed_without_gate"], _percent(checks), one["bounced"], one["handed_off"],
            "–" if repair is None else clock(repair), _percent(rate), one["mutex_waits"],
        ))  # fmt: skip
    drawn = f'<div class="charts">{"".join(week_charts(weeks))}</div>' if len(weeks) > 1 else ""
    return _table("By week", _WEEK, rows, numbers=range(1, len(_WEEK)), above=drawn)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


_TROUBLES = ("issue", "attempt", "slot", "how", "why")


def _troubles(bars: Iterable[Bar]) -> list[tuple[object, ...]]:
    wrong = (Outcome.RED, Outcome.BOUNCED, Outcome.FAILED, Outcome.HANDED_OFF)
    return [(bar.issue, bar.attempt, bar.slot, bar.outcome.value, bar.why) for bar in bars if bar.outcome in wrong]


def _table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Container[int] = (), above: str = ""
) -> str:
    """A table under its title, the columns `numbers` flush right; on a narrow screen a card for each row."""
    if not rows:
        return ""
    kinds = [' class="number"' if place in numbers else "" for place in range(len(heads))]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for name, kind in zip(heads, kinds, strict=True))
    body = "".join(
        "<tr>"
        + "".join(
            f'<td{kind} data-head="{escape(name)}">{escape(str(cell))}</td>'
            for cell, name, kind in zip(row, heads, kinds, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<h2>{escape(title)}</h2>{above}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
