"""Dependencies + conflicts -> tracks: the runs of issues that one agent works through in order.

Connected components make poor tracks: in real trackers nearly all of them are single issues, and most collisions lie
between components. So two things bind, and each only where it costs no parallelism:

* a chain: an issue joins the track of the one issue whose end sets it free. Where several wait for the same issue,
  the one that ranks first joins; the others may run beside it and begin tracks of their own. An issue that
  something else holds (a gate, a later date) joins none.
* a conflict: ready issues that nothing waits for and that conflict with each other and with the same others are put
  into one track, at most four. Side by side they could never run, and one agent then sees the file only once.

All other conflicts stay between tracks, where the waves keep them apart. Files that most issues touch never bind:
they would glue everything together.

Invariants: every chosen issue is in exactly one track; only the first issue of a track waits for other tracks, so
the tracks form no circle; the result does not depend on the order of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analyzer.backlog.readiness import Standing
from analyzer.timing.graph import Waiting, only_predecessor

if TYPE_CHECKING:
    import networkx as nx

Rank = tuple[int, float, float, str]
"""Urgency, minus the seconds of the longest chain from here on, time of creation, id: smaller goes first."""
MOST_TWINS = 4
"""How many issues conflicts alone may bind: one agent should see the end of its track."""


class TrackStatus(StrEnum):
    """Whether a track can begin."""

    INDEPENDENT = "INDEPENDENT"
    """Its first issue is ready."""
    DEPENDENT = "DEPENDENT"
    """It waits for other tracks."""
    BLOCKED = "BLOCKED"
    """It waits for something that no track brings: a gate, a date, a cycle, work in progress elsewhere."""


@dataclass(frozen=True)
class Track:
    """`T1`, `T2`, … in the order in which they would be given out; `seconds` is the work in it, as estimated."""

    id: str
    issues: tuple[str, ...]
    status: TrackStatus
    priority: int
    """The most urgent of its issues'."""
    seconds: float
    waits_for: tuple[str, ...] = ()
    """Unfinished issues outside that its first issue waits for."""
    why: str = ""
    """Why it cannot begin, "" when it can."""


def bind(
    chosen: Iterable[str],
    graph: nx.DiGraph,
    standings: Mapping[str, Standing],
    conflicts: Mapping[str, frozenset[str]],
    rank: Callable[[str], Rank],
) -> list[tuple[str, ...]]:
    """The chosen issues as runs, best ranked first.

    `graph` is the acyclic dependency graph, `conflicts` maps an issue to those that must not run beside it, `rank`
    is a total order (smaller goes first).
    """
    ranked = sorted(chosen, key=rank)
    follower = _followers(ranked, graph, standings)
    followers = set(follower.values())
    runs: list[tuple[str, ...]] = []
    loose: dict[frozenset[str], list[str]] = {}
    for head in ranked:
        if head in followers:
            continue
        if head not in follower and conflicts.get(head) and _is_loose(head, graph, standings):
            loose.setdefault(conflicts[head] | {head}, []).append(head)
        else:
            runs.append(_run(head, follower))
    for twins in loose.values():
        runs += [tuple(twins[start : start + MOST_TWINS]) for start in range(0, len(twins), MOST_TWINS)]
    return sorted(runs, key=lambda run: rank(run[0]))


def _followers(ranked: Sequence[str], graph: nx.DiGraph, standings: Mapping[str, Standing]) -> dict[str, str]:
    """Issue -> the one that comes right after it in its track."""
    among, waiting = set(ranked), Waiting(graph)
    found: dict[str, str] = {}
    for name in ranked:
        if standings[name].waits_for and not standings[name].held and name in graph:
            before = only_predecessor(graph, waiting, name)
            if before in among:
                found.setdefault(before, name)
    return found


def _is_loose(name: str, graph: nx.DiGraph, standings: Mapping[str, Standing]) -> bool:
    return standings[name].ready and not any(isinstance(after, str) for after in graph.successors(name))


def _run(head: str, follower: Mapping[str, str]) -> tuple[str, ...]:
    run = [head]
    while run[-1] in follower:
        run.append(follower[run[-1]])
    return tuple(run)
