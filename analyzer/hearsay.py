"""What the texts of related issues name: an epic lists the files of its parts, a bug report those of its cause.

The text of a relative speaks for an issue before anybody has worked on either. Each relative's text is read once, and
only of issues that were written before this one or before the last commit: what comes later cannot have been known.
"""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.issues import Issue
from analyzer.kin import parents_of
from analyzer.mentions import Manner, find_mentions
from analyzer.signals import Evidence, Signal, Signals

PLAIN = (Manner.PATH, Manner.PART, Manner.NAME, Manner.MODULE)
MOST_RELATIVES = 12
SITTING = 4
"""Issues written just before, and after."""


class Hearsay:
    """Reads the texts of relatives in the light of one body of evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._named: dict[str, Signal] = {}

    def of_issue(self, issue: Issue) -> Signals:
        """Files named by its parents, by what it is linked with or cites, and by issues of the same sitting."""
        kin = self._evidence.kin
        parents = parents_of(issue)
        linked = {edge.target for edge in issue.dependencies} | kin.cited(issue)
        place = kin.place.get(issue.id)
        near = kin.in_order[max(0, place - SITTING) : place + SITTING + 1] if place is not None else ()
        history = self._evidence.history
        known = max(issue.created or 0, history.time_of(len(history) - 1))
        sitting = {other.id for other in near if (other.created or 0) <= known}
        linked, sitting = linked - parents, sitting - parents - linked - {issue.id}
        kinds = {"parent_names": parents, "linked_names": linked, "sitting_names": sitting}
        return {kind: self._of(names) for kind, names in kinds.items()}

    def _of(self, names: Iterable[str]) -> Signal:
        found: Signal = {}
        for name in sorted(names)[:MOST_RELATIVES]:
            for path, share in self._by(name).items():
                found[path] = max(found.get(path, 0.0), share)
        return found

    def _by(self, name: str) -> Signal:
        """The files that the text of the issue names: 1 for the only one, less where many are named."""
        if name not in self._named:
            issue = self._evidence.kin.by_lower_id.get(name.lower())
            found = find_mentions(issue.text, self._evidence.tree).found if issue else ()
            plain = {mention.path: mention.share for mention in found if mention.manner in PLAIN}
            self._named[name] = {path: share / len(plain) ** 0.33 for path, share in plain.items()}
        return self._named[name]
