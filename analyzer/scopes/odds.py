"""The chance that two issues meet in a file: what is common to them, weighed by a fitted table.

Multiplying the chances of single files takes them for independent, and gives every pair in a repository with hot files
the same answer. So a pair is judged by what it has in common: likely files (rare ones tell more), folders, words, what
the text names, precedents that met or are the same, kin, labels; by how wanted the likely files of both are; and by the
habits of the repository, young or old, broad or narrow, and how often its issues met.

`benchmarks/fit_pairs.py` fits the table on pairs of issues of public repositories that were open together. No weight
may go against reason (a common file never makes a meeting less likely), and all are drawn together strongly: trees,
selected features, weights learnt in each repository did better where they were fitted and worse where they were not.

Pairs grow with the square of the issues. So most of what is common is written as products of vectors that each issue
brings along, one for each name of the table; weighed and laid end to end they are one product, and only what two issues
really share costs anything. The fit sees them name by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import count
from math import exp, fsum, sqrt
from typing import Any

from analyzer.scopes.fitted_pairs import RISK
from analyzer.scopes.scope import Scope

Vector = Mapping[Any, float]
Files = frozenset[str]
Near = Mapping[Files, Iterable[Files]]
"""The files of a precedent -> those of each precedent that met it."""
LEAST_RARITY = 0.5
"""What a file tells of which nothing is known."""


class Side:
    """One issue of a pair, made ready for being compared with the others that `sides` was told of.

    Under each name two issues have in common the product of what one of them `gives` and the other `takes`; `given` and
    `taken` are all of these end to end, the first weighed by the table.
    """

    def __init__(self, scope: Scope, commits: Near, issues: Near, number: Mapping[Any, int]) -> None:
        ties = self.ties = scope.ties
        chances = self.chances = {file.path: file.p for file in scope.files}
        named = dict.fromkeys(ties.named, 1.0)
        called = _summed((files, weight) for weight, files in ties.precedents)
        recalled = _summed((files, weight) for weight, files in ties.alike)
        both = {
            "rare": _unit({path: p * ties.rarity.get(path, LEAST_RARITY) ** 2 for path, p in chances.items()}),
            "folders": _unit(_summed((path.rpartition("/")[0], p) for path, p in chances.items())),
            "words": scope.words,
            "named": named,
            "same_commits": _unit(called),
            "same_issues": _unit(recalled),
            "labels": dict.fromkeys(ties.labels, 1.0),
        }
        self.gives = both | {"expected": _beside(named, chances), "commits_met": called, "issues_met": recalled}
        self.takes = both | {
            "expected": _beside(chances, named),
            "commits_met": _summed((met, weight) for files, weight in called.items() for met in commits[files]),
            "issues_met": _summed((met, weight) for files, weight in recalled.items() for met in issues[files]),
        }
        given = {name: {key: RISK[name] * value for key, value in each.items()} for name, each in self.gives.items()}
        self.given, self.taken = _end_to_end(given, number), _end_to_end(self.takes, number)


def sides(scopes: Mapping[str, Scope]) -> dict[str, Side]:
    """The issues of these scopes, made ready for being compared with each other."""
    commits = _near({files for scope in scopes.values() for _, files in scope.ties.precedents})
    issues = _near({files for scope in scopes.values() for _, files in scope.ties.alike})
    number: Mapping[Any, int] = defaultdict(count().__next__)
    return {name: Side(scope, commits, issues, number) for name, scope in scopes.items()}


def common(a: Side, b: Side) -> dict[str, float]:
    """What speaks for a meeting, each number the larger the more, but for `age`."""
    return {name: _product(vector, b.takes[name]) for name, vector in a.gives.items()} | _unlike_products(a, b)


def odds(a: Side, b: Side) -> float:
    """The chance (0 to 1) that two issues, both searched, touch any common file."""
    others = sum([RISK[name] * value for name, value in _unlike_products(a, b).items()])
    return 1 / (1 + exp(-(RISK[""] + _product(a.given, b.taken) + others)))


def _unlike_products(a: Side, b: Side) -> dict[str, float]:
    """What is common to two issues and no product of two vectors."""
    one, other = a.ties, b.ties
    return {
        "likely": fsum([min(a.chances[path], b.chances[path]) for path in a.chances.keys() & b.chances.keys()]),
        "linked": float(other.issue in one.targets or one.issue in other.targets),
        "cited": float(other.issue in one.cited or one.issue in other.cited),
        "awaited": float(not one.dependants.isdisjoint(other.dependants)),
        "alike_labels": len(one.labels & other.labels) / (len(one.labels | other.labels) or 1),
        "features": float((one.kind == "feature") + (other.kind == "feature")),
        "wanted": min(one.wanted, other.wanted),
        "met": min(one.met, other.met),
        "age": one.age,
        "breadth": one.breadth,
        "usual": one.usual,
    }


def _near(precedents: Iterable[Files]) -> Near:
    touching: dict[str, list[Files]] = {}
    for files in precedents:
        for path in files:
            touching.setdefault(path, []).append(files)
    return {files: {other for path in files for other in touching[path]} for files in precedents}


def _beside(first: Vector, second: Vector) -> Vector:
    """Two vectors in one, so that what stands first in one issue meets what stands first in the other."""
    return {(at, key): value for at, each in enumerate((first, second)) for key, value in each.items()}


def _end_to_end(vectors: Mapping[str, Vector], number: Mapping[Any, int]) -> Vector:
    return {number[name, key]: value for name, vector in vectors.items() for key, value in vector.items()}


def _summed(parts: Iterable[tuple[Any, float]]) -> Vector:
    found: dict[Any, float] = {}
    for key, value in parts:
        found[key] = found.get(key, 0.0) + value
    return found


def _unit(weights: Vector) -> Vector:
    length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {key: weight / length for key, weight in weights.items()}


def _product(a: Vector, b: Vector) -> float:
    """Exact, so that it does not matter in which order the common keys come."""
    return fsum([a[key] * b[key] for key in a.keys() & b.keys()])
