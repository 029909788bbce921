"""Predicted conflicts as dependencies: which issue should wait for which, so that no two meet in a file.

The plan keeps conflicting work apart only while it is the plan that gives it out. Written into the tracker as
dependencies, the same order holds for every tool and person that reads it.

Decisions. Only ready issues that nothing orders yet; the one that ranks first goes first. No edge where the two are
already ordered, by the tracker or by the edges before: three issues in one file become a chain, not a triangle. An
edge that would close a circle (through an epic, say) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.backlog.readiness import Backlog
from analyzer.planning.proposal import Plan
from analyzer.scopes.conflicts import Conflict
from analyzer.timing.graph import Node, order

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class Wait:
    """`issue` should wait for `before`, for they would probably meet."""

    issue: str
    before: str
    conflict: Conflict


def serialise(plan: Plan, *, hot: bool = False) -> tuple[Wait, ...]:
    """The dependencies that would keep the plan's ready issues apart; `hot`: meetings in hot files alone count too."""
    rank = {name: place for place, name in enumerate(plan.ready)}
    pairs = [
        Wait(*sorted((conflict.a, conflict.b), key=rank.__getitem__, reverse=True), conflict)
        for conflict in plan.issue_conflicts
        if {conflict.a, conflict.b} <= rank.keys() and (hot or not conflict.hot_only)
    ]
    # The nearest one before comes first: then longer reaches are found to be ordered already.
    pairs.sort(key=lambda wait: (rank[wait.issue], -rank[wait.before]))
    return still_needed(pairs, plan.backlog)


def still_needed(waits: Iterable[Wait], backlog: Backlog) -> tuple[Wait, ...]:
    """Those of the waits, in their order, that the backlog and the ones before do not order, and that close no circle.

    Issues that the backlog has no more, or that are done, are left out.
    """
    import networkx as nx

    graph = nx.DiGraph(order(backlog).graph)
    kept: list[Wait] = []
    for wait in waits:
        if wait.issue not in backlog.blockers or wait.before not in backlog.blockers or wait.issue == wait.before:
            continue
        gate: Node = ("done", wait.before) if backlog.open_children(wait.before) else wait.before
        behind = _behind(wait.issue, backlog)
        is_ordered = nx.has_path(graph, gate, wait.issue) if gate in graph else False
        if is_ordered or _reaches(graph, behind, gate) or _reaches(graph, behind, wait.before):
            continue
        graph.add_edges_from((gate, node) for node in behind)
        kept.append(wait)
    return tuple(kept)


def _behind(issue: str, backlog: Backlog) -> tuple[Node, ...]:
    """The nodes that a dependency of the issue holds back: itself, and its children with it."""
    return issue, ("start", issue), *sorted(backlog.family(issue) & backlog.blockers.keys())


def _reaches(graph: nx.DiGraph, starts: Iterable[Node], goal: Node) -> bool:
    import networkx as nx

    return goal in graph and any(start in graph and nx.has_path(graph, start, goal) for start in starts)
