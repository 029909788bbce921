"""Which issues are related to an issue: its family, what it depends on, what its text cites.

Work on relatives says something about the files of an issue: the parts of one epic share modules, a bug found during
a task lies where the task was. Ids of the form `stem.N` are children of their stem, as trackers read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from analyzer.backlog.issues import Bond, Issue

_ID = re.compile(r"[^\W_][\w.]*(?:-[\w.]+)+")


class Kin:
    """The relations among all issues of a backlog."""

    def __init__(self, backlog: Mapping[str, Issue]) -> None:
        self._backlog = backlog

    @cached_property
    def by_lower_id(self) -> dict[str, Issue]:
        """Id in lower case, as a history gives it -> the issue."""
        return {name.lower(): issue for name, issue in self._backlog.items()}

    @cached_property
    def in_order(self) -> list[Issue]:
        """The issues whose time of writing is known, oldest first."""
        dated = ((issue.created, issue.id) for issue in self._backlog.values() if issue.created is not None)
        return [self._backlog[name] for _, name in sorted(dated)]

    @cached_property
    def place(self) -> dict[str, int]:
        """Id -> its place in `in_order`."""
        return {issue.id: place for place, issue in enumerate(self.in_order)}

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        return _inverted((parent, issue.id) for issue in self._backlog.values() for parent in parents_of(issue))

    @cached_property
    def _dependants(self) -> dict[str, list[str]]:
        return _inverted((target, issue.id) for issue in self._backlog.values() for target in _targets(issue))

    def family(self, issue: Issue) -> set[str]:
        """Parents, their other children, and its own children."""
        parents = parents_of(issue)
        found = parents | set(self._children.get(issue.id, ()))
        for parent in parents:
            found.update(self._children.get(parent, ()))
        return found - {issue.id}

    def linked(self, issue: Issue) -> set[str]:
        """Issues with a dependency to or from it, parents apart."""
        return (_targets(issue) | set(self._dependants.get(issue.id, ()))) - {issue.id}

    def dependants(self, issue: Issue) -> frozenset[str]:
        """Issues that depend on it, children apart."""
        return frozenset(self._dependants.get(issue.id, ()))

    def cited(self, issue: Issue) -> set[str]:
        """Known issues whose id stands in its text."""
        words = [word for word in set(issue.text.split()) if "-" in word]
        tokens = {token.rstrip(".") for word in words for token in _ID.findall(word)}
        return {token for token in tokens if token in self._backlog and token != issue.id}


def parents_of(issue: Issue) -> set[str]:
    """What the issue is a child of, by its dependencies or by an id of the form `parent.N`."""
    stem, dot, number = issue.id.rpartition(".")
    own = {dependency.target for dependency in issue.dependencies if dependency.bond is Bond.PARENT}
    return own | {stem} if dot and number.isdigit() else own


def _targets(issue: Issue) -> set[str]:
    return {dependency.target for dependency in issue.dependencies if dependency.bond is not Bond.PARENT}


def _inverted(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
