"""The newest plan of a running coordinator, made again only when backlog, tree or work under way have changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from analyzer.issues import Issue
from analyzer.plan import make_plan
from analyzer.proposal import Plan, Request
from coordinator.bootstrap import Project
from coordinator.scope_memory import ScopeMemory
from resources.system.clock import wall
from resources.system.errors import Failure


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
        state = (id(facts), frozenset(busy))
        if self.plan is not None and state == self._made_from:
            return False
        self.issues = {issue.id: issue for issue in facts.issues}
        request = Request(slots=seats, busy=tuple(busy), now=wall())
        self.plan = make_plan(facts, request, self._project.policy, self._scopes.known(facts.issues))
        self._scopes.keep(facts.issues, self.plan.scopes)
        self._made_from = state
        return True

    def is_closed(self, issue: str) -> bool:
        """Whether the tracker says that the issue is closed."""
        return issue in self.issues and not self.issues[issue].is_open
