"""Grows the forest that ranks files, on closed issues of public repositories, and writes `analyzer/scopes/forest.json`.

Each issue is seen with the tree and the history of its own time, as in `scope.py`, by the product's own code. The
forest is judged on repositories left out of the fit (five folds), and the chances are calibrated on these judgements,
never on issues that the trees have seen. Repositories weigh as the root of their issues. Trees may only rise with
evidence (monotone columns): what a column means is known, and a dozen repositories do not overrule it. Needs numpy,
lightgbm and scikit-learn (`uv run --group fit`), which the product does not. Some minutes on one core.

    python benchmarks/fit_files.py --data ../shared/data/scope [--write]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analyzer.scopes.forest import GROWN, Columns, Forest, Tree, traits_of
from analyzer.scopes.kin import Kin
from analyzer.scopes.mentions import find_mentions
from analyzer.scopes.ranking import Ranker
from analyzer.scopes.shortlist import FROM_SIGNALS
from analyzer.scopes.signals import Evidence
from analyzer.scopes.tree import Tree as Paths
from benchmarks.scope import Repository, file_figures

FOLDS = 5
NEVER_READ = ("q_breadth",)
"""Columns that only calibrate: they would tell the trees which repository it is."""
RISING = (
    *FROM_SIGNALS, "touches", "per_age", "ending_used", "score", "behind", "beside_best", "partner", "drawn",
    "in_title", "said_mass", "folder_said",
)  # fmt: skip
FALLING = ("place", "age", "hours")
GROWTH = {
    "objective": "lambdarank", "lambdarank_truncation_level": 20, "learning_rate": 0.07, "num_leaves": 16,
    "min_child_samples": 80, "feature_fraction": 0.4, "bagging_fraction": 0.6, "bagging_freq": 1, "lambda_l2": 10,
    "max_bin": 63, "verbose": -1, "num_threads": 1, "seed": 0, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
TREES = 120


@dataclass(frozen=True)
class Case:
    """The shortlist of one issue: its columns, which of its files were touched, and what the figures need."""

    columns: Columns
    paths: tuple[str, ...]
    truth: frozenset[str]
    evaluated: bool


Cases = Mapping[str, Sequence[Case]]


def cases_of(repository: Repository) -> list[Case]:
    """Every issue with a known tree and a file that existed, in the order of the data."""
    found = []
    kin = Kin(repository.backlog)
    for case in repository.cases.values():
        if not case["existing"] or case["base"] not in repository.trees:
            continue
        issue = repository.backlog[case["id"]]
        history = repository.history.before(case["history_before_ts"])
        ranker = Ranker(Evidence(history, Paths(repository.trees[case["base"]]), kin))
        reading = ranker.read(issue, find_mentions(issue.text, ranker.evidence.tree), searched=True)
        scores = ranker.candidates(reading)
        if len(history) and scores:
            columns = ranker.shortlist.rows(issue, reading.mentions, reading.signals, scores)
            found.append(Case(columns, tuple(scores), frozenset(case["existing"]), case["evaluated"]))
    return found


def grow(cases: Cases) -> Forest:
    """A forest for these cases, without calibration."""
    import lightgbm  # ty: ignore[import-not-found]
    import numpy as np  # ty: ignore[import-not-found]

    every = [(case, len(found) ** -0.5) for found in cases.values() for case in found]
    columns = tuple(name for name in every[0][0].columns if name not in NEVER_READ)
    directions = [(name in RISING) - (name in FALLING) for name in columns]
    blank = Forest(columns, (), {})
    rows = np.concatenate([np.array(blank.rows(case.columns), np.float32) for case, _ in every])
    touched = np.array([path in case.truth for case, _ in every for path in case.paths], int)
    weights = np.array([weight for case, weight in every for _ in case.paths])
    groups = [len(case.paths) for case, _ in every]
    data = lightgbm.Dataset(rows, touched, weight=weights / weights.mean(), group=groups)
    model = lightgbm.train({**GROWTH, "monotone_constraints": directions}, data, TREES).dump_model()
    return Forest(columns, tuple(_pruned(tree["tree_structure"]) for tree in model["tree_info"]), {})


def _pruned(node: dict[str, Any]) -> Tree:
    if "leaf_value" in node:
        return round(node["leaf_value"], 5)
    left, right = _pruned(node["left_child"]), _pruned(node["right_child"])
    return [node["split_feature"], float(f"{node['threshold']:.6g}"), left, right]


def left_out(cases: Cases) -> dict[str, list[list[float]]]:
    """For each repository the sums of its cases by a forest that never saw the repository."""
    names = sorted(cases)
    found = {}
    for fold in range(FOLDS):
        out = names[fold::FOLDS]
        forest = grow({name: cases[name] for name in names if name not in out})
        for name in out:
            found[name] = [forest.sums(case.columns) for case in cases[name]]
    return found


def figures_of(cases: Cases, sums: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, float]:
    """The figures of `scope.py` for these sums, as the mean over repositories of the scored issues."""
    rows = []
    for name, found in cases.items():
        ranked = [(case, sorted(zip(case.paths, some, strict=True), key=lambda pair: -pair[1]))
                  for case, some in zip(found, sums[name], strict=True) if case.evaluated]  # fmt: skip
        scored = [file_figures([path for path, _ in order], set(case.truth)) for case, order in ranked]
        if scored:
            rows.append({key: fmean(row[key] for row in scored) for key in scored[0]})
    return {key: fmean(row[key] for row in rows) for key in rows[0]}


def calibrate(cases: Cases, sums: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, float]:
    """Logistic weights that make chances of the sums."""
    import numpy as np  # ty: ignore[import-not-found]
    from sklearn.linear_model import LogisticRegression  # ty: ignore[import-not-found]

    rows, touched, weights = [], [], []
    for name, found in cases.items():
        for case, some in zip(found, sums[name], strict=True):
            shared = traits_of(max(some), case.columns)
            rows += [[value, *shared.values()] for value in some]
            touched += [path in case.truth for path in case.paths]
            weights += [len(found) ** -0.5] * len(some)
    model = LogisticRegression(C=1e6, max_iter=1000)
    model.fit(np.array(rows), touched, sample_weight=np.array(weights) / fmean(weights))
    names = ["sum", *traits_of(0.0, {"q_sum": 1.0, "q_breadth": 1.0})]
    return {"": round(float(model.intercept_[0]), 4)} | {
        name: round(float(weight), 4) for name, weight in zip(names, model.coef_[0], strict=True)
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help=f"replace {GROWN.name} (else only judge)")
    asked = parser.parse_args(arguments)
    folders = sorted(path.parent for path in asked.data.glob("*/cases.jsonl"))
    cases = {folder.name: cases_of(Repository(folder)) for folder in folders}
    sums = left_out(cases)
    reached = {key: round(value, 4) for key, value in figures_of(cases, sums).items()}
    calibration = calibrate(cases, sums)
    print(json.dumps({"repositories_left_out": reached, "calibration": calibration}, indent=1))
    if asked.write:
        forest = grow(cases)
        about = f"Grown on {sum(map(len, cases.values()))} issues of {len(cases)} public repositories."
        kept: dict[str, Any] = {"about": about, "repositories_left_out": reached, "calibration": calibration}
        kept |= {"columns": forest.columns, "trees": forest.trees}
        GROWN.write_text(json.dumps(kept, separators=(",", ":")) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
