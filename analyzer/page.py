"""A plan as one HTML file: the graph drawn, what to do now, what waits, who would meet where. No network, no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from analyzer.drawing import svg
from analyzer.layout import clean
from analyzer.placing import hours
from analyzer.proposal import Plan
from analyzer.report import hot_files, track_scope
from analyzer.tracks import Track

MOST_ROWS = 300
"""Rows of a table before the rest is only counted."""

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#868e96}
body{font:15px/1.5 system-ui,sans-serif;max-width:1180px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin:2.2rem 0 .5rem}p{margin:.2rem 0}
.soft{color:var(--soft)}.warn{color:#e8590c}
.graph{overflow:auto;max-height:80vh;border:1px solid var(--line);border-radius:10px;margin:1.2rem 0}
.figures{display:flex;gap:2.2rem;flex-wrap:wrap;margin:1rem 0}.figures b{display:block;font-size:1.5rem}
table{border-collapse:collapse;width:100%}th{text-align:left;color:var(--soft);font-weight:500}
td,th{padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}code{font-size:.9em}
td:first-child{white-space:nowrap}svg{display:block}
"""


def html(plan: Plan) -> str:
    """The page; everything it needs is inside."""
    source = plan.facts.source
    parts = [
        f"<h1>Plan for {plan.request.slots} slots</h1>",
        f'<p class="soft">{escape(source.path)}, {source.count} issues</p>',
        f'<p class="warn">{escape(source.stale)}</p>' if source.stale else "",
        _figures(plan),
        f'<div class="graph">{svg(plan)}</div>',
        *_tables(plan),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Plan: {escape(source.path)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _figures(plan: Plan) -> str:
    span = plan.makespan
    figures = [
        (str(len(plan.ready)), "ready"),
        (str(len(plan.blocked)), "not ready"),
        (str(len(plan.tracks)), "tracks"),
        (str(len(plan.conflicts)), "conflicts between tracks"),
        (hours(span.expected), f"expected; never under {hours(span.lower_bound)}"),
    ]
    return (
        f'<div class="figures">{"".join(f"<div><b>{value}</b>{escape(what)}</div>" for value, what in figures)}</div>'
    )


def _tables(plan: Plan) -> Iterable[str]:
    runs = {track.id: " → ".join(track.issues) for track in plan.tracks}
    first = {track.id: plan.issue(track.issues[0]).title for track in plan.tracks}
    now = [(one.slot, one.track, runs[one.track], first[one.track], one.why) for one in plan.assignments]
    meets = [
        (f"{c.p:.0%}", f"{c.a} × {c.b}", " / ".join(c.issues), ", ".join(c.paths[:6]), "; ".join(c.evidence[:4]))
        for c in plan.conflicts
    ]
    hot = [(path, ", ".join(names)) for path, names in hot_files(plan).items()]
    scopes = [(track.id, told) for track in plan.tracks[:MOST_ROWS] if (told := _files(plan, track))]
    yield _table("Now", ("slot", "track", "issues", "first", "why"), now)
    yield _table("Waves", ("wave", "tracks"), [(str(n), ", ".join(wave)) for n, wave in enumerate(plan.waves, 1)])
    yield _table("Waiting", ("track", "issues", "why"), [(one.track, runs[one.track], one.why) for one in plan.queued])
    yield _table("Conflicts", ("p", "tracks", "issues", "paths", "evidence"), meets)
    yield _table("Hot files", ("path", "issues"), hot)
    yield _table("Scopes", ("track", "likely files"), scopes)
    yield _table("Cycles", ("issues",), [(" → ".join((*cycle, cycle[0])),) for cycle in plan.cycles])
    yield _table("Epics", ("epic", "done", "title"), [(e.id, f"{e.done} of {e.total}", e.title) for e in plan.epics])
    yield _table("Problems of the input", ("where", "what", "done"), [(p.where, p.what, p.did) for p in plan.problems])


def _files(plan: Plan, track: Track) -> str:
    files, _, _ = track_scope(plan, track)
    return ", ".join(f"{file.path} ({file.p:.0%})" for file in files[:6])


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(clean(cell))}</td>' for cell in row)}</tr>" for row in rows[:MOST_ROWS])
    more = f'<p class="soft">and {len(rows) - MOST_ROWS} more</p>' if len(rows) > MOST_ROWS else ""
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
