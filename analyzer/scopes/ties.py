"""What ties two issues together beside the files that both may touch: kin, labels, names, and precedents that met.

Two issues that read like commits which touched a common file will probably meet too, even where no single file is
likely enough for both: precedents carry breadth and the habits of a repository, which probabilities of files that are
multiplied as if they were independent do not. Commits and past issues are both asked; that two issues call for the
same precedents tells nearly as much as that their precedents met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST_PRECEDENTS = 15
Precedent = tuple[float, frozenset[str]]
"""Weight and files."""


@dataclass(frozen=True)
class Ties:
    """What one issue may have in common with another; ids as the tracker writes them."""

    issue: str = ""
    kind: str = ""
    parents: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    """What it depends on, parents included."""
    dependants: frozenset[str] = frozenset()
    """What depends on it."""
    cited: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    """Files that the text names, at most two to a name."""
    precedents: tuple[Precedent, ...] = ()
    """The commits that read most like it, with weights that sum to 1."""
    alike: tuple[Precedent, ...] = ()
    """The past issues that read most like it, likewise."""
    rarity: Mapping[str, float] = field(default_factory=dict, hash=False)
    """How much it tells to share a file of the scope (`Habits.rarity`)."""
    wanted: float = 0.0
    """How wanted its likely files are: the mean share of the recent issues that touched them."""
    met: float = 0.0
    """The share of the recent issues that its precedents would have met."""
    age: float = 0.0
    breadth: float = 0.0
    usual: float = 0.0
    """The repository's own habits, alike for all of its issues (`Habits`)."""


def weighed(found: Sequence[Precedent]) -> tuple[Precedent, ...]:
    """The first of these precedents (likeness, files; best first) with weights that sum to 1."""
    first = found[:MOST_PRECEDENTS]
    total = sum(like for like, _ in first) or 1.0
    return tuple((like / total, files) for like, files in first)
