"""Decision trees that rank a shortlist, and the chance that goes with each place.

`benchmarks/fit_files.py` grows the trees on closed issues of public repositories and writes them to `forest.json`;
here they are only walked. A tree is a leaf (a number) or `[column, limit, left, right]`: left when the value of the
column is at most the limit. The sum over all trees orders the files of one issue and means nothing by itself; the
logistic function of `calibration` makes it a probability, with the best sum of the issue, how much the table expected
of it and how many files recent issues of this repository touched, so that breadth follows the repository.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Any

Columns = Mapping[str, Sequence[float] | float]
Tree = float | list[Any]
GROWN = Path(__file__).with_name("forest.json")


@dataclass(frozen=True)
class Forest:
    """Trees over named columns; `calibration` weighs what `traits_of` tells, its intercept has the empty key."""

    columns: tuple[str, ...]
    trees: tuple[Tree, ...]
    calibration: Mapping[str, float]

    def chances(self, columns: Columns) -> list[float]:
        """The logit of the chance of each file."""
        sums = self.sums(columns)
        best = max(sums)
        weights = self.calibration
        shared = sum(weights[name] * value for name, value in traits_of(best, columns).items()) + weights[""]
        return [weights["sum"] * value + shared for value in sums]

    def sums(self, columns: Columns) -> list[float]:
        """The sum of the leaves that each file reaches; higher is better."""
        return [sum(_leaf(tree, row) for tree in self.trees) for row in self.rows(columns)]

    def rows(self, columns: Columns) -> list[list[float]]:
        """The values of each file in the order of `self.columns`."""
        files = max(len(column) for column in columns.values() if isinstance(column, Sequence))
        chosen = [columns[name] for name in self.columns]
        full = [column if isinstance(column, Sequence) else [column] * files for column in chosen]
        return [list(row) for row in zip(*full, strict=True)]


def traits_of(best: float, columns: Columns) -> dict[str, float]:
    """What the chances of all files of an issue depend on besides their sums."""
    expected, breadth = columns["q_sum"], columns["q_breadth"]
    assert isinstance(expected, float)
    assert isinstance(breadth, float)
    return {"best": best, "expected": log(expected + 0.1), "breadth": breadth}


def _leaf(tree: Tree, row: Sequence[float]) -> float:
    while isinstance(tree, list):
        tree = tree[2] if row[tree[0]] <= tree[1] else tree[3]
    return tree


@cache
def grown() -> Forest:
    """The forest of this package, read once."""
    kept: dict[str, Any] = json.loads(GROWN.read_text(encoding="utf-8"))
    return Forest(tuple(kept["columns"]), tuple(kept["trees"]), kept["calibration"])
