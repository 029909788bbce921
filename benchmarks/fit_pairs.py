"""Fits the table that tells how likely two issues are to meet, on pairs of public repositories, and writes it.

The pairs are those of `scope.py`: issues that were open together, each seen with the tree and the history of that
moment; beside the snapshots of the data as many moments more, one after every few cases. Before anything is written
the table is judged on the snapshots of each repository, left out of its fit.

In two steps, because two questions are asked. Which pair before which: least squares on what differs within a
repository, every weight of the sign that reason gives it, drawn together by a ridge as strong as three times the mean
spread. How likely: the logistic curve that leads from this sum, and from how often issues met in the repository's own
past, to the rate of collisions. Every repository weighs as the root of its pairs. Needs numpy and scipy, which the
product does not (`uv sync --group fit`).

    python benchmarks/fit_pairs.py --data ../shared/data/scope [--write]
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analyzer.scopes import fitted_pairs
from analyzer.scopes.odds import common
from benchmarks.scope import Moment, Repository, pair_figures, pairs_of

Table = dict[str, float]
Pair = tuple[Table, bool]
"""What two issues have in common, and whether they met."""
AGAINST = ("age",)
"""What makes a meeting less likely."""
LEVEL = "usual"
RIDGE = 3.0
MOMENTS, FEWEST_CASES, BATCH, AHEAD = 45, 8, 20, 60
"""Moments beside the snapshots, the cases between two, and how many issues of how many next cases are paired."""
TARGET = Path(fitted_pairs.__file__)
FIGURES = ("pair_auc", "pair_ap", "safest_half")


def moments(repository: Repository) -> Iterator[Moment]:
    """Moments beside the snapshots: what was open then and worked on next."""
    clean = [case for case in repository.cases.values() if case["clean_text"] and case["history_before_ts"]]
    clean.sort(key=lambda case: (case["history_before_ts"], case["id"]))
    for place in range(FEWEST_CASES, len(clean) - FEWEST_CASES, max(FEWEST_CASES, len(clean) // MOMENTS)):
        first, upcoming = clean[place], clean[place : place + AHEAD]
        then = first["history_before_ts"]
        if first["base"] in repository.trees:
            ready = [case["id"] for case in upcoming if (case["created_ts"] or 0) <= then][:BATCH]
            yield {"base": first["base"], "history_before_ts": then, "ready": ready}


def fit(pairs: Mapping[str, Sequence[Pair]]) -> Table:
    """The table for the pairs of each repository; the key of the intercept is empty."""
    import numpy as np  # ty: ignore[import-not-found]
    from scipy.optimize import nnls  # ty: ignore[import-not-found]

    names = [name for name in next(iter(pairs.values()))[0][0] if name != LEVEL]
    sign = np.array([-1.0 if name in AGAINST else 1.0 for name in names])
    rows = {key: np.array([[told[name] for name in names] for told, _ in found]) for key, found in pairs.items()}
    spread = np.vstack(list(rows.values())).std(0) + 1e-9
    square, slope = np.zeros((len(names), len(names))), np.zeros(len(names))
    for key, found in pairs.items():
        scaled = (rows[key] - rows[key].mean(0)) / spread * sign
        met = np.array([float(met) for _, met in found])
        square += scaled.T @ scaled / len(found) ** 0.5
        slope += scaled.T @ (met - met.mean()) / len(found) ** 0.5
    square += RIDGE * np.trace(square) / len(names) * np.eye(len(names))
    root = np.linalg.cholesky(square)
    weights, _ = nnls(root.T, np.linalg.solve(root, slope))
    table = dict(zip(names, map(float, weights * sign / spread), strict=True))
    start, steep, level = _curve(pairs, table)
    return {"": start, **{name: steep * value for name, value in table.items()}, LEVEL: level}


def _curve(pairs: Mapping[str, Sequence[Pair]], table: Table) -> tuple[float, float, float]:
    """Intercept, and slopes on the sum and on the level, of the logistic curve; by Newton's method."""
    import numpy as np  # ty: ignore[import-not-found]

    sums = [(summed(table, told), told[LEVEL]) for found in pairs.values() for told, _ in found]
    x = np.column_stack([np.ones(len(sums)), np.array(sums)])
    met = np.array([float(met) for found in pairs.values() for _, met in found])
    weights = np.array([len(found) ** -0.5 for found in pairs.values() for _ in found])
    found = np.zeros(3)
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ found))
        curve = (x * (weights * p * (1 - p))[:, None]).T @ x
        found += np.linalg.solve(curve + 1e-9 * np.eye(3), x.T @ (weights * (met - p)))
    return float(found[0]), float(found[1]), float(found[2])


def summed(table: Table, told: Table) -> float:
    """The log odds of a pair."""
    return table.get("", 0.0) + sum(value * told[name] for name, value in table.items() if name)


def left_out(pairs: Mapping[str, Sequence[Pair]], judged: Mapping[str, Sequence[Pair]]) -> dict[str, dict[str, float]]:
    """Repository -> the figures of its snapshots under a table which never saw the repository."""
    found: dict[str, dict[str, float]] = {}
    for name, own in judged.items():
        table = fit({other: rows for other, rows in pairs.items() if other != name})
        figures: dict[str, Any] = pair_figures([(summed(table, told), met) for told, met in own])
        if figures:
            found[name] = figures | _calibration([(summed(table, told), met) for told, met in own])
    return found


def _calibration(scored: Sequence[tuple[float, bool]]) -> dict[str, float]:
    """The mean chance, and what is flagged at one half: its share of all, how much of it met, how much of all met."""
    import numpy as np  # ty: ignore[import-not-found]

    p = 1 / (1 + np.exp(-np.array([score for score, _ in scored])))
    met = np.array([float(met) for _, met in scored])
    flagged = p >= 0.5
    return {
        "mean_p": float(p.mean()), "flagged": float(flagged.mean()),
        "right": float(met[flagged].mean()) if flagged.any() else float("nan"),
        "caught": float(met[flagged].sum() / met.sum()),
    }  # fmt: skip


def written(table: Table, about: str) -> str:
    """The module that holds the table."""
    head = "\n".join(["How likely two issues are to meet; written by `benchmarks/fit_pairs.py`.", "", about])
    cells = "".join(f'    "{key}": {value:.3f},\n' for key, value in table.items())
    return f'"""{head}\n"""\n\nRISK = {{\n{cells}}}\n'


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help=f"replace {TARGET.name} (else only judge)")
    asked = parser.parse_args(arguments)
    try:
        import scipy  # noqa: F401  # ty: ignore[import-not-found]
    except ImportError:
        print("fitting needs numpy and scipy: uv sync --group fit", file=sys.stderr)
        return 1
    pairs: dict[str, list[Pair]] = {}
    judged: dict[str, list[Pair]] = {}
    for folder in sorted(path.parent for path in asked.data.glob("*/cases.jsonl")):
        repository = Repository(folder)
        judged[folder.name] = pairs_of(repository, common)
        pairs[folder.name] = judged[folder.name] + pairs_of(repository, common, moments(repository))
    found = left_out(pairs, judged)
    for name, figures in found.items():
        print(name.ljust(52), " ".join(f"{key} {value:.3f}" for key, value in figures.items()))
    reached = ", ".join(f"{key} {fmean(row[key] for row in found.values()):.3f}" for key in FIGURES)
    about = f"Fitted on {sum(map(len, pairs.values()))} pairs of {len(pairs)} public repositories; "
    about = "\n".join(textwrap.wrap(f"{about}on repositories left out of the fit: {reached}.", 118))
    print(about)
    if asked.write:
        TARGET.write_text(written(fit(pairs), about), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
