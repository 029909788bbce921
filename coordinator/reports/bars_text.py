"""A timeline for the terminal: one row for each slot, one for the base branch, and a list of attempts. Pure."""

from __future__ import annotations

from coordinator.reports.bars import Bar, Outcome, Timeline, clock, cut, short_names, ticks

WORK, WAIT, GATE = "━", "┄", "▓"
LONG = 600.0
"""Seconds from which on a run's times are told in minutes and hours."""
MARKS = {
    Outcome.WORKING: "▸",
    Outcome.FINISHED: "▸",
    Outcome.LANDED: "✓",
    Outcome.RESOLVED: "≡",
    Outcome.RED: "✗",
    Outcome.BOUNCED: "↯",
    Outcome.FAILED: "!",
    Outcome.STOPPED: "■",
    Outcome.HANDED_OFF: "⚑",
}


def timeline_text(timeline: Timeline, *, base: str = "main", width: int = 110, leaks: int | None = None) -> str:
    """The timeline as lines of at most `width` characters; `base` names the branch that is landed on."""
    if not timeline.bars:
        return "nothing has been worked on yet\n"
    margin = min(max(map(len, (*timeline.slots, base))), width // 4)
    canvas = _Canvas(timeline, width - margin - 3)
    lines = [timeline.headline(), timeline.details(leaks), "", f"{'':{margin}} ┌{canvas.axis()}"]
    lines += [f"{cut(slot, margin):{margin}} │{canvas.lane(timeline.lane(slot))}" for slot in timeline.slots]
    lines += [f"{cut(base, margin):{margin}} └{canvas.landings()}", "", *_legend(timeline, width), ""]
    lines += _rows(timeline, width)
    return "\n".join(line.rstrip() for line in lines) + "\n"


class _Canvas:
    """Rows of `columns` characters over the time of the run."""

    def __init__(self, timeline: Timeline, columns: int) -> None:
        self.timeline = timeline
        self.columns = columns
        self.names = short_names(bar.issue for bar in timeline.bars)

    def column(self, at: float) -> int:
        return min(int(at / max(self.timeline.seconds, 0.001) * (self.columns - 1)), self.columns - 1)

    def axis(self) -> str:
        row = ["─"] * self.columns
        for at in ticks(self.timeline.seconds, max(1, self.columns // 12)):
            label = f"┬{clock(at).replace(' ', '')}"
            place = self.column(at)
            if place + len(label) <= self.columns:
                row[place : place + len(label)] = label
        return "".join(row)

    def lane(self, bars: tuple[Bar, ...]) -> str:
        row = [" "] * self.columns
        # A bar ends at least one column before the next one begins: its mark must stay.
        nexts = [self.column(bar.begin) for bar in bars[1:]] + [self.columns]
        for bar, after in zip(bars, nexts, strict=True):
            begin = self.column(bar.begin)
            end = max(begin, min(self.column(self.timeline.until(bar)), after - 1))
            worked = min(end, self.column(self.timeline.until(bar) if bar.worked is None else bar.worked))
            row[begin : end + 1] = WORK * (worked - begin) + WAIT * (end + 1 - worked)
            for gate in bar.gates:
                first = min(self.column(gate.begin), end)
                last = min(self.column(self.timeline.seconds if gate.end is None else gate.end), end)
                row[first : last + 1] = GATE * (last + 1 - first)
            row[end] = MARKS[bar.outcome]
            # The name leaves one column for the mark; what it covers is work more often than not.
            name = self.names[bar.issue][: max(0, end - begin)]
            row[begin : begin + len(name)] = name
        return "".join(row)

    def landings(self) -> str:
        row = ["─"] * self.columns
        for bar in self.timeline.landings:
            row[self.column(self.timeline.until(bar))] = "●"
        return "".join(row)


def _legend(timeline: Timeline, width: int) -> list[str]:
    seen = dict.fromkeys(bar.outcome for bar in timeline.bars)
    lines = [f"{WORK} agent works"]
    parts = [f"{WAIT} waits for the gate", f"{GATE} gate", "● landing"]
    for part in parts + [f"{MARKS[outcome]} {outcome.value}" for outcome in Outcome if outcome in seen]:
        if len(lines[-1]) + 3 + len(part) > width:
            lines.append(part)
        else:
            lines[-1] += f"   {part}"
    return lines


def _span(timeline: Timeline, bar: Bar) -> str:
    begin, end = bar.begin, timeline.until(bar)
    if timeline.seconds < LONG:
        return f"{begin:6.1f} – {end:5.1f} s"
    return f"{clock(begin):>9} – {clock(end):>9}"


def _rows(timeline: Timeline, width: int) -> list[str]:
    issue = max(len(bar.issue) for bar in timeline.bars)
    agent = max(len(bar.agent) for bar in timeline.bars)
    rows = []
    for bar in timeline.bars:
        head = f"{_span(timeline, bar)}  {MARKS[bar.outcome]} {bar.issue:{issue}}  {bar.agent:{agent}}  {bar.slot}  "
        tried = f" (attempt {bar.attempt})" if bar.attempt > 1 else ""
        what = f"  {bar.outcome.value}{tried}" if bar.outcome is not Outcome.LANDED or tried else ""
        rows.append(cut(head + cut(bar.title, width - len(head) - len(what)) + what, width))
    return rows
