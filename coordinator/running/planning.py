"""The newest plan of a running coordinator, made again only when backlog, tree or work under way have changed.

Prediction is nine tenths of a plan, so scopes are kept twice: in memory for a minute while a coordinator plans again
and again, and in the cache that `track-analyzer` fills, for commands that plan once. What the radar saw of unlanded
work (`seen`) is read from the ledger, where its last look left it: planning itself looks at no slot.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from analyzer.backlog.issues import Issue
from analyzer.planning.plan import make_plan
from analyzer.planning.proposal import Plan, Request, find_issue
from analyzer.remembered import recall, remember
from analyzer.scopes.scope import Scope, predict
from analyzer.scopes.seen import Seen
from coordinator.bootstrap import Project
from coordinator.running.scope_memory import ScopeMemory
from resources.state.store import Row
from resources.system.clock import wall
from resources.system.errors import Failure

CACHE = "cache/scopes.json"
"""Where `track-analyzer` keeps predicted scopes, in the state folder."""


def plan_once(project: Project, request: Request) -> Plan:
    """The plan that a command makes for this request. Raises Failure("no-such-issue")."""
    facts, cache = project.facts(), project.repository.state / CACHE
    known = recall(cache, facts, project.policy)
    plan = make_plan(facts, replace(request, seen=_seen(_pieces(project))), project.policy, known)
    if plan.predicted.keys() - known.keys():
        remember(cache, facts, project.policy, {**known, **plan.predicted})
    return plan


def find_scope(project: Project, name: str) -> tuple[Issue, Scope]:
    """An issue and what it will touch, without a plan of the others. Raises Failure("no-such-issue")."""
    facts = project.facts()
    backlog = {issue.id: issue for issue in facts.issues}
    issue = find_issue(backlog, name)
    known = recall(project.repository.state / CACHE, facts, project.policy)
    if name not in known:
        known = predict([issue], backlog, facts.history, facts.tree, project.policy.scope)
    return issue, known[name]


def _pieces(project: Project) -> list[Row]:
    with project.ledger.read() as snapshot:
        return snapshot.all("pieces")


def _seen(pieces: Iterable[Row]) -> dict[str, Seen]:
    return {row["issue"]: Seen(frozenset(json.loads(row["paths"])), bool(row["finished"])) for row in pieces}


class Planning:
    """The plan and the issues that it was made from."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._scopes = ScopeMemory()
        self._made_from: object = None
        self._unread = ""
        self.issues: Mapping[str, Issue] = {}
        self.plan: Plan | None = None

    def renew(self, seats: int, busy: Collection[str]) -> bool:
        """Bring the plan up to date for `seats` agents while the issues `busy` are worked on; True when it is new.

        Raises Failure when the backlog cannot be read and there is no plan yet.
        """
        try:
            facts = self._project.facts()
        except Failure as failure:
            if self.plan is None:
                raise
            # A tracker in the middle of a change: the plan that we have serves until it can be read again.
            if failure.what != self._unread:
                self._unread = failure.what
                self._project.say(failure.render())
            return False
        pieces = _pieces(self._project)
        state = (id(facts), frozenset(busy), pieces)
        if self.plan is not None and state == self._made_from:
            return False
        self.issues = {issue.id: issue for issue in facts.issues}
        request = Request(slots=seats, busy=tuple(busy), now=wall(), seen=_seen(pieces))
        known = self._scopes.known(facts.issues)
        if self.plan is None:
            known = recall(self._project.repository.state / CACHE, facts, self._project.policy) | known
        self.plan = make_plan(facts, request, self._project.policy, known)
        self._scopes.keep(facts.issues, self.plan.predicted)
        self._made_from = state
        return True

    def is_closed(self, issue: str) -> bool:
        """Whether the tracker says that the issue is closed."""
        return issue in self.issues and not self.issues[issue].is_open
