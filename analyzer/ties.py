"""What ties two issues together before any file is compared: kin, labels, names, and precedents that met.

Two issues that read like commits which touched a common file will probably meet too, even where no single file is
likely enough for both: precedents carry breadth and the habits of a repository, which probabilities of files that are
multiplied as if they were independent do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_PRECEDENTS = 15


@dataclass(frozen=True)
class Ties:
    """What one issue may have in common with another; ids as the tracker writes them."""

    issue: str = ""
    parents: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    """What it depends on, parents included."""
    cited: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    """Files that the text names, at most two to a name."""
    precedents: tuple[tuple[float, frozenset[str]], ...] = ()
    """Weight (they sum to 1) and files of the commits that read most like it."""


def weighed(found: Sequence[tuple[float, frozenset[str]]]) -> tuple[tuple[float, frozenset[str]], ...]:
    """The first of these precedents (likeness, files; best first) with weights that sum to 1."""
    first = found[:MOST_PRECEDENTS]
    total = sum(like for like, _ in first) or 1.0
    return tuple((like / total, files) for like, files in first)


def traits(a: Ties, b: Ties) -> dict[str, float]:
    """What two issues have in common, each a number of about 0 to 1 (`named` counts files)."""
    return {
        "siblings": float(not a.parents.isdisjoint(b.parents)),
        "linked": float(b.issue in a.targets or a.issue in b.targets),
        "cited": float(b.issue in a.cited or a.issue in b.cited),
        "labels": len(a.labels & b.labels) / (len(a.labels | b.labels) or 1),
        "named": float(len(a.named & b.named)),
        "precedents": sum(
            weight * other
            for weight, files in a.precedents
            for other, theirs in b.precedents
            if not files.isdisjoint(theirs)
        ),
    }
