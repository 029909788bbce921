"""What a repository and each of its files are used to: standing facts about the files of a shortlist.

How often, how lately and for how long a file has been touched; how often recent issues of the same kind touched it, or
issues with the same labels; how common files of its ending are in the tree and in recent work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from math import log1p

from analyzer.backlog.issues import Issue
from analyzer.scopes.signals import Evidence, Signal, Signals, add
from analyzer.scopes.tree import DOC, TEST

RECENT = 50
"""Worked-on issues that say what is usual."""
LOOKED_THROUGH = 400
"""The last worked-on issues, among which those of a kind or a label are sought."""
NEVER = 12.0
"""In place of the logarithm of an age, for what was never touched."""


class Usage:
    """The usage that one body of evidence shows."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._kinds: dict[str, Signal] = {}
        self._files: dict[str, dict[str, float]] = {}

    def of_file(self, path: str) -> dict[str, float]:
        """Touches, ages in commits and hours, age of the first touch (as logarithms) and touches for its age."""
        if path not in self._files:
            history, end = self._evidence.history, len(self._evidence.history)
            numbers = history.touches(path)
            found = {"touches": log1p(len(numbers)), "age": NEVER, "hours": NEVER, "first": NEVER}
            if numbers:
                hours = (history.time_of(end - 1) - history.time_of(numbers[-1])) / 3600
                found |= {"age": log1p(end - numbers[-1]), "hours": log1p(hours), "first": log1p(end - numbers[0])}
            ending = ending_of(path)
            share = self._endings[ending] / len(self._evidence.tree.paths)
            used = self._used_endings[ending] / (len(self._recent) + 2)
            found |= {"per_age": found["touches"] - found["first"], "ending_share": share, "ending_used": used}
            found |= {"depth": path.count("/"), "is_test": bool(TEST.search(path)), "is_doc": bool(DOC.search(path))}
            self._files[path] = found
        return self._files[path]

    def of_issue(self, issue: Issue) -> Signals:
        """Files that issues of its kind touch, and files that issues with its labels touched."""
        if issue.kind not in self._kinds:
            same = [name for name in self._known if self._issues[name].kind == issue.kind][-RECENT:]
            counted = Counter(path for name in same for path in self._evidence.files_of(name))
            self._kinds[issue.kind] = {path: count / (len(same) + 3) for path, count in counted.items()}
        return {"kind": self._kinds[issue.kind], "label": self._labelled(set(issue.labels)) if issue.labels else {}}

    @cached_property
    def breadth(self) -> float:
        """Existing files that a recent issue touched, in the mean; 3 where no issue is known."""
        counts = [len(self._evidence.files_of(name)) for name in self._recent]
        return (sum(counts) + 6) / (len(counts) + 2)

    def _labelled(self, labels: set[str]) -> Signal:
        found: Signal = {}
        for name in self._known:
            theirs = self._issues[name].labels
            common = len(labels.intersection(theirs)) if theirs else 0
            if common:
                files = self._evidence.files_of(name)
                add(found, files, common / len(labels.union(theirs)) / (len(files) or 1) ** 0.5)
        most = max(found.values(), default=1.0)
        return {path: value / most for path, value in found.items()}

    @property
    def _issues(self) -> dict[str, Issue]:
        return self._evidence.kin.by_lower_id

    @cached_property
    def _known(self) -> Sequence[str]:
        """Worked-on issues of the backlog, the latest last."""
        return [name for name in self._evidence.history.named_issues[-LOOKED_THROUGH:] if name in self._issues]

    @cached_property
    def _recent(self) -> Sequence[str]:
        return self._evidence.history.named_issues[-RECENT:]

    @cached_property
    def _endings(self) -> Counter[str]:
        return Counter(map(ending_of, self._evidence.tree.paths))

    @cached_property
    def _used_endings(self) -> Counter[str]:
        """Ending -> recent issues that touched such a file."""
        return Counter(ending for name in self._recent for ending in _endings_of(self._evidence.files_of(name)))


def ending_of(path: str) -> str:
    """What follows the last dot of the name, in lower case; the name where there is none."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name.lstrip(".") else name


def _endings_of(paths: Iterable[str]) -> set[str]:
    return set(map(ending_of, paths))
