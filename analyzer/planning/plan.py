"""The one door to a plan: facts + request + policy -> what is ready, which tracks, who collides, what runs when.

Pure: the same facts give the same plan, whatever the order of their lines. Nothing here changes a tracker, a
repository or a slot; every plan is a dry run until somebody acts on it.

The waves follow from the best timetable of the issues: they are made of tracks in the order in which it begins them,
and tracks that it keeps one after the other for the rework that meeting would cost are in different waves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analyzer.backlog.readiness import Rules
from analyzer.planning.facts import Facts
from analyzer.planning.makespan import makespan, prices
from analyzer.planning.placing import assign, conflicts_of, name_tracks, neighbours, queue
from analyzer.planning.policy import Policy
from analyzer.planning.proposal import Makespan, Placed, Plan, Request, TrackConflict
from analyzer.planning.study import Study
from analyzer.scopes.conflicts import Conflict, find_conflicts
from analyzer.scopes.scope import Scope, predict
from analyzer.scopes.seen import outweighed
from analyzer.timing.graph import Node
from analyzer.timing.schedule import Job, Name, waves
from analyzer.timing.tracks import Track, TrackStatus, bind

__all__ = ["Plan", "Policy", "Request", "make_plan"]


def make_plan(
    facts: Facts, request: Request, policy: Policy | None = None, known: Mapping[str, Scope] | None = None
) -> Plan:
    """The plan for these facts. Raises Failure("no-such-issue") when the request names an unknown issue.

    `known` are scopes predicted before that shall stand: prediction is most of the work.
    """
    policy = policy or Policy()
    rules = Rules(request.now, frozenset(request.busy), policy.unknown_blocks, policy.alias_dependencies)
    study = Study.of(facts.issues, request, rules, policy.default_seconds)
    predicted = _scopes(study, facts, request, policy, known or {})
    scopes = outweighed(predicted, request.seen, frozenset(facts.tree)) if request.seen else predicted
    found, soft = _meetings(study, scopes, policy)
    hard = found if policy.hot == "serialize" else tuple([one for one in found if not one.hot_only])
    course = _course(study, hard, soft)
    return Plan(
        facts=facts,
        request=request,
        backlog=study.backlog,
        problems=facts.problems + study.backlog.problems,
        ready=tuple(name for name in study.ranked if study.standings[name].ready),
        blocked=tuple(study.blocked(name) for name in study.ranked if not study.standings[name].ready),
        cycles=study.order.cycles,
        layers=_only(study.order.layers, study.chosen),
        epics=study.epics(),
        scopes=scopes,
        predicted=predicted,
        issue_conflicts=found if policy.hot == "share" else hard,
        tracks=course.tracks,
        conflicts=course.conflicts,
        soft_conflicts=soft,
        hot_conflicts=conflicts_of(course.tracks, [c for c in found if c.hot_only]) if policy.hot == "share" else (),
        waves=course.waves,
        assignments=course.assignments,
        queued=course.queued,
        makespan=course.makespan,
    )


@dataclass(frozen=True)
class _Course:
    """What runs when: the fields of a plan that follow from the issues and their conflicts."""

    tracks: tuple[Track, ...]
    conflicts: tuple[TrackConflict, ...]
    waves: tuple[tuple[str, ...], ...]
    assignments: tuple[Placed, ...]
    queued: tuple[Placed, ...]
    makespan: Makespan


def _course(study: Study, hard: Sequence[Conflict], soft: Iterable[Conflict]) -> _Course:
    """Issues that meet in `hard` are kept apart, meeting in `soft` has a price."""
    slots = study.request.slots
    near = neighbours((conflict.a, conflict.b) for conflict in hard)
    tracks = _tracks(study, near)
    between = conflicts_of(tracks, hard)
    running = _running(tracks, hard, frozenset(study.under_way))
    span, starts, kept = makespan(study, tracks, near, prices(study, soft), max(1, slots))
    awaiting = (track.id for track in tracks if not study.under_way.keys().isdisjoint(track.waits_for))
    later = frozenset((*running, *awaiting))
    names = _waves(_track_jobs(study, tracks, starts), _apart(tracks, between, kept), max(1, slots), later)
    assignments = assign(study, tracks, names[0] if names else (), slots)
    return _Course(tracks, between, names, assignments, queue(tracks, names, assignments, between, running), span)


def _tracks(study: Study, near: Mapping[str, frozenset[str]]) -> tuple[Track, ...]:
    """The chosen issues bound into tracks; work in progress is a track of its own.

    What nobody will free stays apart, or it would make a track wait in which there is work to do.
    """
    free = study.chosen - study.under_way.keys()
    lost, graph = free & study.reach.keys(), study.order.acyclic
    runs = [run for some in (free - lost, lost) for run in bind(some, graph, study.standings, near, study.rank)]
    return name_tracks(study, [*runs, *((name,) for name in study.ranked if name in study.under_way)])


def _waves(
    jobs: Sequence[Job], apart: Mapping[str, frozenset[str]], slots: int, later: frozenset[str]
) -> tuple[tuple[str, ...], ...]:
    """The names of the tracks in each wave."""
    return tuple(tuple(str(name) for name in wave) for wave in waves(jobs, apart, slots, later))


def _apart(
    tracks: Sequence[Track], conflicts: Iterable[TrackConflict], kept: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    """Which tracks may not be in one wave: those that conflict, and those whose first issues the timetable parts."""
    first = {track.issues[0]: track.id for track in tracks}
    priced = ((first[a], first[b]) for a, others in kept.items() for b in others if a in first and b in first)
    return neighbours([*((one.a, one.b) for one in conflicts), *priced])


def _scopes(
    study: Study, facts: Facts, request: Request, policy: Policy, known: Mapping[str, Scope]
) -> dict[str, Scope]:
    """The predicted scope of every chosen issue and of what is being worked on, in the order of importance."""
    busy = (name for name in request.busy if name in study.backlog.issues and name not in study.chosen)
    names = [*study.ranked, *busy]
    wanted = [study.backlog.issues[name] for name in names if name not in known]
    fresh = predict(wanted, study.backlog.issues, facts.history, facts.tree, policy.scope) if wanted else {}
    return {name: known[name] if name in known else fresh[name] for name in names}


def _running(tracks: Sequence[Track], found: Iterable[Conflict], busy: frozenset[str]) -> dict[str, Conflict]:
    """Track -> its likeliest conflict with an issue that is being worked on elsewhere."""
    home = {issue: track for track in tracks for issue in track.issues}
    met: dict[str, Conflict] = {}
    near = [conflict for conflict in found if conflict.a in busy or conflict.b in busy] if busy else []
    for conflict in sorted(near, key=lambda conflict: (-conflict.p, conflict.a, conflict.b)):
        for taken, other in ((conflict.a, conflict.b), (conflict.b, conflict.a)):
            if taken in busy and other in home and taken not in home[other].issues:
                met.setdefault(home[other].id, conflict)
    return met


def _meetings(
    study: Study, scopes: Mapping[str, Scope], policy: Policy
) -> tuple[tuple[Conflict, ...], tuple[Conflict, ...]]:
    """The conflicts that keep issues apart, and those below that which have a price: among the searched issues only."""
    first = {name: scopes[name] for name in study.ranked[: policy.scope.searched]}
    near = find_conflicts(first, threshold=min(policy.priced_at, policy.conflict_at))
    far = find_conflicts(scopes, threshold=policy.conflict_at, known=frozenset(first))
    is_ordered = study.waiting.is_ordered
    priced = [one for one in near if one.p < policy.conflict_at and not one.hot_only]
    likely = [one for one in (*near, *far) if one.p >= policy.conflict_at and not is_ordered(one.a, one.b)]
    likely.sort(key=lambda one: (-one.p, one.a, one.b))
    return tuple(likely), tuple(one for one in priced if not is_ordered(one.a, one.b))


def _track_jobs(study: Study, tracks: Sequence[Track], starts: Mapping[str, float]) -> list[Job]:
    """The tracks that can be reached, first to begin first, and the milestones between them."""
    reachable = [track for track in tracks if track.status is not TrackStatus.BLOCKED]
    home: dict[Node, Name] = {issue: track.id for track in reachable for issue in track.issues}
    graph = study.order.acyclic

    def before(nodes: Iterable[Node]) -> frozenset[Name]:
        return frozenset(home.get(other, ("milestone", other)) for node in nodes for other in graph.predecessors(node))

    rank = {track.id: (starts[track.issues[0]], study.rank(track.issues[0])) for track in reachable}
    jobs = [
        Job(track.id, before(track.issues) - {track.id}, track.seconds)
        for track in sorted(reachable, key=lambda track: rank[track.id])
    ]
    milestones = [node for node in graph if node not in home and node not in study.reach]
    return jobs + [Job(("milestone", node), before([node]), is_track=False) for node in milestones]


def _only(layers: Iterable[Iterable[str]], chosen: frozenset[str]) -> tuple[tuple[str, ...], ...]:
    kept = (tuple(name for name in layer if name in chosen) for layer in layers)
    return tuple(layer for layer in kept if layer)
