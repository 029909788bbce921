"""A run, or all runs of a repository, as one HTML file: success criteria, timeline, what bounced and why. Pure.

Everything is inside the file, nothing is fetched and nothing runs: a policy in its head forbids both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from coordinator.bars import Bar, Outcome, Timeline, clock
from coordinator.bars_svg import timeline_svg
from coordinator.criteria import RECORDED, Week

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
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
    """The page."""
    parts = [
        f"<h1>{escape(told.name)}</h1>",
        f'<p class="soft">{escape(timeline.headline())}; {escape(timeline.details(None))}</p>',
        _figures(timeline, told),
        "".join(f'<p class="bad">{escape(line)}</p>' for line in told.advice),
        f'<h2>Timeline</h2><div class="scroll">{timeline_svg(timeline, base=told.base)}</div>' if timeline.bars else "",
        _weeks(told.weeks),
        _table("What did not land at once", ("issue", "attempt", "slot", "how", "why"), _troubles(timeline.bars)),
        _table("What would not merge, told early", ("issue", "with", "paths"), told.collisions),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Report: {escape(told.name)}</title><style>{_STYLE.read_text()}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _figures(timeline: Timeline, told: Told) -> str:
    landed = sum(week.landed for week in told.weeks.values())
    unjudged = sum(week.unjudged for week in told.weeks.values())
    checked = sum(week.with_checks for week in told.weeks.values())
    enough = "good" if checked >= RECORDED * landed else "bad"
    figures = [
        (str(landed), "landed", ""),
        (str(unjudged), "landed without a gate", "bad" if unjudged else "good"),
        (f"{checked / landed:.0%}" if landed else "–", "with recorded checks", enough),
        (str(told.overlaps), "times two held the same paths", "bad" if told.overlaps else "good"),
        (str(sum(bar.outcome is Outcome.HANDED_OFF for bar in timeline.bars)), "handed to a person", ""),
    ]
    cards = "".join(f'<div class="figure {mood}"><b>{value}</b>{escape(what)}</div>' for value, what, mood in figures)
    return f'<div class="figures">{cards}</div>'


def _weeks(weeks: Mapping[str, Week]) -> str:
    heads = (
        "week",
        "landed",
        "without gate",
        "with checks",
        "bounced",
        "handed off",
        "median repair",
        "waits for paths",
        "waits for mutexes",
    )
    rows = []
    for name, week in weeks.items():
        one = week.as_json()
        repair, rate, checks = one["median_repair_seconds"], one["wait_rate"], one["recorded_checks"]
        rows.append((
            name, one["landed"], one["landed_without_gate"], _percent(checks), one["bounced"], one["handed_off"],
            "–" if repair is None else clock(repair), _percent(rate), one["mutex_waits"],
        ))  # fmt: skip
    return _table("By week", heads, rows)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _troubles(bars: Iterable[Bar]) -> list[tuple[object, ...]]:
    wrong = (Outcome.RED, Outcome.BOUNCED, Outcome.FAILED, Outcome.HANDED_OFF)
    return [(bar.issue, bar.attempt, bar.slot, bar.outcome.value, bar.why) for bar in bars if bar.outcome in wrong]


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return ""
    kinds = [' class="number"' if isinstance(cell, int) else "" for cell in rows[0]]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for name, kind in zip(heads, kinds, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(str(cell))}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<h2>{escape(title)}</h2><div class="scroll"><table><tr>{head}</tr>{body}</table></div>'
