"""The dependency graph: what must end before what may begin, as one networkx DiGraph.

A node is an issue id, for the work itself, or a milestone: `("done", X)` when X and all its children are finished,
`("start", X)` when the children of X may begin. Milestones keep the graph linear in the size of the tracker (an epic
of 500 issues that waits for another epic of 500 gives 1,001 edges, not 250,000), let a parent hold its children back
without becoming work itself, and let "waits for the epic" mean "waits for its issues".

An edge goes from what comes first to what waits. Cycles (strongly connected parts) are named by one of their
circles and taken out of the acyclic graph that everything else is computed on. Only unfinished issues are in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.backlog.readiness import Backlog, is_container, is_work

if TYPE_CHECKING:
    import networkx as nx

MOST_DEEP = 8
"""Milestones that are seen through, and predecessors that are compared; real backlogs have two or three."""
Node = str | tuple[str, str]
"""The work of an issue, or the milestone ("start" | "done", issue)."""


@dataclass(frozen=True)
class Order:
    """What the edges say of all unfinished issues, before anybody asks which of them can be done at all."""

    graph: nx.DiGraph
    """Everything, cycles included."""
    acyclic: nx.DiGraph
    """The same without the nodes that lie on a cycle."""
    cycles: tuple[tuple[str, ...], ...]
    layers: tuple[tuple[str, ...], ...]
    """Work issues by how many others must be done one after another before them. What waits for a cycle is in none."""


def issue_of(node: Node) -> str:
    """The issue that a node belongs to."""
    return node if isinstance(node, str) else node[1]


def order(backlog: Backlog) -> Order:
    """Build the graph of the unfinished issues and take it apart."""
    import networkx as nx

    graph = nx.DiGraph()
    gated = _gated_parents(backlog)
    for name in backlog.blockers:
        graph.add_node(name)
        graph.add_edges_from(_edges(backlog, name, gated))
    knots = _knots(graph)
    tangled = {node for part in knots for node in part}
    acyclic = graph if not tangled else nx.DiGraph(graph.subgraph(node for node in graph if node not in tangled))
    cycles = sorted(_circle(nx.find_cycle(graph.subgraph(part))) for part in knots)
    return Order(graph, acyclic, tuple(cycles), _layers(backlog, graph, acyclic))


def _knots(graph: nx.DiGraph) -> list[set[Node]]:
    """The strongly connected parts that lie on a cycle. Most trackers have none, which a plain sequence shows."""
    import networkx as nx

    after = dict(graph.adjacency())
    free = set(_sequence(after))
    if len(free) == len(after):
        return []
    rest = graph.subgraph(node for node in graph if node not in free)
    return [part for part in nx.strongly_connected_components(rest) if len(part) > 1 or graph.has_edge(*(2 * [*part]))]


def _gated_parents(backlog: Backlog) -> frozenset[str]:
    """The parents whose own blockers hold their children back."""
    return frozenset(name for name, own in backlog.blockers.items() if own and backlog.open_children(name))


def _edges(backlog: Backlog, name: str, gated: frozenset[str]) -> Iterator[tuple[Node, Node]]:
    entry: Node = ("start", name) if name in gated else name
    for blocker in backlog.blockers[name]:
        yield (("done", blocker) if backlog.open_children(blocker) else blocker), entry
    if name in gated:
        yield entry, name
        yield from ((entry, member) for member in _let_in(backlog, name, gated))
    children = backlog.open_children(name)
    if children and is_work(backlog.issues[name]):
        yield name, ("done", name)
    for child in children:
        yield (("done", child) if backlog.open_children(child) else child), ("done", name)


def _let_in(backlog: Backlog, name: str, gated: frozenset[str]) -> Iterator[Node]:
    """What is below a gated parent, down to the next gated ones: these let in what is below them."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for member in backlog.children.get(waiting.pop(), ()):
            if member not in seen:
                seen.add(member)
                if member in gated:
                    yield "start", member
                else:
                    waiting.append(member)
                    if member in backlog.blockers:
                        yield member


def _circle(edges: Iterable[tuple[Node, Node]]) -> tuple[str, ...]:
    """The issues on a cycle in the order of waiting, each once, the smallest first."""
    names = list(dict.fromkeys(issue_of(first) for first, *_ in edges))
    start = names.index(min(names))
    return tuple(names[start:] + names[:start])


def _layers(backlog: Backlog, graph: nx.DiGraph, acyclic: nx.DiGraph) -> tuple[tuple[str, ...], ...]:
    work = {name for name in backlog.blockers if is_work(backlog.issues[name])}
    depth: dict[Node, int] = {}
    found: list[list[str]] = []
    for node in _sequence(dict(acyclic.adjacency())):
        before = list(graph.predecessors(node))
        if any(other not in depth for other in before):
            continue  # it waits for a cycle, and so for ever
        depth[node] = max([depth[other] + (other in work) for other in before], default=0)
        if node in work:
            found += [[] for _ in range(depth[node] + 1 - len(found))]
            found[depth[node]].append(node)
    return tuple(tuple(sorted(layer)) for layer in found if layer)


def out_of_reach(backlog: Backlog, whole: Order, held: Mapping[str, str]) -> dict[Node, str]:
    """The nodes that finishing other issues will not free, each with the issue at which it ends.

    `held` are the issues that nobody will do (with the reason): they, what is no work and has no children to do,
    and all cycles are the roots; what waits for them is out of reach with them.
    """
    roots: list[tuple[Node, str]] = [(node, issue_of(node)) for node in whole.graph if node not in whole.acyclic]
    for name in backlog.blockers:
        issue = backlog.issues[name]
        empty = not is_work(issue) and not backlog.open_children(name)
        if empty or (name in held and not is_container(issue)):
            roots.append((name, name))
    found: dict[Node, str] = {}
    waiting = deque(sorted(roots, key=lambda root: (root[1], str(root[0]))))
    while waiting:
        node, root = waiting.popleft()
        if node not in found:
            found[node] = root
            waiting += [(after, root) for after in whole.graph.successors(node)]
    return found


def _sequence(after: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """The nodes of an acyclic graph, each after what comes before it; networkx needs ten times as long."""
    left = dict.fromkeys(after, 0)
    for following in after.values():
        for node in following:
            left[node] += 1
    found = [node for node, count in left.items() if not count]
    for node in found:
        for other in after[node]:
            left[other] -= 1
            if not left[other]:
                found.append(other)
    return found


class Waiting:
    """Which node (transitively) waits for which, for many questions about one acyclic graph.

    What waits for a node is one whole number with a bit for each other node, the last ones of the sequence first; it
    is made from those of the nodes that come right after, and only when asked for. In a chain of n nodes that is n/8
    bytes for each, where a set of names would be fifty times n.
    """

    def __init__(self, graph: nx.DiGraph) -> None:
        self._after: Mapping[Node, Iterable[Node]] = dict(graph.adjacency())
        self._nodes = _sequence(self._after)[::-1]
        self._place = {node: place for place, node in enumerate(self._nodes)}
        self._bits: dict[int, int] = {}

    def is_ordered(self, a: Node, b: Node) -> bool:
        """Whether one of the two waits for the other; nodes outside of the graph wait for nothing."""
        one, other = self._place.get(a), self._place.get(b)
        if one is None or other is None:
            return False
        return bool(self._behind(one) >> other & 1 if one > other else self._behind(other) >> one & 1)

    def is_before(self, first: Node, last: Node) -> bool:
        """Whether `last` waits for `first`."""
        return self._place.get(first, 0) > self._place.get(last, 0) and self.is_ordered(first, last)

    def _behind(self, asked: int) -> int:
        if asked not in self._bits:
            needed, stack = {asked}, [asked]
            while stack:
                after = [self._place[node] for node in self._after[self._nodes[stack.pop()]]]
                fresh = [place for place in after if place not in self._bits and place not in needed]
                needed.update(fresh)
                stack += fresh
            for place in sorted(needed):
                bits = 0
                for node in self._after[self._nodes[place]]:
                    bits |= self._bits[self._place[node]] | 1 << self._place[node]
                self._bits[place] = bits
        return self._bits[asked]


def tails(graph: nx.DiGraph, seconds: Callable[[Node], float]) -> dict[Node, float]:
    """Seconds from the beginning of a node to the end of the longest chain that waits for it."""
    after = dict(graph.adjacency())
    found: dict[Node, float] = {}
    for node in reversed(_sequence(after)):
        following = after[node]
        found[node] = seconds(node) + (max(found[other] for other in following) if following else 0.0)
    return found


def longest_chain(
    graph: nx.DiGraph, seconds: Callable[[Node], float], without: Container[Node] = frozenset()
) -> tuple[tuple[Node, ...], float]:
    """The critical path: the chain with the greatest sum, and that sum in seconds. Ties go to the smaller name.

    No node of `without` is in it: they are closed under what waits for them.
    """
    left = tails(graph, lambda node: 0.0 if node in without else seconds(node))
    chain: list[Node] = []
    choice: Iterable[Node] = left
    while following := min(((-left[node], str(node), node) for node in choice if node not in without), default=None):
        chain.append(following[2])
        choice = graph.successors(following[2])
    return tuple(chain), left[chain[0]] if chain else 0.0


def urgencies(graph: nx.DiGraph, priority: Callable[[str], int]) -> dict[Node, int]:
    """The priority of a node, or that of the most urgent issue that waits for it, if that is more urgent."""
    after = dict(graph.adjacency())
    found: dict[Node, int] = {}
    for node in reversed(_sequence(after)):
        own = priority(node) if isinstance(node, str) else 4
        found[node] = min(own, *(found[other] for other in after[node])) if after[node] else own
    return found


def only_predecessor(graph: nx.DiGraph, waiting: Waiting, node: str) -> str | None:
    """The issue whose end alone sets `node` free, None when there is no such one; `waiting` is of the same graph.

    Milestones with one predecessor are seen through, some deep; of several predecessors one may do, if all others come
    before it.
    """
    found: Node = node
    for _ in range(MOST_DEEP):
        before = list(graph.predecessors(found))
        if 1 < len(before) <= MOST_DEEP:
            before = [one for one in before if not any(waiting.is_before(one, other) for other in before)]
        if len(before) != 1:
            return None
        found = before[0]
        if isinstance(found, str):
            return found
    return None
