"""What the dependencies alone say to a request: which issues are ready, which are blocked, which nobody can reach.

`rank` is the order in which work is given out, one total order over all unfinished issues:
  1. urgency: the priority of the issue, or of the most urgent one that waits for it;
  2. the longest chain of work that begins with it, longest first;
  3. the older issue first: people write issues in the order in which they build on each other, told or not;
  4. its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from analyzer.backlog.issues import Issue, Status
from analyzer.backlog.readiness import Backlog, Rules, Standing, is_container, is_work, resolve, standings
from analyzer.planning.proposal import Blocked, Epic, Request, find_issue
from analyzer.timing.estimates import Estimates, learn
from analyzer.timing.graph import Node, Order, Waiting, issue_of, longest_chain, order, out_of_reach, tails, urgencies
from analyzer.timing.tracks import Rank

MOST_TOLD = 8
"""Issues of a cycle that are named in a sentence."""
UNCHOSEN = "not among the issues asked for"
AT_WORK = (Status.IN_PROGRESS, Status.HOOKED)
FRESH_DAYS = 7.0
"""Work that the tracker calls in progress is believed to be this long after its last update."""
LEAST_LEFT = 0.25
"""The share of an estimate that is left however long ago the work began."""


@dataclass(frozen=True)
class Study:
    """The unfinished issues under one request."""

    backlog: Backlog
    standings: Mapping[str, Standing]
    order: Order
    chosen: frozenset[str]
    """The unfinished work issues that the request is about."""
    estimates: Estimates
    request: Request

    @classmethod
    def of(cls, issues: tuple[Issue, ...], request: Request, rules: Rules, default_seconds: float) -> Study:
        """`default_seconds` is the work in an issue that nothing tells of.

        Raises Failure("no-such-issue") when the request names an issue that the tracker does not have.
        """
        backlog = resolve(issues, rules)
        known = learn(backlog.issues.values(), default_seconds)
        return cls(backlog, standings(backlog, rules), order(backlog), _chosen(backlog, request), known, request)

    @cached_property
    def under_way(self) -> dict[str, float]:
        """What is being worked on -> the seconds of work that are probably left.

        That is what the request calls busy, and what the tracker freshly calls in progress.
        """
        fresh = (name for name in self.backlog.blockers if _is_fresh(self.backlog.issues[name], self.request.now))
        busy = (name for name in self.request.busy if name in self.backlog.blockers)
        return {name: self._left(self.backlog.issues[name]) for name in dict.fromkeys((*busy, *fresh))}

    def _left(self, issue: Issue) -> float:
        """Less than the estimate by what was worked since it began, as far as the tracker tells; never nothing."""
        whole = self.estimates.seconds(issue)
        since = (issue.started or issue.updated) if issue.status in AT_WORK else None
        worked = max(0.0, self.request.now - since) if since is not None else 0.0
        return max(LEAST_LEFT * whole, whole - worked)

    @cached_property
    def reach(self) -> dict[Node, str]:
        """Nodes that no chosen work will free -> the issue at which it ends."""
        held = {
            name: standing.held
            for name, standing in self.standings.items()
            if standing.held and name not in self.under_way
        }
        others = (
            name
            for name in self.backlog.blockers
            if name not in self.chosen and name not in self.under_way and is_work(self.backlog.issues[name])
        )
        return out_of_reach(self.backlog, self.order, {**dict.fromkeys(others, UNCHOSEN), **held})

    @cached_property
    def _urgency(self) -> dict[Node, int]:
        return urgencies(self.order.acyclic, lambda name: self.backlog.issues[name].priority)

    @cached_property
    def _tail(self) -> dict[Node, float]:
        return tails(self.order.acyclic, self.seconds)

    def seconds(self, node: Node) -> float:
        """The work in a node; milestones and containers have none, and what is done."""
        return self._seconds.get(node, 0.0)

    @cached_property
    def _seconds(self) -> dict[Node, float]:
        issues = (self.backlog.issues[name] for name in self.backlog.blockers)
        return {issue.id: self.estimates.seconds(issue) for issue in issues if is_work(issue)}

    def rank(self, name: str) -> Rank:
        """The place of an issue in the order of giving out; smaller goes first."""
        if name not in self._ranks:
            issue = self.backlog.issues[name]
            urgency = self._urgency.get(name, issue.priority)
            self._ranks[name] = urgency, -self._tail.get(name, 0.0), issue.created or float("inf"), name
        return self._ranks[name]

    @cached_property
    def _ranks(self) -> dict[str, Rank]:
        return {}

    @cached_property
    def waiting(self) -> Waiting:
        """Which issue (transitively) waits for which: these never run side by side."""
        return Waiting(self.order.acyclic)

    def behind(self, name: str) -> float:
        """Seconds of the longest chain of work that waits for the end of the issue."""
        return max(0.0, self._tail.get(name, 0.0) - self.seconds(name))

    @cached_property
    def ranked(self) -> tuple[str, ...]:
        """The chosen issues, first to be given out first."""
        return tuple(sorted(self.chosen, key=self.rank))

    def blocked(self, name: str) -> Blocked:
        """Why an issue is not ready."""
        standing = self.standings[name]
        told = [standing.why] if standing.why else []
        cycle = self._cycle_of.get(name)
        end = self.reach.get(name, name)
        if cycle:
            told.append("in a cycle: " + circle(cycle))
        elif end != name and self._end_of(end) and (end not in standing.waits_for or not standing.held):
            told.append(f"{end} is {self._end_of(end)}")
        told += [self._until(other) for other in standing.waits_for if other in self.under_way]
        return Blocked(name, standing.waits_for, "; ".join(told), bool(standing.held))

    @cached_property
    def _cycle_of(self) -> dict[str, tuple[str, ...]]:
        return {name: cycle for cycle in reversed(self.order.cycles) for name in cycle}

    def _until(self, name: str) -> str:
        """When the work on an issue will probably end."""
        issue = self.backlog.issues[name]
        by = f", by {issue.assignee}" if issue.assignee and issue.status in AT_WORK else ""
        return f"{name} is in progress{by}, about {round(self.under_way[name] / 60)} min left"

    def _end_of(self, name: str) -> str:
        if name in self._cycle_of:
            return "in a cycle"
        issue = self.backlog.issues[name]
        if is_container(issue):
            children = self.backlog.children.get(name)
            return f"an open {issue.kind} " + (
                "whose children are all done: close it" if children else "without children"
            )
        held = self.standings[name].held
        return held.replace("its status is ", "") if held else (UNCHOSEN if name not in self.chosen else "")

    def epics(self) -> tuple[Epic, ...]:
        """The unfinished containers, with how many of their direct children are done."""
        found: list[Epic] = []
        for name in self.backlog.blockers:
            issue, total = self.backlog.issues[name], len(self.backlog.children.get(name, ()))
            if is_container(issue):
                left = len(self.backlog.open_children(name))
                found.append(Epic(name, issue.title, total - left, total, closable=bool(total) and not left))
        return tuple(found)

    def critical_path(self) -> tuple[tuple[str, ...], float]:
        """The longest chain among the issues that can be done, and its seconds."""
        chain, seconds = longest_chain(self.order.acyclic, self.seconds, without=self.reach)
        return tuple(issue_of(node) for node in chain if node in self.chosen), seconds


def circle(names: Sequence[str]) -> str:
    """A cycle as it is told, a long one without its middle."""
    shown = (
        names
        if len(names) <= MOST_TOLD
        else (*names[: MOST_TOLD - 2], f"… {len(names) - MOST_TOLD + 1} more …", names[-1])
    )
    return " → ".join((*shown, names[0]))


def _is_fresh(issue: Issue, now: float) -> bool:
    return issue.status in AT_WORK and (issue.updated is None or issue.updated >= now - FRESH_DAYS * 86400)


def _chosen(backlog: Backlog, request: Request) -> frozenset[str]:
    work = frozenset(name for name in backlog.blockers if is_work(backlog.issues[name]))
    if request.only:
        work &= {find_issue(backlog.issues, name).id for name in request.only}
    if request.epic:
        work &= backlog.family(find_issue(backlog.issues, request.epic).id)
    return work
