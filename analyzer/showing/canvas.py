"""A plan as the data that the drawing of the HTML page works on (`graph_page.js`).

Everything by number, to keep the page of a large tracker small: an issue knows its layer and its track by their
places in the lists, an edge its ends. The likeliest conflicts are kept up to a limit, and of each scope the first
files, fewer where there are thousands of issues.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.planning.proposal import Plan
from analyzer.showing.diagrams import arrows, state
from analyzer.showing.hover import hues
from analyzer.showing.layout import clean
from analyzer.showing.report import placement, why_not

MOST_MEETINGS = 4000
MANY_ISSUES = 3000
FILES = (8, 3)
"""Files told of one scope: in most trackers, and in one of more than MANY_ISSUES."""

Json = dict[str, Any]


def canvas(plan: Plan) -> Json:
    """The data; the keys are read by `graph_page.js` alone."""
    number = {issue: place for place, issue in enumerate(plan.track_of)}
    return {
        "issues": list(_issues(plan)),
        "layers": [list(layer) for layer in _layers(plan)],
        "tracks": list(_tracks(plan)),
        "edges": [[number[first], number[then]] for first, then in arrows(plan)],
        "meets": list(_meets(plan, number)),
    }


def as_script(data: Json) -> str:
    """The data as JSON that may stand inside a script element, whatever the titles say."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _issues(plan: Plan) -> Iterator[Json]:
    depth = {name: number for number, layer in enumerate(plan.layers) for name in layer}
    place = {track.id: number for number, track in enumerate(plan.tracks)}
    most = FILES[len(plan.track_of) > MANY_ISSUES]
    critical = frozenset(plan.makespan.critical_path if len(plan.makespan.critical_path) > 1 else ())
    for name, track in plan.track_of.items():
        issue, scope = plan.issue(name), plan.scopes.get(name)
        files = scope.files[:most] if scope else ()
        yield {
            "id": name,
            "title": clean(issue.title),
            "text": clean(" ".join((name, issue.title, issue.kind, *issue.labels, issue.assignee))).lower(),
            "kind": clean(issue.kind),
            "priority": issue.priority,
            "state": state(plan, name),
            "why": why_not(plan, issue),
            "layer": depth.get(name, len(plan.layers)),
            "track": place[track.id],
            "critical": name in critical,
            "files": [[file.path, round(file.p, 2), "; ".join(file.evidence[:2])] for file in files],
            "fresh": [pattern for pattern, _ in scope.new[:most]] if scope else [],
        }


def _layers(plan: Plan) -> Iterator[tuple[str, str]]:
    """(Name, what is said of it) per layer; `{}` stands for the number of its issues that the filters let through."""
    ready = set(plan.ready)
    for number, layer in enumerate(plan.layers):
        begun = sum(name in ready for name in layer)
        told = f"{begun} can begin" if begun else f"after layer {number}"
        yield f"Layer {number + 1}", f"{{}} issues, {told}"
    if {name for layer in plan.layers for name in layer} < plan.track_of.keys():
        yield "In no layer", "{} issues that wait for themselves, or for issues that do"


def _tracks(plan: Plan) -> Iterator[Json]:
    hue = hues(plan)
    slots = {one.track: one.slot for one in plan.assignments}
    wave = {name: number for number, names in enumerate(plan.waves, 1) for name in names}
    for track in plan.tracks:
        place = slots.get(track.id) or (f"wave {wave[track.id]}" if track.id in wave else "blocked")
        yield {"id": track.id, "hue": hue[track.id], "place": place, "why": placement(plan, track) or track.why}


def _meets(plan: Plan, number: Mapping[str, int]) -> Iterator[Json]:
    kept = (conflict for conflict in plan.issue_conflicts if {conflict.a, conflict.b} <= number.keys())
    for conflict, _ in zip(
        sorted(kept, key=lambda one: (one.hot_only, -one.p, one.a)), range(MOST_MEETINGS), strict=False
    ):
        yield {
            "a": number[conflict.a],
            "b": number[conflict.b],
            "p": round(conflict.p, 2),
            "paths": list(conflict.paths[:5]),
            "why": "\n".join(conflict.evidence[:3]),
            "hot": conflict.hot_only,
        }
