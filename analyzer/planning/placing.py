"""Issues to tracks with names, issue conflicts to track conflicts, waves to slots: each choice with its reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from analyzer.planning.proposal import Placed, TrackConflict
from analyzer.planning.study import Study
from analyzer.scopes.conflicts import Conflict
from analyzer.timing.tracks import Track, TrackStatus


def name_tracks(study: Study, runs: Sequence[tuple[str, ...]]) -> tuple[Track, ...]:
    """The runs as tracks `T1`, `T2`, …: first those that can begin, then those that wait, then the blocked ones."""
    order = list(TrackStatus)
    placed = sorted(((order.index(_status(study, run)), position) for position, run in enumerate(runs)))
    return tuple(
        _track(study, f"T{number}", runs[position], order[status])
        for number, (status, position) in enumerate(placed, 1)
    )


def _status(study: Study, run: tuple[str, ...]) -> TrackStatus:
    if study.standings[run[0]].ready:
        return TrackStatus.INDEPENDENT
    return TrackStatus.BLOCKED if run[0] in study.reach or run[0] in study.under_way else TrackStatus.DEPENDENT


def _track(study: Study, name: str, run: tuple[str, ...], status: TrackStatus) -> Track:
    blocked = None if status is TrackStatus.INDEPENDENT else study.blocked(run[0])
    return Track(
        id=name,
        issues=run,
        status=status,
        priority=min(study.backlog.issues[issue].priority for issue in run),
        seconds=sum(study.seconds(issue) for issue in run),
        waits_for=blocked.waits_for if blocked else (),
        why=blocked.why if blocked else "",
    )


def conflicts_of(tracks: Sequence[Track], found: Iterable[Conflict]) -> tuple[TrackConflict, ...]:
    """The conflicts between issues of different tracks, one per pair of tracks; likeliest first, as `found` is."""
    place = {issue: position for position, track in enumerate(tracks) for issue in track.issues}
    pairs: dict[tuple[int, int], list[Conflict]] = {}
    for conflict in found:
        a, b = place.get(conflict.a), place.get(conflict.b)
        if a is not None and b is not None and a != b:
            pairs.setdefault((a, b) if a < b else (b, a), []).append(conflict)
    merged = [_merged(tracks[a], tracks[b], group) for (a, b), group in sorted(pairs.items())]
    return tuple(sorted(merged, key=lambda conflict: -conflict.p))


def _merged(a: Track, b: Track, group: Sequence[Conflict]) -> TrackConflict:
    worst = group[0]
    issues = (worst.a, worst.b) if worst.a in a.issues else (worst.b, worst.a)
    paths = (
        dict.fromkeys(chain.from_iterable([conflict.paths for conflict in group])) if len(group) > 1 else worst.paths
    )
    return TrackConflict(a.id, b.id, issues, tuple(paths), worst)


def neighbours(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Name -> the names it is paired with."""
    found: dict[str, set[str]] = defaultdict(set)
    for a, b in pairs:
        found[a].add(b)
        found[b].add(a)
    return {name: frozenset(others) for name, others in found.items()}


def assign(study: Study, tracks: Sequence[Track], wave: Sequence[str], slots: int) -> tuple[Placed, ...]:
    """The first wave, slot by slot."""
    by_name = {track.id: track for track in tracks}
    return tuple(
        Placed(name, _merit(study, by_name[name]), f"slot-{number}") for number, name in enumerate(wave[:slots], 1)
    )


def _merit(study: Study, track: Track) -> str:
    """Why this track is among the first: urgency, then what hangs on it."""
    urgency, *_ = study.rank(track.issues[0])
    first = study.backlog.issues[track.issues[0]]
    told = [f"ready, P{first.priority}" + (f" with P{urgency} work waiting for it" if urgency < first.priority else "")]
    if behind := study.behind(track.issues[0]):
        told.append(f"{hours(behind)} of work in a row behind it")
    return ", ".join(told)


def hours(seconds: float) -> str:
    """A duration as people say it: `45 min`, `3 h 30 min`."""
    minutes = round(seconds / 60)
    told = ([f"{minutes // 60} h"] if minutes >= 60 else []) + (
        [f"{minutes % 60} min"] if minutes % 60 or not minutes else []
    )
    return " ".join(told)


def queue(
    tracks: Sequence[Track],
    waves: Sequence[Sequence[str]],
    placed: Sequence[Placed],
    conflicts: Sequence[TrackConflict],
    running: Mapping[str, Conflict],
) -> tuple[Placed, ...]:
    """Every track that gets no slot now, with the reason. `running`: track -> its conflict with work in progress."""
    given = {one.track for one in placed}
    wave_of = {track: number for number, wave in enumerate(waves, 1) for track in wave}
    rivals = {rival: conflict for conflict in reversed(conflicts) for rival in _rivals(conflict, given)}
    home = {issue: track.id for track in tracks for issue in track.issues}
    waiting = [track for track in tracks if track.id not in given]
    return tuple(Placed(track.id, "; ".join(_reasons(track, wave_of, rivals, home, running))) for track in waiting)


def _rivals(conflict: TrackConflict, given: set[str]) -> Iterator[str]:
    if conflict.a in given and conflict.b not in given:
        yield conflict.b
    if conflict.b in given and conflict.a not in given:
        yield conflict.a


def _reasons(
    track: Track,
    wave_of: Mapping[str, int],
    rivals: Mapping[str, TrackConflict],
    home: Mapping[str, str],
    running: Mapping[str, Conflict],
) -> Iterator[str]:
    if track.status is TrackStatus.BLOCKED:
        yield track.why
        return
    if track.status is TrackStatus.DEPENDENT:
        others = dict.fromkeys(home[issue] for issue in track.waits_for if issue in home)
        yield track.why + (f" ({', '.join(others)})" if others else "")
    elif track.id in running:
        meets = running[track.id]
        other = meets.b if home.get(meets.a) == track.id else meets.a
        yield f"would meet {other}, which is in progress, in {meets.witness} ({meets.p:.0%})"
    elif track.id in rivals:
        conflict = rivals[track.id]
        other = conflict.b if conflict.a == track.id else conflict.a
        yield f"would meet {other} in {conflict.worst.witness} ({conflict.p:.0%})"
    else:
        yield "no slot left: others go first"
    if track.id in wave_of:
        yield f"wave {wave_of[track.id]}"
