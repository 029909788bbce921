"""A plan as one HTML file: the graph to look at and ask, then what to do now, what waits, who would meet where.

Everything is inside the file and nothing is fetched: a policy in its head forbids it. The graph opens with the first
layers of a tracker of any size; search, filters, a click on an issue and the buttons show the rest (`graph_page.js`).
Without scripts the static drawing stands in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from analyzer.planning.placing import hours
from analyzer.planning.proposal import Plan
from analyzer.planning.study import circle
from analyzer.showing.canvas import as_script, canvas
from analyzer.showing.drawing import svg
from analyzer.showing.layout import clean
from analyzer.showing.report import hot_files, track_scope
from analyzer.timing.tracks import Track

MOST_ROWS = 300
"""Rows of a table before the rest is only counted."""
WITHOUT_SCRIPTS = 80
"""Tracks of the static drawing, which few will see."""

_HERE = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
_STATES = {"now": "begin now", "ready": "ready", "waits": "waits", "blocked": "blocked"}


def html(plan: Plan) -> str:
    """The page; everything it needs is inside."""
    source = plan.facts.source
    parts = [
        f"<h1>Plan for {plan.request.slots} slots</h1>",
        f'<p class="soft">{escape(source.path)}, {source.count} issues</p>',
        f'<p class="warn">{escape(source.stale)}</p>' if source.stale else "",
        _figures(plan),
        _graph(plan),
        *_tables(plan),
    ]
    script = (_HERE / "graph_page.js").read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Plan: {escape(source.path)}</title>"
        f"<style>{(_HERE / 'graph_page.css').read_text(encoding='utf-8')}</style></head>"
        f"<body><main>{''.join(parts)}</main>"
        f'<script id="plan" type="application/json">{as_script(canvas(plan))}</script>'
        f"<script>{script}</script></body></html>\n"
    )


def _graph(plan: Plan) -> str:
    """The frame that the script fills: tools, cards and ties, the panel of one issue."""
    states = "".join(
        f'<label><input type="checkbox" data-state="{name}" checked>'
        f'<i style="background:var(--{name})"></i>{words}</label>'
        for name, words in _STATES.items()
    )
    tips = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="2" refY="4" markerWidth="8" markerHeight="8" orient="auto" '
        f'markerUnits="userSpaceOnUse"><path class="tip {name}" d="M0 0L8 4L0 8z"/></marker>'
        for name in ("tip", "gold")
    )
    return (
        '<div class="tools"><input type="search" id="search" placeholder="Search id, title, label…" '
        f'aria-label="Search">{states}'
        '<label><input type="checkbox" id="meetings" checked><i class="stroke"></i>would meet in a file</label>'
        '<label><input type="checkbox" id="critical" checked><i class="stroke path"></i>critical path</label>'
        '<span class="found" id="found"></span></div>'
        f'<div id="graph"><svg id="ties" aria-hidden="true"><defs>{tips}</defs></svg><div id="bands"></div></div>'
        '<aside id="panel" hidden></aside><div id="tip" hidden></div>'
        f"<noscript>{svg(plan, WITHOUT_SCRIPTS)}</noscript>"
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
        (f"{c.p:.0%}", f"{c.a} × {c.b}", " / ".join(c.issues), ", ".join(c.paths[:6]), "; ".join(c.worst.evidence[:4]))
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
    yield _table("Cycles", ("issues",), [(circle(cycle),) for cycle in plan.cycles])
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
