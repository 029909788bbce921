"""Which issues will meet in a file, how probably, and where.

Two issues conflict with the probability that some file is touched by both: 1 - prod(1 - pa*pb) over the files that
both scopes hold, and over the patterns of one that meet a pattern of the other (a witness path proves it). Hot files
stand apart: most issues touch them, so counted in they would tie everything to everything. A pair that is likely to
meet in hot files alone is told as `hot_only`, and the policy decides what follows.

An index from files to issues finds the pairs; products below a tenth of the threshold are dropped, as nobody is told
of a conflict that is made of them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from math import prod

from analyzer.globs import PatternSet, escape, is_literal
from analyzer.scope import Scope

LEAST_PRODUCT = 0.02
PATTERN_P = 0.3
"""The chance that a path which a reserved pattern covers is touched, where the scope does not say."""
CROWD = 400
"""Issues whose meetings in one hot file are told, those that are surest to touch it: they grow with the square."""
SHOWN = 3
"""Paths that the evidence of a conflict explains."""


@dataclass(frozen=True)
class Conflict:
    """Two issues (a < b) that will probably touch the same paths; `witness` is the likeliest of them."""

    a: str
    b: str
    p: float
    paths: tuple[str, ...]
    witness: str
    evidence: tuple[str, ...]
    hot_only: bool


Pair = tuple[str, str]
Product = dict[Pair, float]
"""Pair (a < b) -> the chance that no path at all is touched by both."""


def find_conflicts(scopes: Mapping[str, Scope], *, threshold: float = 0.2) -> tuple[Conflict, ...]:
    """Every pair whose p reaches the threshold, the likeliest first."""
    hot = frozenset(path for scope in scopes.values() for path in scope.hot)
    free: tuple[Product, Product] = ({}, {})
    for path, holders in _holders(scopes).items():
        # A hot file is worth a pair only if it makes the conflict on its own: there are too many of them.
        least = threshold if path in hot else min(LEAST_PRODUCT, threshold / 10)
        _multiply(free[path in hot], holders[:CROWD] if path in hot else holders, least)
    witnessed: dict[Pair, dict[str, float]] = {}
    for pair, witness, product in _pattern_meetings(scopes):
        witnessed.setdefault(pair, {}).setdefault(witness, product)
    told = cache(lambda issue: _Held(scopes[issue]))
    found: dict[Pair, Conflict] = {}
    for hot_only in (False, True):
        # In the order of the paths, not as a set: what is near in memory is asked for together.
        for pair in free[hot_only] if hot_only else {**free[False], **witnessed}:
            extra = {} if hot_only else witnessed.get(pair, {})
            if pair in found or 1 - free[hot_only].get(pair, 1.0) * _free(extra) < threshold:
                continue
            conflict = _conflict(told(pair[0]), told(pair[1]), extra, hot, hot_only)
            if conflict.p >= threshold:
                found[pair] = conflict
    return tuple(sorted(found.values(), key=lambda one: (-one.p, one.a, one.b)))


def _holders(scopes: Mapping[str, Scope]) -> dict[str, list[tuple[float, str]]]:
    """Path -> (p, issue), the likeliest first. Files to be made count like others."""
    found: dict[str, list[tuple[float, str]]] = {}
    for issue, scope in scopes.items():
        for file in scope.files:
            found.setdefault(file.path, []).append((file.p, issue))
        for pattern, p in scope.new:
            if is_literal(pattern):
                found.setdefault(pattern, []).append((p, issue))
    return {path: sorted(holders, reverse=True) for path, holders in found.items() if len(holders) > 1}


def _multiply(free: Product, holders: list[tuple[float, str]], least: float) -> None:
    """Add one path to the chances of all its pairs, those below `least` left out."""
    for place, (p, issue) in enumerate(holders, 1):
        for q, other in islice(holders, place, None):
            if p * q < least:
                break
            if issue != other:
                pair = (issue, other) if issue < other else (other, issue)
                free[pair] = free.get(pair, 1.0) * (1 - p * q)


def _pattern_meetings(scopes: Mapping[str, Scope]) -> Iterator[tuple[Pair, str, float]]:
    """Where a pattern that is no plain path meets what another issue reserves."""
    wild: dict[str, list[tuple[str, float]]] = {}
    plain: dict[str, list[tuple[str, float]]] = {}
    for issue, scope in scopes.items():
        known = {**dict(scope.new), **{escape(file.path): file.p for file in scope.files}}
        for pattern in scope.write:
            side = plain if is_literal(pattern) else wild
            side.setdefault(pattern, []).append((issue, known.get(pattern, PATTERN_P)))
    index = PatternSet(wild)
    for path, holders in plain.items():
        for pattern in index.matching(path) if wild else ():
            yield from _crossed(wild[pattern], holders, path)
    for pattern, holders in wild.items():
        for other, witness in index.meeting(pattern):
            if pattern <= other:
                yield from _crossed(holders, wild[other], witness)


def _crossed(
    left: Iterable[tuple[str, float]], right: Iterable[tuple[str, float]], witness: str
) -> Iterator[tuple[Pair, str, float]]:
    for issue, p in left:
        for other, q in right:
            if issue != other:
                yield ((issue, other) if issue < other else (other, issue)), witness, p * q


class _Held:
    """What one issue holds, by path."""

    def __init__(self, scope: Scope) -> None:
        self.issue = scope.issue
        self.made = {pattern: p for pattern, p in scope.new if is_literal(pattern)}
        self.files = {file.path: file for file in scope.files}
        self.p = self.made | {path: file.p for path, file in self.files.items()}
        self._told: dict[str, str] = {}

    def reason(self, path: str) -> str:
        """Why the path is thought to be touched; asked again for every issue that is met there."""
        if path not in self._told:
            self._told[path] = self._reason(path)
        return self._told[path]

    def _reason(self, path: str) -> str:
        file = self.files.get(path)
        if file:
            return f"{self.issue} p={file.p:.2f} ({file.evidence[0] if file.evidence else 'predicted'})"
        if path in self.made:
            return f"{self.issue} p={self.made[path]:.2f} (to be made)"
        return f"{self.issue} reserves a pattern that covers it"


def _conflict(a: _Held, b: _Held, witnessed: Mapping[str, float], hot: Container[str], hot_only: bool) -> Conflict:
    products = {path: p * b.p[path] for path, p in a.p.items() if path in b.p and (path in hot) == hot_only}
    products = {**witnessed, **products} if witnessed else products
    paths = sorted(products, key=lambda path: (-products[path], path)) if len(products) > 1 else list(products)
    told = tuple([f"{path}: {a.reason(path)}; {b.reason(path)}" for path in paths[:SHOWN]])
    return Conflict(a.issue, b.issue, 1 - _free(products), tuple(paths), paths[0], told, hot_only)


def _free(products: Mapping[str, float]) -> float:
    """The chance that none of these comes true."""
    return prod([1 - product for product in products.values()]) if products else 1.0
