"""The chance that two issues meet in a file: what is common to them, weighed by a fitted table.

Multiplying the chances of single files takes them for independent, and gives every pair in a repository with hot files
the same answer. So a pair is judged by what it has in common: likely files (rare ones tell more), folders, words, what
the text names, precedents that met or are the same, kin, labels; by how wanted the likely files of both are; and by the
habits of the repository, young or old, broad or narrow, and how often its issues met.

`benchmarks/fit_pairs.py` fits the table on pairs of issues of public repositories that were open together. No weight
may go against reason (a common file never makes a meeting less likely), and all are drawn together strongly: trees,
selected features, weights learnt in each repository did better where they were fitted and worse where they were not.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, sqrt
from typing import Any

from analyzer.fitted_pairs import RISK
from analyzer.scope import Scope
from analyzer.ties import Precedent

Vector = Mapping[Any, float]
Files = frozenset[str]
LEAST_RARITY = 0.5
"""What a file tells of which nothing is known."""


class Side:
    """One issue of a pair, made ready for being compared with many others."""

    def __init__(self, scope: Scope) -> None:
        self.issue, self.ties, self.words = scope.issue, scope.ties, scope.words
        self.chances = {file.path: file.p for file in scope.files}
        rarity = scope.ties.rarity
        self.rare = _unit({path: p * rarity.get(path, LEAST_RARITY) ** 2 for path, p in self.chances.items()})
        folders: dict[str, float] = {}
        for path, p in self.chances.items():
            folder = path.rpartition("/")[0]
            folders[folder] = folders.get(folder, 0.0) + p
        self.folders = _unit(folders)
        self.called = _called(scope.ties.precedents)
        self.recalled = _called(scope.ties.alike)
        self._reached: dict[Files, float] = {}
        self._recalls: dict[Files, float] = {}

    def reached(self, files: Files) -> float:
        """The weight of the commits read alike that touched any of the files."""
        return _weight(self._reached, self.ties.precedents, files)

    def recalls(self, files: Files) -> float:
        """The weight of the past issues read alike that touched any of the files."""
        return _weight(self._recalls, self.ties.alike, files)


def common(a: Side, b: Side) -> dict[str, float]:
    """What speaks for a meeting, each number the larger the more, but for `age`."""
    one, other = a.ties, b.ties
    labels = one.labels & other.labels
    mine, theirs = a.chances, b.chances
    return {
        "rare": _dot(a.rare, b.rare),
        "likely": sum(min(p, theirs[path]) for path, p in mine.items() if path in theirs),
        "folders": _dot(a.folders, b.folders),
        "words": _dot(a.words, b.words),
        "named": float(len(one.named & other.named)),
        "expected": sum(theirs.get(path, 0.0) for path in one.named) + sum(mine.get(path, 0.0) for path in other.named),
        "commits_met": sum(weight * b.reached(files) for weight, files in one.precedents),
        "same_commits": _dot(a.called, b.called),
        "issues_met": sum(weight * b.recalls(files) for weight, files in one.alike),
        "same_issues": _dot(a.recalled, b.recalled),
        "linked": float(other.issue in one.targets or one.issue in other.targets),
        "cited": float(other.issue in one.cited or one.issue in other.cited),
        "awaited": float(not one.dependants.isdisjoint(other.dependants)),
        "labels": float(len(labels)),
        "alike_labels": len(labels) / (len(one.labels | other.labels) or 1),
        "features": float((one.kind == "feature") + (other.kind == "feature")),
        "wanted": min(one.wanted, other.wanted),
        "met": min(one.met, other.met),
        "age": one.age,
        "breadth": one.breadth,
        "usual": one.usual,
    }


def odds(a: Side, b: Side) -> float:
    """The chance (0 to 1) that two issues, both searched, touch any common file."""
    return 1 / (1 + exp(-(RISK[""] + sum(RISK[name] * value for name, value in common(a, b).items()))))


def _called(precedents: tuple[Precedent, ...]) -> Vector:
    found: dict[Files, float] = {}
    for weight, files in precedents:
        found[files] = found.get(files, 0.0) + weight
    return _unit(found)


def _weight(known: dict[Files, float], precedents: tuple[Precedent, ...], files: Files) -> float:
    if files not in known:
        known[files] = sum(weight for weight, touched in precedents if not files.isdisjoint(touched))
    return known[files]


def _unit(weights: Vector) -> Vector:
    length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {key: weight / length for key, weight in weights.items()}


def _dot(a: Vector, b: Vector) -> float:
    if len(a) > len(b):
        a, b = b, a
    return sum(weight * b[key] for key, weight in a.items() if key in b)
