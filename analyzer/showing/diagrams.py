"""The graph of a plan in the languages of other programs: Mermaid and Graphviz.

Nodes are the issues of the tracks, grouped by track and coloured by what can be done with them; an arrow goes from
what comes first to what waits for it, heavy along the critical path, a dashed red line joins issues that would meet
in a file. All
tracks are drawn that the format can bear, those with ties first, and the drawing itself says how many it leaves out:
Graphviz takes any number, Mermaid as many as its default limits of text and of lines allow.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from analyzer.planning.proposal import Plan
from analyzer.scopes.conflicts import Conflict
from analyzer.showing.hover import hues, told
from analyzer.showing.layout import clean, clip
from analyzer.timing.tracks import Track

_JOINS = re.compile(r"^  n\d+ (==>|-->|-\. )")
MERMAID_TEXT, MERMAID_LINES = 50_000, 500
"""What Mermaid draws by default (`maxTextSize`, `maxEdges`): characters, and lines between nodes."""
COLOURS = {"now": "#2f9e44", "ready": "#1c7ed6", "waits": "#868e96", "blocked": "#e8590c"}
"""What a node is -> its colour."""


@dataclass(frozen=True)
class Picture:
    """What is drawn of a plan: tracks, the ties among their issues, and how many tracks are left out."""

    tracks: tuple[Track, ...]
    edges: tuple[tuple[str, str], ...]
    """(what comes first, what waits for it)."""
    conflicts: tuple[Conflict, ...]
    left_out: int


def picture(plan: Plan, most: int | None = None) -> Picture:
    """Choose at most so many tracks: those to begin now, then those with ties, in the plan's order otherwise."""
    every = tuple(arrows(plan))
    joined = {issue for edge in every for issue in edge}
    tied = {track.id for track in plan.tracks if not joined.isdisjoint(track.issues)}
    tied |= {name for conflict in plan.conflicts for name in (conflict.a, conflict.b)}
    given = {one.track for one in plan.assignments}
    wanted = sorted(plan.tracks, key=lambda track: (track.id not in given, track.id not in tied))[:most]
    names = {track.id for track in wanted}
    shown = tuple(track for track in plan.tracks if track.id in names)
    issues = {issue for track in shown for issue in track.issues}
    edges = tuple(edge for edge in every if issues >= {*edge})
    meets = tuple(c for c in plan.issue_conflicts if {c.a, c.b} <= issues and not c.hot_only)
    return Picture(shown, edges, meets, len(plan.tracks) - len(shown))


def state(plan: Plan, name: str) -> str:
    """What an issue is: one of COLOURS."""
    track = plan.track_of[name]
    if any(one.track == track.id for one in plan.assignments) and name == track.issues[0]:
        return "now"
    if name in plan.can_begin:
        return "ready"
    return "blocked" if track.status.value == "BLOCKED" else "waits"


def mermaid(plan: Plan) -> str:
    """A Mermaid flowchart of as many tracks as Mermaid draws, and of one at least."""
    counts = range(1, min(len(plan.tracks), MERMAID_TEXT) + 1)
    most = bisect_left(counts, x=True, key=lambda count: not _is_bearable(_mermaid(plan, picture(plan, count))))
    return _mermaid(plan, picture(plan, max(1, most)))


def _is_bearable(text: str) -> bool:
    return (
        len(text) <= MERMAID_TEXT
        and sum(_JOINS.search(line) is not None for line in text.splitlines()) <= MERMAID_LINES
    )


def _mermaid(plan: Plan, shown: Picture) -> str:
    issues = [issue for track in shown.tracks for issue in track.issues]
    names = {issue: f"n{number}" for number, issue in enumerate(issues)}
    hue, steps = hues(plan), critical_steps(plan)
    lines = ["flowchart LR"]
    for track in shown.tracks:
        lines.append(f'  subgraph {track.id}["{track.id} {track.status.value}"]')
        lines += [f'    {names[issue]}["{_escaped(plan, issue)}"]:::{state(plan, issue)}' for issue in track.issues]
        lines.append("  end")
    lines += [f"  style {track.id} fill:hsl({hue[track.id]}, 60%, 90%),stroke:none" for track in shown.tracks]
    lines += [
        f"  {names[first]} {'==>' if (first, then) in steps else '-->'} {names[then]}" for first, then in shown.edges
    ]
    lines += [f'  {names[c.a]} -. "{c.p:.0%}" .- {names[c.b]}' for c in shown.conflicts]
    lines += [f"  classDef {kind} fill:{colour},stroke:{colour},color:#fff" for kind, colour in COLOURS.items()]
    if shown.left_out:
        lines += [
            f'  rest["and {shown.left_out} more tracks that are not drawn"]',
            "  style rest fill:none,stroke:none",
        ]
    return "\n".join(lines) + "\n"


def dot(plan: Plan) -> str:
    """A Graphviz digraph."""
    shown = picture(plan)
    hue, steps = hues(plan), critical_steps(plan)
    lines = [
        "digraph plan {",
        '  graph [rankdir=LR, fontname="sans-serif", color="#ced4da"];',
        '  node [shape=box, style="rounded,filled", fontcolor=white, fontname="sans-serif"];',
    ]
    for track in shown.tracks:
        lines.append(f'  subgraph "cluster_{track.id}" {{ label="{track.id} {track.status.value}";')
        lines.append(f'    style="rounded,filled"; color="{hue[track.id] / 360:.3f} 0.12 0.96";')
        for issue in track.issues:
            colour = COLOURS[state(plan, issue)]
            words = f"label={_quoted(_label(plan, issue))}, tooltip={_quoted(told(plan, issue))}"
            lines.append(f'    {_quoted(issue)} [{words}, color="{colour}"];')
        lines.append("  }")
    for first, then in shown.edges:
        heavy = ' [penwidth=3, color="#d4a017"]' if (first, then) in steps else ""
        lines.append(f"  {_quoted(first)} -> {_quoted(then)}{heavy};")
    look = 'dir=none, style=dashed, color="#e03131", constraint=false'
    lines += [
        f'  {_quoted(c.a)} -> {_quoted(c.b)} [{look}, label="{c.p:.0%}", edgetooltip={_quoted(", ".join(c.paths))}];'
        for c in shown.conflicts
    ]
    return "\n".join([*lines, "}"]) + "\n"


def arrows(plan: Plan) -> Iterator[tuple[str, str]]:
    """(What comes first, what waits for it) among the issues of the tracks; an epic stands for its open children."""
    for one in plan.blocked:
        for blocker in one.waits_for if one.id in plan.track_of else ():
            if blocker in plan.track_of:
                yield blocker, one.id
            else:
                children = plan.backlog.open_children(blocker)
                yield from ((child, one.id) for child in children if child in plan.track_of)


def critical_steps(plan: Plan) -> frozenset[tuple[str, str]]:
    """The arrows of the critical path."""
    path = plan.makespan.critical_path
    return frozenset(pairwise(path))


def _label(plan: Plan, name: str) -> str:
    return f"{name}\n{clip(clean(plan.issue(name).title), 40)}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _escaped(plan: Plan, name: str) -> str:
    text = _label(plan, name).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text.replace("#", "#35;").replace("\n", "<br/>")
