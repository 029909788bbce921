"""Fits the table that tells how likely two issues are to meet, on pairs of public repositories, and writes it.

The pairs are those of `scope.py`: issues that were open together, each seen with the tree and the history of that
moment. Every repository weighs as the root of its pairs, and before anything is written the table is judged on
repositories left out of the fit. The table of single files (`analyzer/ranking.py`) is taken as it is. Needs numpy and
scikit-learn, which the product does not.

    python benchmarks/fit_scope.py --data ../shared/data/scope [--write]
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analyzer import fitted
from analyzer.conflicts import common
from benchmarks.scope import Repository, pair_figures, pairs_of

Table = dict[str, float]
Pair = tuple[Table, bool]
"""What two issues have in common, and whether they met."""
FOLDS = 5
STIFFNESS = 0.1
"""scikit-learn's C, on columns scaled to unit spread."""
TARGET = Path(fitted.__file__)


def fit(pairs: Mapping[str, Sequence[Pair]]) -> Table:
    """The logistic table for the pairs of each repository; the key of the intercept is empty."""
    import numpy as np  # ty: ignore[import-not-found]
    from sklearn.linear_model import LogisticRegression  # ty: ignore[import-not-found]

    names = [name for name in fitted.RISK if name]
    rows = np.array([[shared[name] for name in names] for found in pairs.values() for shared, _ in found])
    met = np.array([met for found in pairs.values() for _, met in found])
    weights = np.array([len(found) ** -0.5 for found in pairs.values() for _ in found])
    middle, spread = rows.mean(0), rows.std(0) + 1e-6
    model = LogisticRegression(C=STIFFNESS, max_iter=300)
    model.fit((rows - middle) / spread, met, sample_weight=weights / weights.mean())
    slopes = model.coef_[0] / spread
    return {"": float(model.intercept_[0] - slopes @ middle), **dict(zip(names, map(float, slopes), strict=True))}


def left_out(pairs: Mapping[str, Sequence[Pair]]) -> Table:
    """The mean over repositories of the figures that a table reaches which never saw the repository."""
    names = sorted(pairs)
    rows = []
    for fold in range(FOLDS):
        out = names[fold::FOLDS]
        table = fit({name: pairs[name] for name in names if name not in out})
        for name in out:
            scored = [(sum(table[key] * value for key, value in shared.items()), met) for shared, met in pairs[name]]
            rows.append(pair_figures(scored))
    return {key: fmean(row[key] for row in rows if row) for key in ("pair_auc", "pair_ap", "safest_half")}


def written(table: Table, about: str) -> str:
    """The module that holds the table."""
    head = "\n".join(["How likely two issues are to meet; written by `benchmarks/fit_scope.py`.", "", about])
    cells = "".join(f'    "{key}": {value:.2f},\n' for key, value in table.items())
    return f'"""{head}\n"""\n\nRISK = {{\n{cells}}}\n'


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help=f"replace {TARGET.name} (else only judge)")
    asked = parser.parse_args(arguments)
    try:
        import sklearn  # noqa: F401  # ty: ignore[import-not-found]
    except ImportError:
        print("fitting needs numpy and scikit-learn: pip install scikit-learn", file=sys.stderr)
        return 1
    folders = sorted(path.parent for path in asked.data.glob("*/cases.jsonl"))
    pairs = {folder.name: pairs_of(Repository(folder), common) for folder in folders}
    reached = ", ".join(f"{key} {value:.3f}" for key, value in left_out(pairs).items())
    about = f"Fitted on {sum(map(len, pairs.values()))} pairs of {len(pairs)} public repositories; "
    about = "\n".join(textwrap.wrap(f"{about}on repositories left out of the fit: {reached}.", 118))
    print(about)
    if asked.write:
        TARGET.write_text(written(fit(pairs), about), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
