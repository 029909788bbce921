"""The graph of a plan as SVG, drawn here so that the report needs no other program and no network.

Each track is a band of boxes, one per issue, with its slot or wave above. Tracks that are tied by dependencies stand
on top: from left to right by how many issues must be done before theirs, packed into as few rows as that allows.
Loose tracks fill a grid below. Arrows run from what comes first to what waits; dashed red lines join tracks that
would meet in a file, the likeliest ones only. Hovering tells the title, the reason, the paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from analyzer.planning.proposal import Plan, TrackConflict
from analyzer.showing.diagrams import COLOURS, Picture, critical_steps, picture, state
from analyzer.showing.hover import hues, told
from analyzer.showing.layout import clean, clip
from analyzer.timing.tracks import Track

BOX, GAP, ROW = (168.0, 40.0), 52.0, 84.0
"""Width and height of an issue, room between two columns, height of a row; in pixels."""
TOP, SIDE, CAPTION = 46.0, 18.0, 19.0
"""Above the first row, beside the first column, and for the words above a band."""
LEGEND = 710.0
"""Where the legend ends."""
GRID = 5
"""Columns of the grid of loose tracks, where the tied ones do not need more."""
MOST_TRACKS = 2000
"""What a browser still scrolls smoothly."""
MOST_MEETINGS = 300

_STYLE = """
text{font:12px system-ui,sans-serif;fill:#212529}.id{font-weight:600;fill:#fff}.title{fill:#fff;font-size:10px}
.band{fill:hsl(var(--hue) 45% 93%)}.place{font-size:11px;fill:#868e96}.arrow{fill:none;stroke:#868e96;stroke-width:1.4}
.critical{stroke:#d4a017;stroke-width:2.6}
.meet{fill:none;stroke:#e03131;stroke-width:1.3;stroke-dasharray:4 3;opacity:.75}.sheet{fill:#fff}
@media(prefers-color-scheme:dark){.sheet{fill:#16181b}text{fill:#e9ecef}.band{fill:hsl(var(--hue) 18% 20%)}}
"""


@dataclass(frozen=True)
class _Spot:
    """The box of an issue: its upper left corner."""

    x: float
    y: float

    @property
    def right(self) -> float:
        return self.x + BOX[0]

    @property
    def middle(self) -> float:
        return self.y + BOX[1] / 2


def svg(plan: Plan, most: int = MOST_TRACKS) -> str:
    """The drawing as one SVG element, dark where the viewer is; it says how many tracks and meetings it leaves out."""
    shown = picture(plan, most)
    spots, height = _spots(plan, shown)
    width = max([spot.right for spot in spots.values()] + [560.0]) + SIDE + 40
    ties = (*_meetings(plan, spots), *_arrows(plan, shown, spots))  # below the boxes, so that their words stay readable
    body = [*_bands(plan, shown, spots), *ties, *_boxes(plan, spots), *_legend()]
    unmet = max(0, len(_met(plan, spots)) - MOST_MEETINGS)
    left_out = [f"{count} more {what}" for count, what in ((shown.left_out, "tracks"), (unmet, "meetings")) if count]
    if left_out:
        body.append(_text(LEGEND, 24, f"not drawn: {' and '.join(left_out)}"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="tracks and their dependencies"><style>{_STYLE}</style>'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" orient="auto" '
        'markerUnits="userSpaceOnUse">'
        '<path d="M0 0L8 4L0 8z" fill="#868e96"/></marker></defs>'
        f'<rect class="sheet" width="100%" height="100%"/>{"".join(body)}</svg>\n'
    )


def _spots(plan: Plan, shown: Picture) -> tuple[dict[str, _Spot], float]:
    """Where every issue is drawn, and the height that takes."""
    tied = {issue for edge in shown.edges for issue in edge}
    depth = {issue: number for number, layer in enumerate(plan.layers) for issue in layer}
    rows: list[set[int]] = []
    places: dict[str, tuple[int, int]] = {}
    for track in shown.tracks:
        if not tied.isdisjoint(track.issues):
            _pack(_columns(track, depth), rows, places, 0)
    columns = max([column for column, _ in places.values()] + [GRID - 1]) + 1
    first = len(rows)
    for track in shown.tracks:
        if tied.isdisjoint(track.issues):
            _pack_loose(track, rows, places, first, columns)
    spots = {
        issue: _Spot(SIDE + column * (BOX[0] + GAP), TOP + row * ROW + CAPTION)
        for issue, (column, row) in places.items()
    }
    return spots, TOP + len(rows) * ROW


def _columns(track: Track, depth: Mapping[str, int]) -> dict[str, int]:
    """Issue -> its column: as deep as its dependencies put it, and after the one before it in the track."""
    found: dict[str, int] = {}
    column = -1
    for issue in track.issues:
        column = max(column + 1, depth.get(issue, 0))
        found[issue] = column
    return found


def _pack(columns: Mapping[str, int], rows: list[set[int]], places: dict[str, tuple[int, int]], first: int) -> None:
    """Put a track into the first row from `first` on where the columns from its first to its last are free."""
    wanted = set(range(min(columns.values()), max(columns.values()) + 1))
    row = next((number for number in range(first, len(rows)) if not rows[number] & wanted), len(rows))
    if row == len(rows):
        rows.append(set())
    rows[row] |= wanted
    places.update({issue: (column, row) for issue, column in columns.items()})


def _pack_loose(
    track: Track, rows: list[set[int]], places: dict[str, tuple[int, int]], first: int, columns: int
) -> None:
    """Put a track without ties at the end of the last row of the grid, or into a new one."""
    start = max(rows[-1], default=-1) + 1 if len(rows) > first else 0
    if start + len(track.issues) > columns:
        start = 0
    at = {issue: start + number for number, issue in enumerate(track.issues)}
    _pack(at, rows, places, len(rows) - 1 if start else len(rows))


def _bands(plan: Plan, shown: Picture, spots: Mapping[str, _Spot]) -> Iterator[str]:
    slots, hue = {one.track: one.slot for one in plan.assignments}, hues(plan)
    wave = {name: number for number, names in enumerate(plan.waves, 1) for name in names}
    for track in shown.tracks:
        start, end = spots[track.issues[0]], spots[track.issues[-1]]
        corner = f'x="{start.x - 6:.0f}" y="{start.y - CAPTION:.0f}"'
        size = f'width="{end.right - start.x + 12:.0f}" height="{BOX[1] + CAPTION + 6:.0f}"'
        yield f'<rect class="band" style="--hue:{hue[track.id]}" {corner} {size} rx="9"/>'
        place = slots.get(track.id) or (f"wave {wave[track.id]}" if track.id in wave else "blocked")
        yield _text(start.x, start.y - 6, f"{track.id}  {place}", "place")


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f'<text{mark} x="{x:.0f}" y="{y:.0f}">{escape(words)}</text>'


def _boxes(plan: Plan, spots: Mapping[str, _Spot]) -> Iterator[str]:
    path = plan.makespan.critical_path
    for name, spot in spots.items():
        title = clean(plan.issue(name).title)
        mark = ' class="critical"' if len(path) > 1 and name in path else ""
        place = f'x="{spot.x:.0f}" y="{spot.y:.0f}" width="{BOX[0]:.0f}" height="{BOX[1]:.0f}"'
        yield (
            f"<g><title>{escape(told(plan, name))}</title>"
            f'<rect{mark} {place} rx="6" fill="{COLOURS[state(plan, name)]}"/>'
            + _text(spot.x + 9, spot.y + 17, clip(name, 22), "id")
            + _text(spot.x + 9, spot.y + 31, clip(title, 27), "title")
            + "</g>"
        )


def _arrows(plan: Plan, shown: Picture, spots: Mapping[str, _Spot]) -> Iterator[str]:
    path = critical_steps(plan)
    for first, then in shown.edges:
        a, b = spots[first], spots[then]
        reach = max(26.0, abs(b.x - a.right) / 2)
        curve = _curve((a.right, a.middle), a.right + reach, b.x - reach, (b.x, b.middle))
        words = escape(f"{then} waits for {first}")
        mark = "arrow critical" if (first, then) in path else "arrow"
        yield f'<path class="{mark}" d="{curve}" marker-end="url(#tip)"><title>{words}</title></path>'


def _meetings(plan: Plan, spots: Mapping[str, _Spot]) -> Iterator[str]:
    for conflict in _met(plan, spots)[:MOST_MEETINGS]:
        a, b = (spots[issue] for issue in conflict.issues)
        bulge = max(a.right, b.right) + min(48.0, 14 + abs(a.y - b.y) / 8)
        curve = _curve((a.right, a.middle), bulge, bulge, (b.right, b.middle))
        words = escape(f"{' and '.join(conflict.issues)}: {conflict.p:.0%}, {', '.join(conflict.paths[:5])}")
        yield f'<path class="meet" d="{curve}"><title>{words}</title></path>'


def _met(plan: Plan, spots: Mapping[str, _Spot]) -> list[TrackConflict]:
    """The conflicts between issues that are drawn, likeliest first."""
    return [conflict for conflict in plan.conflicts if spots.keys() >= {*conflict.issues}]


def _curve(start: tuple[float, float], out: float, back: float, end: tuple[float, float]) -> str:
    """A cubic curve that leaves and arrives level; `out` and `back` are the x of its two handles."""
    handles = f"{out:.0f} {start[1]:.0f} {back:.0f} {end[1]:.0f}"
    return f"M{start[0]:.0f} {start[1]:.0f}C{handles} {end[0]:.0f} {end[1]:.0f}"


def _legend() -> Iterator[str]:
    x = SIDE
    meaning = {"now": "begin now", "ready": "ready", "waits": "waits for others", "blocked": "blocked"}
    for kind, words in meaning.items():
        yield f'<rect x="{x:.0f}" y="14" width="12" height="12" rx="3" fill="{COLOURS[kind]}"/>'
        yield _text(x + 18, 24, words)
        x += 34 + 6.5 * len(words)
    yield f'<path class="meet" d="M{x:.0f} 20h26"/>{_text(x + 32, 24, "would meet in a file")}'
    yield f'<path class="arrow critical" d="M{x + 166:.0f} 20h26"/>{_text(x + 198, 24, "critical path")}'
