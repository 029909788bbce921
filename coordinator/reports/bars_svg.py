"""A timeline as one SVG file that stands alone: no script, no font, no link. Pure.

It follows the reader's light or dark scheme (`prefers-color-scheme`, which also holds where a page shows
it as an image). Text is cut by an estimate of its width, because an SVG cannot measure.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from coordinator.reports.bars import Bar, Gate, Outcome, Timeline, clock, cut, short_names, ticks

WIDTH, MARGIN, RIGHT = 1120, 104, 24
TOP, LANE, BAR = 106, 66, 54
"""Pixels: where the lanes begin, the height of one, and of a bar in it."""
ROOM, MOST_WIDTH = 48, 12_000
"""Pixels for an attempt in the fullest lane, so that its name can be read; the widest picture."""
STRIP = 7
"""Height of the strip at a bar's foot that tells work, wait and gate apart."""

CLASSES = {
    Outcome.WORKING: "work",
    Outcome.FINISHED: "work",
    Outcome.LANDED: "good",
    Outcome.RESOLVED: "good",
    Outcome.RED: "bad",
    Outcome.BOUNCED: "bad",
    Outcome.FAILED: "bad",
    Outcome.STOPPED: "dull",
    Outcome.HANDED_OFF: "warn",
}
CENTRED = 'text-anchor="middle"'
MARKS = {"good": "✓", "bad": "✗", "warn": "⚑", "dull": "■", "work": "…"}

STYLE = """
svg{--card:#fff;--edge:#d8dee4;--ink:#1f2328;--soft:#656d76;--grid:#eaeef2;
 --good:#1a7f4b;--bad:#cf222e;--warn:#b06d00;--work:#2563c9;--dull:#7d8590;
 font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
@media (prefers-color-scheme:dark){svg{--card:#0d1117;--edge:#30363d;--ink:#e6edf3;--soft:#9198a1;--grid:#1c2128;
 --good:#3fb970;--bad:#f85149;--warn:#d9a032;--work:#6ea8fe;--dull:#8b949e}}
.card{fill:var(--card);stroke:var(--edge)}.grid{stroke:var(--grid)}.rail{stroke:var(--good);stroke-width:2.5}
text{fill:var(--ink);font-size:11px}.h{font-size:19px;font-weight:650}.soft{fill:var(--soft)}.sub{fill:var(--soft);font-size:13px}
.id{font-size:12px;font-weight:650}.lane{font-size:12.5px;font-weight:600}.small{font-size:10.5px}
.good{--c:var(--good)}.bad{--c:var(--bad)}.warn{--c:var(--warn)}.work{--c:var(--work)}.dull{--c:var(--dull)}
.back{fill:var(--card)}.body{fill:var(--c);fill-opacity:.13;stroke:var(--c);stroke-opacity:.45}
.strip{fill:var(--c)}.wait{stroke:var(--c);stroke-width:1.5;stroke-dasharray:2 3}.gate{stroke:var(--c)}
.mark{fill:var(--c);font-weight:700;font-size:13px}.drop{stroke:var(--good);stroke-opacity:.5;stroke-dasharray:1.5 3}
.warned{fill:var(--warn);stroke:var(--card);stroke-width:.8}.dot{fill:var(--good);stroke:var(--card);stroke-width:2}
""".strip()


def timeline_svg(timeline: Timeline, *, base: str = "main", leaks: int | None = None) -> str:
    """The picture; `base` names the branch that is landed on, `leaks` what a leak sweep found (None: not asked).

    A lane in which many attempts stand makes it wider.
    """
    drawing = _Drawing(timeline, base)
    parts = [
        *drawing.frame(timeline.headline(), timeline.details(leaks)),
        *drawing.axis(),
        *drawing.rail(),
        *(part for lane, slot in enumerate(timeline.slots) for part in drawing.lane(lane, slot)),
        *drawing.legend(),
    ]
    return "\n".join(parts) + "\n</svg>\n"


def width_of(timeline: Timeline) -> int:
    """How many pixels wide the picture is."""
    crowd = max((len(timeline.lane(slot)) for slot in timeline.slots), default=0)
    return max(WIDTH, min(MOST_WIDTH, MARGIN + RIGHT + ROOM * crowd))


class _Drawing:
    """Where things go, and the elements that show them."""

    def __init__(self, timeline: Timeline, base: str) -> None:
        self.timeline = timeline
        self.base = base
        self.names = short_names(bar.issue for bar in timeline.bars)
        self.foot = TOP + LANE * len(timeline.slots)
        """Where the lanes end; the rail of the base branch is below."""
        self.rail_y = self.foot + 26
        self.height = self.foot + 104
        self.width = width_of(timeline)

    def x(self, at: float) -> float:
        return MARGIN + at / max(self.timeline.seconds, 0.001) * (self.width - MARGIN - RIGHT - 6)

    def frame(self, headline: str, details: str) -> list[str]:
        label = escape(f"{headline}. {details}", {'"': "&quot;"})
        return [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img"'
            f' aria-label="{label}">',
            f"<style>{STYLE}</style>",
            f"<defs>{''.join(_hatch(kind) for kind in MARKS)}</defs>",
            f'<rect class="card" x=".5" y=".5" width="{self.width - 1}" height="{self.height - 1}" rx="12"/>',
            _text(24, 38, headline, "h"),
            _text(24, 60, details, "sub"),
        ]

    def axis(self) -> list[str]:
        found = []
        for at in ticks(self.timeline.seconds, 10):
            x = self.x(at)
            found.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{self.rail_y}"/>')
            found.append(_text(x, TOP - 14, clock(at), "soft", CENTRED))
        return found

    def rail(self) -> list[str]:
        """The base branch and its landings; names go to two levels so that neighbours do not meet."""
        y, ends = self.rail_y, [0.0, 0.0]
        found = [
            _text(24, y + 4, cut(self.base, 12), "lane"),
            f'<line class="rail" x1="{MARGIN}" x2="{self.width - RIGHT}" y1="{y}" y2="{y}"/>',
        ]
        for bar in self.timeline.landings:
            x, name = self.x(self.timeline.until(bar)), self.names[bar.issue]
            half = len(name) * 3.2
            level = 0 if x - half >= ends[0] else 1
            if x - half >= ends[level]:
                ends[level] = x + half + 3
                found.append(_text(x, y + 20 + 13 * level, name, "small soft", CENTRED))
            bottom = TOP + LANE * self.timeline.slots.index(bar.slot) + BAR
            found.append(f'<line class="drop" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{y}"/>')
            found.append(
                f'<circle class="dot" cx="{x:.1f}" cy="{y}" r="5.5"><title>{escape(bar.issue)} landed</title></circle>'
            )
        return found

    def lane(self, lane: int, slot: str) -> list[str]:
        y = TOP + LANE * lane
        found = [_text(24, y + BAR / 2 + 4, cut(slot, 12), "lane")]
        for bar in self.timeline.lane(slot):
            found += self.bar(bar, y)
        return found

    def bar(self, bar: Bar, y: float) -> list[str]:
        kind, (begin, end) = CLASSES[bar.outcome], (self.x(bar.begin), self.x(self.timeline.until(bar)))
        width = max(end - begin - 1.5, 3)
        tried = f", attempt {bar.attempt}" if bar.attempt > 1 else ""
        ending = f"{bar.outcome.value}: {bar.why}" if bar.why else bar.outcome.value
        story = f"{bar.issue}: {bar.title}\n{bar.agent} in {bar.slot}{tried}\n{ending}"
        name = self.names[bar.issue] + (f" ·{bar.attempt}" if bar.attempt > 1 else "")
        box = f'x="{begin:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" rx="5"'
        found = [
            f'<g class="{kind}"><title>{escape(story)}</title>',
            *(f'<rect class="{layer}" {box}/>' for layer in ("back", "body")),
            *self.strip(bar, y + BAR - STRIP, begin + width),
            *(self.warning(at, other, y + BAR - STRIP - 1) for at, other in bar.warned),
        ]
        if width >= 20:
            found.append(_text(begin + 5, y + 15, cut(name, int((width - 18) / 6.6)), "id"))
            found.append(_text(begin + width - 13, y + 15, MARKS[kind], "mark"))
            found.append(_text(begin + 5, y + 29, cut(bar.title, int((width - 6) / 5.9)), "small"))
            found.append(_text(begin + 5, y + 42, cut(bar.agent, int((width - 6) / 5.9)), "small soft"))
        return [*found, "</g>"]

    def strip(self, bar: Bar, y: float, end: float) -> list[str]:
        """Work solid, waiting dotted, gates hatched."""
        begin, worked = self.x(bar.begin), end if bar.worked is None else min(self.x(bar.worked), end)
        middle = y + STRIP / 2
        found = [f'<rect class="strip" x="{begin:.1f}" y="{y}" width="{worked - begin:.1f}" height="{STRIP}" rx="2"/>']
        ends = [worked, *(end if gate.end is None else min(self.x(gate.end), end) for gate in bar.gates)]
        begins = [*(min(self.x(gate.begin), end) for gate in bar.gates), end]
        for left, right in zip(ends, begins, strict=True):
            if right - left > 2:
                found.append(f'<line class="wait" x1="{left + 2:.1f}" x2="{right:.1f}" y1="{middle}" y2="{middle}"/>')
        return found + [self.gate(gate, y, end, CLASSES[bar.outcome]) for gate in bar.gates]

    def warning(self, at: float, other: str, y: float) -> str:
        """A triangle at the foot of a bar: its agent was told there what will not merge."""
        x, what = self.x(at), "what has landed" if other == "base" else other
        shape = f"M{x:.1f} {y - 8:.1f}l5 8h-10z"
        return f'<path class="warned" d="{shape}"><title>told: it will not merge with {escape(what)}</title></path>'

    def gate(self, gate: Gate, y: float, end: float, kind: str) -> str:
        first = self.x(gate.begin)
        last = end if gate.end is None else min(self.x(gate.end), end)
        box = f'x="{first:.1f}" y="{y}" width="{max(last - first, 2):.1f}" height="{STRIP}"'
        return f'<rect class="gate" fill="url(#hatch-{kind})" {box} rx="2"/>'

    def legend(self) -> list[str]:
        y, x = self.height - 18, float(MARGIN)
        found = []
        for shape, label in self.legend_entries(y):
            found.append(f'<g transform="translate({x:.0f} 0)">{shape}{_text(30, y, label, "soft")}</g>')
            x += 48 + len(label) * 5.8
        return found

    def legend_entries(self, y: float) -> list[tuple[str, str]]:
        top, middle = y - 8, y - 4.5
        strip = f'y="{top}" width="24" height="{STRIP}" rx="2"'
        shapes = {
            "agent works": f'<rect class="strip" {strip}/>',
            "waits for the gate": f'<line class="wait" x2="24" y1="{middle}" y2="{middle}"/>',
            "gate": f'<rect class="gate" fill="url(#hatch-dull)" {strip}/>',
        }
        strips = [(f'<g class="dull">{shape}</g>', label) for label, shape in shapes.items()]
        seen = {bar.outcome for bar in self.timeline.bars}
        for outcome in (outcome for outcome in Outcome if outcome in seen):
            kind = CLASSES[outcome]
            box = f'<rect class="body" x=".5" y="{y - 12}" width="23" height="15" rx="3"/>'
            strips.append((f'<g class="{kind}">{box}{_text(12, y, MARKS[kind], "mark", CENTRED)}</g>', outcome.value))
        if any(bar.warned for bar in self.timeline.bars):
            strips.append((f'<path class="warned" d="M12 {y - 9}l5 8h-10z"/>', "told what will not merge"))
        dot = f'<circle class="dot" cx="12" cy="{middle}" r="5.5"/>'
        return [*strips, (dot, f"landing on {self.base}")]


def _hatch(kind: str) -> str:
    pattern = (
        f'<pattern id="hatch-{kind}" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    )
    return f'{pattern}<rect class="strip {kind}" width="2.4" height="5"/></pattern>'


def _text(x: float, y: float, words: str, kind: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" {more}>{escape(words)}</text>' if words else ""
