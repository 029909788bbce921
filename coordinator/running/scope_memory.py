"""Scopes that were predicted a moment ago need no second prediction.

The loop plans again at every event, and prediction is nine tenths of a plan. What an issue will touch
changes with its text, which is watched, and with the history, which moves with every landing but moves
a prediction little: a scope stands for `STANDS` seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from analyzer.backlog.issues import Issue
from analyzer.scopes.scope import Scope

STANDS = 60.0
"""Seconds; agents work for minutes."""


class ScopeMemory:
    """The scopes of the last minute, by issue."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, int, Scope]] = {}

    def known(self, issues: Iterable[Issue]) -> dict[str, Scope]:
        """The scopes that still stand for these issues as they are now."""
        since, found = time.monotonic() - STANDS, {}
        for issue in issues:
            at, text, scope = self._kept.get(issue.id, (0.0, 0, None))
            if scope is not None and at >= since and text == hash(issue.text):
                found[issue.id] = scope
        return found

    def keep(self, issues: Iterable[Issue], scopes: Mapping[str, Scope]) -> None:
        """Remember the scopes of a plan; those that stood already keep their age."""
        now = time.monotonic()
        for issue in issues:
            scope = scopes.get(issue.id)
            if scope is not None and (issue.id not in self._kept or self._kept[issue.id][2] is not scope):
                self._kept[issue.id] = (now, hash(issue.text), scope)
