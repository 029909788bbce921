"""A run as bars in lanes, and the words that both drawings of it use. Pure.

A bar is one attempt at one issue in one slot. It spans the time in which the attempt held its slot: the
agent's work, the wait for the gate, the gate itself. How it ended gives it its outcome. All times are
seconds since the first event of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How an attempt ended."""

    WORKING = "working"
    FINISHED = "waits to land"
    LANDED = "landed"
    RESOLVED = "no change needed"
    RED = "red gate"
    BOUNCED = "bounced"
    FAILED = "failed"
    STOPPED = "stopped"
    HANDED_OFF = "handed off"


@dataclass(frozen=True)
class Gate:
    """One run of the gate; `passed` is None while it runs."""

    begin: float
    end: float | None = None
    passed: bool | None = None


@dataclass(frozen=True)
class Bar:
    """One attempt. `worked` is when the agent ended, `end` when its slot was done with it (None: not yet)."""

    issue: str
    title: str
    agent: str
    slot: str
    attempt: int
    begin: float
    worked: float | None = None
    end: float | None = None
    gates: tuple[Gate, ...] = ()
    outcome: Outcome = Outcome.WORKING
    why: str = ""
    warned: tuple[tuple[float, str], ...] = ()
    """When its agent was told that its work will not merge, and with what."""

    @property
    def last(self) -> float:
        """The last moment that is known of it."""
        told = [at for gate in self.gates for at in (gate.begin, gate.end)] + [at for at, _ in self.warned]
        return max(at for at in (self.begin, self.worked, self.end, *told) if at is not None)


QUIET, LONGEST = 1800.0, 6 * 3600.0
"""Seconds: nothing for so long divides two runs; nobody works for so long without anything to be told."""


@dataclass(frozen=True)
class Timeline:
    """A run: its bars in the order in which they began, how long it took, and when it began (wall-clock seconds)."""

    bars: tuple[Bar, ...]
    seconds: float
    origin: float = 0.0

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots that were used, in the order of their numbers."""
        return tuple(sorted({bar.slot for bar in self.bars}, key=_natural))

    @property
    def landings(self) -> tuple[Bar, ...]:
        """The attempts that landed, in the order in which they did."""
        return tuple(sorted((bar for bar in self.bars if bar.outcome is Outcome.LANDED), key=lambda bar: bar.end or 0))

    def runs(self) -> tuple[Timeline, ...]:
        """Its runs, oldest first: after `QUIET` seconds (`LONGEST` while something is open) another one begins."""
        parts: list[list[Bar]] = []
        known, is_open = 0.0, False
        for bar in self.bars:
            if not parts or bar.begin - known > (LONGEST if is_open else QUIET):
                parts.append([])
                is_open = False
            parts[-1].append(bar)
            known, is_open = max(known, bar.last), is_open or bar.end is None
        old = [self._part(part, max(bar.last for bar in part)) for part in parts[:-1]]
        return tuple(old + [self._part(part, self.seconds) for part in parts[-1:]])

    def _part(self, bars: Sequence[Bar], end: float) -> Timeline:
        begin = bars[0].begin
        return Timeline(tuple(_earlier(bar, begin) for bar in bars), end - begin, self.origin + begin)

    def lane(self, slot: str) -> tuple[Bar, ...]:
        """What happened in one slot."""
        return tuple(bar for bar in self.bars if bar.slot == slot)

    def until(self, bar: Bar) -> float:
        """Where a bar ends, the end of the run when it has not ended."""
        return self.seconds if bar.end is None else bar.end

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON answer; times are seconds since the first event."""
        return {"seconds": self.seconds, "slots": list(self.slots), "attempts": [asdict(bar) for bar in self.bars]}

    def headline(self) -> str:
        """One sentence: what was done, by how many, in what time."""
        issues, landed = len({bar.issue for bar in self.bars}), len(self.landings)
        slots, count = len(self.slots), str(landed) if landed == issues else f"{landed} of {issues}"
        return f"{count} {plural('issue', issues)} landed from {slots} {plural('slot', slots)} in {clock(self.seconds)}"

    def details(self, leaks: int | None) -> str:
        """The totals beneath it; `leaks` is None when nobody has looked."""
        count = len(self.bars)
        facts = [f"{count} {plural('attempt', count)}"]
        for outcome in (Outcome.RED, Outcome.BOUNCED, Outcome.FAILED, Outcome.HANDED_OFF):
            found = sum(bar.outcome is outcome for bar in self.bars)
            facts += [f"{found} {plural(outcome.value, found) if outcome is Outcome.RED else outcome.value}"] * bool(
                found
            )
        gates = [gate for bar in self.bars for gate in bar.gates]
        facts.append(f"{len(gates)} {plural('gate run', len(gates))}")
        facts += [] if leaks is None else [f"{leaks} {plural('leak', leaks)}"]
        return " · ".join(facts)


def _earlier(bar: Bar, by: float) -> Bar:
    gates = (replace(one, begin=one.begin - by, end=None if one.end is None else one.end - by) for one in bar.gates)
    return replace(
        bar, begin=bar.begin - by, worked=None if bar.worked is None else bar.worked - by,
        end=None if bar.end is None else bar.end - by, gates=tuple(gates),
        warned=tuple((at - by, what) for at, what in bar.warned),
    )  # fmt: skip


def short_names(issues: Iterable[str]) -> dict[str, str]:
    """Each id without the prefix that all of them share (`desk-a7c` -> `a7c`)."""
    ids = set(issues)
    prefixes = {issue.rpartition("-")[0] for issue in ids}
    common = len(prefixes.pop()) if len(prefixes) == 1 else -1
    return {issue: issue[common + 1 :] for issue in ids}


def cut(text: str, width: int) -> str:
    """`text` in at most `width` characters, with an ellipsis where something is missing."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…" if width > 1 else ""


def plural(word: str, count: int) -> str:
    """`word` as it follows `count`."""
    return word if count == 1 else f"{word}s"


def clock(seconds: float) -> str:
    """A duration for people: 31 s, 4:05 min, 1:02 h."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60}:{whole % 60:02} min" if whole < 7200 else f"{whole // 3600}:{whole % 3600 // 60:02} h"


def ticks(seconds: float, most: int) -> list[float]:
    """Round times from 0 to `seconds`, at most `most` steps."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)
    step = next((step for step in steps if seconds / step <= most), 86400)
    return [float(at) for at in range(0, int(seconds) + 1, step)]


def _natural(name: str) -> tuple[str, int, str]:
    digits = name[len(name.rstrip("0123456789")) :]
    return name[: len(name) - len(digits)], int(digits or 0), name
