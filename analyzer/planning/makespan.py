"""How long all of it takes: the timetable of the issues under one plan, its bound, and what forces the difference.

The jobs are the issues that can be reached, one after another within a track; an agent need not wait for the whole
track of another. Two issues that conflict at `conflict_at` or above never run side by side. Below it the chance has a
price: p times half of the shorter of the two, which the one that begins later may have to do again. Prices are asked
for among the issues whose scopes were searched: what is known of the others is too little to price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from analyzer.planning.placing import hours, neighbours
from analyzer.planning.proposal import Makespan
from analyzer.planning.study import Study
from analyzer.scopes.conflicts import Conflict
from analyzer.timing.bounds import Bound
from analyzer.timing.graph import Node
from analyzer.timing.schedule import Apart, Job, Prices, Shop, Timetable, list_schedule
from analyzer.timing.timetable import Answer, best_timetable
from analyzer.timing.tracks import Track, TrackStatus

REWORK = 0.5
"""The share of the shorter issue that a meeting costs."""
FAIR = 1.10
"""A makespan within this of the bound needs no explanation."""
SHOWN = 4


def prices(study: Study, soft: Iterable[Conflict]) -> dict[tuple[str, str], float]:
    """The expected rework of each unlikely conflict, in whole seconds."""
    return {
        (one.a, one.b): float(round(one.p * REWORK * min(study.seconds(one.a), study.seconds(one.b)))) for one in soft
    }


def makespan(
    study: Study, tracks: Sequence[Track], near: Apart, costs: Prices, slots: int
) -> tuple[Makespan, dict[str, float], Apart]:
    """The expected time for all tracks that can be reached, the second at which each of their issues begins, and which
    of the issues with a price the timetable keeps one after the other.
    """
    jobs = _jobs(study, tracks)
    shop = Shop.of(jobs, near, slots, costs)
    found = best_timetable(shop)
    ends = {job.name: end for job, end in zip(jobs, found.timetable.ends, strict=True)}
    starts = {job.name: start for job, start in zip(jobs, found.timetable.starts, strict=True) if job.is_track}
    chain, _ = study.critical_path()
    bound = found.bound
    span = Makespan(
        found.timetable.makespan, bound.seconds, chain, bound.kind, _binds(shop, bound), _gap(shop, found), found.proven
    )
    kept = ((a, b) for a, b in costs if a in starts and b in starts and (starts[a] >= ends[b] or starts[b] >= ends[a]))
    return span, starts, neighbours(kept)


def _jobs(study: Study, tracks: Sequence[Track]) -> list[Job]:
    """The issues, better ranked first, and the milestones between them."""
    graph = study.order.acyclic
    previous = {
        issue: before
        for track in tracks
        if track.status is not TrackStatus.BLOCKED
        for issue, before in zip(track.issues, (None, *track.issues), strict=False)
    }
    jobs: list[Job] = []
    for issue in study.ranked:
        if issue in previous:
            before = previous[issue]
            after: frozenset[Node] = frozenset((*graph.predecessors(issue), *((before,) if before else ())))
            jobs.append(Job(issue, after, study.seconds(issue), weight=2.0 ** (4 - study.rank(issue)[0])))
    milestones = [node for node in graph if node not in previous and node not in study.reach]
    return jobs + [_milestone(study, node) for node in milestones]


def _milestone(study: Study, node: Node) -> Job:
    """What needs no slot: a gate between issues, or an issue that somebody is at, who needs the time that is left."""
    if isinstance(node, str) and node in study.under_way:
        return Job(node, frozenset(), study.under_way[node], is_track=False)
    return Job(node, frozenset(study.order.acyclic.predecessors(node)), is_track=False)


def _binds(shop: Shop, bound: Bound) -> str:
    """What the bound is made of, in words."""
    names = [str(shop.jobs[at].name) for at in bound.jobs[:SHOWN]]
    listed = ", ".join(names) + (", …" if len(bound.jobs) > SHOWN else "")
    if bound.kind == "conflicts":
        return f"{len(bound.jobs)} issues of which no two may run side by side: {listed}"
    if bound.kind == "slots":
        return f"{len(bound.jobs)} issues share {shop.slots} slot{'s' * (shop.slots > 1)}"
    return "the longest chain of work"


def _gap(shop: Shop, found: Answer) -> str:
    """Why the makespan is more than a tenth above the bound, "" when it is not."""
    made = found.timetable
    if made.makespan <= FAIR * found.bound.seconds:
        return ""
    told = ["no schedule ends sooner" if found.proven else "the best that was found"]
    variants: dict[str, Callable[[], Shop]] = {
        "conflicts": lambda: Shop.of(shop.jobs, {}, shop.slots),
        "dependencies": lambda: Shop.of([_freed(job) for job in shop.jobs], _named(shop), shop.slots),
    }
    for what, without in variants.items():
        free = list_schedule(without()).makespan
        if free < made.makespan:
            told.append(f"without {what} it would be {hours(free)}")
    if pairs := _forced(shop, made):
        told.append("one after the other for a conflict: " + ", ".join(f"{a} × {b}" for a, b in pairs[:SHOWN]))
    return "; ".join(told)


def _freed(job: Job) -> Job:
    return Job(job.name, frozenset(), job.seconds, job.is_track)


def _named(shop: Shop) -> Mapping[object, frozenset[object]]:
    return {
        job.name: frozenset(shop.jobs[other].name for other in shop.apart[at])
        for at, job in enumerate(shop.jobs)
        if shop.apart[at]
    }


def _forced(shop: Shop, made: Timetable) -> list[tuple[object, object]]:
    """Pairs that conflict where one begins as the other ends, the latest first."""
    by_end: dict[float, list[int]] = {}
    for at, end in enumerate(made.ends):
        by_end.setdefault(end, []).append(at)
    pairs = [
        (made.starts[at], shop.jobs[other].name, shop.jobs[at].name)
        for at in range(len(shop.jobs))
        if shop.apart[at] and made.starts[at] > 0
        for other in by_end.get(made.starts[at], ())
        if other in shop.apart[at]
    ]
    return [
        (first, second) for _, first, second in sorted(pairs, key=lambda pair: (-pair[0], str(pair[1]), str(pair[2])))
    ]
