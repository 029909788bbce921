"""Which issues will meet in a file, how probably, and where.

Two issues that were searched for in a past conflict with the chance that `odds` gives them: it knows more than their
files. It is shared out over the files that both may touch, and is never less than the chance of the likeliest of them
(what both name or declare is known better than any habit). Others conflict with the probability that some file is
touched by both: 1 - prod(1 - pa*pb)**2 over the files that both scopes hold, each counted twice, because products
understate (at .2 they came true in 29 %). Patterns of one that meet a pattern of the
other count as files: a witness path proves the meeting.

Hot files stand apart: most issues touch them, so counted in they would tie everything to everything. A pair that is
likely to meet in hot files alone is told as `hot_only`, and the policy decides what follows.

An index from files to issues finds the pairs of the second kind; products below a tenth of the threshold are dropped,
as nobody is told of a conflict that is made of them. On the public snapshots the odds at .4 flag 12 % of all pairs,
48 % of which did meet; products at .2 flagged 7 %, of which 29 % met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from math import prod

from analyzer.globs import PatternSet, escape, is_literal
from analyzer.scopes.odds import odds, sides
from analyzer.scopes.scope import Scope

LEAST_PRODUCT = 0.02
PATTERN_P = 0.3
"""The chance that a path which a reserved pattern covers is touched, where the scope does not say."""
CROWD = 400
"""Issues whose meetings in one hot file are told, those that are surest to touch it: they grow with the square."""
SHOWN = 3
"""Paths that the evidence of a conflict explains."""
UNDERSTATED = 2
"""How often the product of two chances is counted."""
TELLING = 0.2
"""A path is told when it is at least this share as likely as the likeliest: a little chance everywhere is noise."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two issues (a < b) that will probably touch the same paths, the likeliest first."""

    a: str
    b: str
    p: float
    paths: tuple[str, ...]
    hot_only: bool
    scopes: tuple[Scope, Scope] = field(repr=False, compare=False)

    @property
    def witness(self) -> str:
        """The likeliest path."""
        return self.paths[0]

    @property
    def evidence(self) -> tuple[str, ...]:
        """Why each is thought to touch the first paths; made on request, as few conflicts are ever explained."""
        return tuple(
            f"{path}: {'; '.join(_reason(scope, path) for scope in self.scopes)}" for path in self.paths[:SHOWN]
        )


Pair = tuple[str, str]
Product = dict[Pair, float]
"""Pair (a < b) -> the chance that no path at all is touched by both."""


def find_conflicts(
    scopes: Mapping[str, Scope], *, threshold: float = 0.4, known: frozenset[str] = frozenset()
) -> tuple[Conflict, ...]:
    """Every pair whose p reaches the threshold, the likeliest first; pairs within `known` are left out."""
    hot = frozenset(path for scope in scopes.values() for path in scope.hot)
    witnessed: dict[Pair, dict[str, float]] = {}
    for pair, witness, product in _pattern_meetings(scopes):
        witnessed.setdefault(pair, {}).setdefault(witness, product)
    desk = _Desk({name: _Held(scope, hot) for name, scope in scopes.items()}, witnessed, threshold)
    judged = frozenset(issue for issue, scope in scopes.items() if scope.ties.age > 0)
    pairs = [pair for pair in combinations(sorted(judged), 2) if not known.issuperset(pair)]
    found = (*_multiplied(desk, (known, judged)), *_judged(desk, pairs))
    return tuple(sorted(found, key=lambda one: (-one.p, one.a, one.b)))


def corrected(product: float) -> float:
    """The chance that two issues meet whose scopes alone say `product`: such products understate it."""
    return 1 - (1 - product) ** UNDERSTATED


def _multiplied(desk: _Desk, without: tuple[frozenset[str], frozenset[str]]) -> Iterator[Conflict]:
    """The conflicts by the chances of single files, but for the pairs within either of two sets of issues."""
    threshold = 1 - (1 - desk.threshold) ** (1 / UNDERSTATED)
    known, judged = without
    found: set[Pair] = set()
    for hot_only in (False, True):
        for pair, free in _free(desk, hot_only, threshold).items():
            a, b = pair
            if 1 - free < threshold or pair in found or (a in known and b in known) or (a in judged and b in judged):
                continue
            products = desk.products(pair, hot_only)
            p = 1 - prod([1 - product for product in products.values()])
            if p >= threshold:
                found.add(pair)
                yield desk.conflict(pair, products, corrected(p), hot_only)


def _free(desk: _Desk, hot_only: bool, threshold: float) -> Product:
    """The chances of all pairs that may reach the threshold, without what is hardly worth multiplying."""
    free: Product = {}
    # A hot file is worth a pair only if it makes the conflict on its own: there are too many of them.
    least = threshold if hot_only else min(LEAST_PRODUCT, threshold / 10)
    for holders in _holders({issue: one.p[hot_only] for issue, one in desk.held.items()}):
        _multiply(free, holders[:CROWD] if hot_only else holders, least)
    for pair, products in () if hot_only else desk.witnessed.items():
        free[pair] = free.get(pair, 1.0) * prod(1 - p for p in products.values())
    return free


def _judged(desk: _Desk, pairs: Sequence[Pair]) -> Iterator[Conflict]:
    """The conflicts by the odds."""
    side = sides({name: desk.held[name].scope for pair in pairs for name in pair})
    for pair in pairs:
        p = odds(side[pair[0]], side[pair[1]])
        likeliest = desk.held[pair[0]].top * desk.held[pair[1]].top
        if max(p, likeliest, *desk.witnessed.get(pair, {}).values()) < desk.threshold:
            continue
        cold, heated = desk.products(pair, False), desk.products(pair, True)
        total = sum(cold.values()) + sum(heated.values())
        for products, hot_only in ((cold, False), (heated, True)):
            part = 1.0 if hot_only else sum(cold.values()) / (total or 1.0)
            chance = max(p * part, *products.values()) if products else 0.0
            if chance >= desk.threshold:
                yield desk.conflict(pair, products, chance, hot_only)
                break


def _holders(chances: Mapping[str, Mapping[str, float]]) -> Iterator[list[tuple[float, str]]]:
    """(p, issue) for each path that several issues hold, the likeliest first."""
    found: dict[str, list[tuple[float, str]]] = {}
    for issue, paths in chances.items():
        for path, p in paths.items():
            found.setdefault(path, []).append((p, issue))
    return (sorted(holders, reverse=True) for holders in found.values() if len(holders) > 1)


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
    written = dict.fromkeys(pattern for scope in scopes.values() for pattern in scope.write)
    wild: dict[str, list[tuple[str, float]]] = {pattern: [] for pattern in written if not is_literal(pattern)}
    plain: dict[str, list[tuple[str, float]]] = {}
    for issue, scope in scopes.items() if wild else ():
        known = {**dict(scope.new), **{escape(file.path): file.p for file in scope.files}}
        for pattern in scope.write:
            side = wild if pattern in wild else plain
            side.setdefault(pattern, []).append((issue, known.get(pattern, PATTERN_P)))
    index = PatternSet(wild)
    for path, holders in plain.items():
        for pattern in index.matching(path):
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


def _reason(scope: Scope, path: str) -> str:
    for file in scope.files:
        if file.path == path:
            return f"{scope.issue} p={file.p:.2f} ({file.evidence[0] if file.evidence else 'predicted'})"
    for pattern, p in scope.new:
        if pattern == path:
            return f"{scope.issue} p={p:.2f} (to be made)"
    return f"{scope.issue} reserves a pattern that covers it"


class _Held:
    """What one issue holds: the chances of its paths, those to be made among them; the hot ones apart."""

    def __init__(self, scope: Scope, hot: frozenset[str]) -> None:
        self.scope = scope
        chances = {pattern: p for pattern, p in scope.new if is_literal(pattern)}
        chances |= {file.path: file.p for file in scope.files}
        self.top = max(chances.values(), default=0.0)
        heated = {path: p for path, p in chances.items() if path in hot}
        self.p = ({path: p for path, p in chances.items() if path not in heated} if heated else chances, heated)


@dataclass(frozen=True)
class _Desk:
    """What the conflicts of one request are found from."""

    held: Mapping[str, _Held]
    witnessed: Mapping[Pair, Mapping[str, float]]
    """Pair -> the paths at which patterns of theirs meet, with the chance."""
    threshold: float

    def products(self, pair: Pair, hot_only: bool) -> dict[str, float]:
        """Path -> the chance that both touch it, for the hot paths or for the others and the witnessed ones."""
        one, other = self.held[pair[0]].p[hot_only], self.held[pair[1]].p[hot_only]
        shared = {path: p * other[path] for path, p in one.items() if path in other}
        return {**self.witnessed[pair], **shared} if pair in self.witnessed and not hot_only else shared

    def conflict(self, pair: Pair, products: Mapping[str, float], p: float, hot_only: bool) -> Conflict:
        """The conflict of a pair, with the paths that are worth telling."""
        likely = sorted(products, key=lambda path: (-products[path], path))
        paths = tuple([path for path in likely if products[path] >= TELLING * products[likely[0]]])
        return Conflict(*pair, p, paths, hot_only, (self.held[pair[0]].scope, self.held[pair[1]].scope))
