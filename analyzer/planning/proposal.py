"""A plan and its parts, as frozen values. `plan.make_plan` makes one; `report` and its siblings show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from analyzer.backlog.issues import Issue, Trouble
from analyzer.backlog.readiness import Backlog
from analyzer.planning.facts import Facts
from analyzer.scopes.conflicts import Conflict
from analyzer.scopes.scope import Scope
from analyzer.scopes.seen import Seen
from analyzer.timing.tracks import Track
from resources.system.errors import Failure


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked: how many tracks may be begun now, of which issues, at which moment (seconds since 1970)."""

    now: float
    slots: int = 4
    only: tuple[str, ...] = ()
    epic: str = ""
    busy: tuple[str, ...] = ()
    """Issues being worked on now, those that wait to land included. They need no slot of `slots`."""
    seen: Mapping[str, Seen] = field(default_factory=dict, hash=False)
    """What unlanded work has changed already, by issue."""


@dataclass(frozen=True)
class Blocked:
    """An unfinished issue that cannot be begun, and why."""

    id: str
    waits_for: tuple[str, ...]
    why: str
    held: bool = False
    """Something else than other issues holds it back too."""


@dataclass(frozen=True)
class Epic:
    """How far a container is. `closable`: unfinished itself, though all its children are done."""

    id: str
    title: str
    done: int
    total: int
    closable: bool


@dataclass(frozen=True, slots=True)
class TrackConflict:
    """Two tracks (`a` goes first) that would meet: the likeliest pair of their issues, and the paths of all pairs."""

    a: str
    b: str
    issues: tuple[str, str]
    paths: tuple[str, ...]
    worst: Conflict

    @property
    def p(self) -> float:
        """The chance of the likeliest pair."""
        return self.worst.p


@dataclass(frozen=True)
class Placed:
    """A track and where it goes: a slot name, or "" for the queue; and why."""

    track: str
    why: str
    slot: str = ""


@dataclass(frozen=True)
class Makespan:
    """Seconds: `expected` of the best timetable found, rework included; never under `lower_bound`."""

    expected: float
    lower_bound: float
    critical_path: tuple[str, ...]
    bound: str = "chain"
    """Which of the proofs binds: "chain", "slots" or "conflicts"."""
    binds: str = ""
    """The same in words."""
    gap: str = ""
    """Why `expected` is more than a tenth above the bound, "" when it is not."""
    proven: bool = False
    """Whether no schedule ends sooner."""


@dataclass(frozen=True)
class Plan:
    """The answer. Tuples are in the order in which they matter; ids are issue ids, `T1`… track ids."""

    facts: Facts
    request: Request
    backlog: Backlog
    problems: tuple[Trouble, ...]
    ready: tuple[str, ...]
    blocked: tuple[Blocked, ...]
    cycles: tuple[tuple[str, ...], ...]
    layers: tuple[tuple[str, ...], ...]
    epics: tuple[Epic, ...]
    scopes: Mapping[str, Scope]
    predicted: Mapping[str, Scope]
    """The scopes before what was seen of unlanded work corrected them: what may stand for the next plan."""
    issue_conflicts: tuple[Conflict, ...]
    tracks: tuple[Track, ...]
    conflicts: tuple[TrackConflict, ...]
    """Those that the waves keep apart."""
    soft_conflicts: tuple[Conflict, ...]
    """Issues that may meet, too unlikely to be kept apart: side by side they cost the rework to expect."""
    hot_conflicts: tuple[TrackConflict, ...]
    """Meetings in hot files alone, which the waves allow."""
    waves: tuple[tuple[str, ...], ...]
    assignments: tuple[Placed, ...]
    queued: tuple[Placed, ...]
    makespan: Makespan

    @cached_property
    def track_of(self) -> dict[str, Track]:
        """The track of every issue that is in one."""
        return {issue: track for track in self.tracks for issue in track.issues}

    @cached_property
    def can_begin(self) -> frozenset[str]:
        """The ready issues, for whoever asks of many."""
        return frozenset(self.ready)

    @cached_property
    def held(self) -> dict[str, Blocked]:
        """The issues that are not ready, by id."""
        return {one.id: one for one in self.blocked}

    @cached_property
    def place_of(self) -> dict[str, Placed]:
        """Where each track stands: its slot, or the queue."""
        return {one.track: one for one in (*self.queued, *self.assignments)}

    def issue(self, name: str) -> Issue:
        """The issue called `name`. Raises Failure("no-such-issue") with the nearest id."""
        return find_issue(self.backlog.issues, name)


def find_issue(issues: Mapping[str, Issue], name: str) -> Issue:
    """The issue called `name`. Raises Failure("no-such-issue") with the nearest id."""
    if name in issues:
        return issues[name]
    from difflib import get_close_matches

    near = get_close_matches(name, issues, 1)
    raise Failure("no-such-issue", f"the tracker has no issue {name}", why=f"did you mean {near[0]}?" if near else "")
