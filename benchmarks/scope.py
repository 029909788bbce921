"""How well scopes are predicted, on closed issues of public repositories with the files that their work touched.

Time is respected: for each issue only the commits before its own first commit are known, and the tree is that of
its base. Reported per repository and as their mean: recall at 5, 10 and 20 over the existing files that were touched,
mean reciprocal rank, precision at 5, recall of folders, and for pairs of issues that were open together how well their
risk tells which of them touched a common file (areas under the ROC and the precision curve, and the rate of collisions
in the safest half over the rate among all).

    python benchmarks/scope.py --data ../shared/data/scope [--json] [--only REPO]
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import combinations
from pathlib import Path, PurePosixPath
from statistics import fmean
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analyzer.backlog.issues import Bond, Dependency, Issue
from analyzer.scopes.history import Commit, History
from analyzer.scopes.odds import Side, odds, sides
from analyzer.scopes.scope import predict

TRIVIAL = ("changelog", "readme", "license", "version")
Judged = TypeVar("Judged")
Moment = Mapping[str, Any]
"""`base`, `history_before_ts` and `ready`, as in `snapshots.jsonl`."""
FEWEST_PAIRS, FEWEST_OF_A_CLASS = 100, 8


class Repository:
    """One folder of the data: cases, history, issue texts, trees and snapshots."""

    def __init__(self, folder: Path) -> None:
        self.cases = {case["id"]: case for case in _lines(folder / "cases.jsonl")}
        self.backlog = {entry["id"]: _issue(entry) for entry in _lines(folder / "issues.jsonl")}
        self.backlog |= {name: _issue(case) for name, case in self.cases.items()}
        commits = [
            Commit(entry["sha"], entry["t"], entry["msg"], tuple(path for _, path in entry["files"]))
            for entry in _lines(folder / "history.jsonl")
        ]
        self.history = History.of(commits, {name: issue.text for name, issue in self.backlog.items()})
        self.snapshots = list(_lines(folder / "snapshots.jsonl"))
        self.trees = dict(_trees(folder / "trees.jsonl"))

    def evaluated(self) -> Iterator[dict[str, Any]]:
        """Cases with the text as first written and with a file that existed."""
        return (case for case in self.cases.values() if case["evaluated"])


def measure(repository: Repository) -> dict[str, Any]:
    """All figures of one repository."""
    rows, spent = [], 0.0
    for case in repository.evaluated():
        history = repository.history.before(case["history_before_ts"])
        began = time.perf_counter()
        scope = predict([repository.backlog[case["id"]]], repository.backlog, history, repository.trees[case["base"]])
        spent += time.perf_counter() - began
        rows.append(file_figures([file.path for file in scope[case["id"]].files], set(case["existing"])))
    figures: dict[str, Any] = {key: fmean(row[key] for row in rows) for key in rows[0]} if rows else {}
    return {
        "cases": len(rows),
        **figures,
        **pair_figures(pairs_of(repository, odds)),
        "seconds_per_issue": spent / max(1, len(rows)),
    }


def file_figures(ranked: Sequence[str], truth: set[str]) -> dict[str, float]:
    """The figures of one case: the ranking against the existing files that were touched."""
    hits = [path in truth for path in ranked]
    folders = list(dict.fromkeys(str(PurePosixPath(path).parent) for path in ranked))
    true_folders = {str(PurePosixPath(path).parent) for path in truth}
    return {
        **{f"recall@{k}": sum(hits[:k]) / len(truth) for k in (5, 10, 20)},
        "mrr": 1 / (hits.index(True) + 1) if True in hits else 0.0,
        "precision@5": sum(hits[:5]) / 5,
        "folder_recall@5": len(true_folders & set(folders[:5])) / len(true_folders),
    }


def pairs_of(
    repository: Repository, judge: Callable[[Side, Side], Judged], moments: Iterable[Moment] | None = None
) -> list[tuple[Judged, bool]]:
    """What `judge` says of each pair of issues that were open together, and whether the two met.

    The moments are the repository's snapshots where none are given; a pair counts once.
    """
    pairs: dict[tuple[str, str], tuple[Judged, bool]] = {}
    for moment in repository.snapshots if moments is None else moments:
        names = [name for name in moment["ready"] if name in repository.cases]
        history = repository.history.before(moment["history_before_ts"])
        issues = [repository.backlog[name] for name in names]
        scopes = predict(issues, repository.backlog, history, repository.trees[moment["base"]])
        side = sides(scopes)
        for a, b in combinations(sorted(names), 2):
            one, other = repository.cases[a], repository.cases[b]
            if (a, b) not in pairs and not set(one["commits"]) & set(other["commits"]):
                pairs[a, b] = judge(side[a], side[b]), bool(_solid(one["files"]) & _solid(other["files"]))
    return list(pairs.values())


def pair_figures(pairs: Sequence[tuple[float, bool]]) -> dict[str, float]:
    """The figures of scored pairs; none where there are too few of them."""
    collided = sum(truth for _, truth in pairs)
    if len(pairs) < FEWEST_PAIRS or min(collided, len(pairs) - collided) < FEWEST_OF_A_CLASS:
        return {}
    ranked = sorted(pairs, key=lambda pair: -pair[0])
    safest = [truth for _, truth in ranked[len(ranked) // 2 :]]
    base = collided / len(pairs)
    return {
        "pairs": len(pairs), "pair_base": base, "pair_auc": _area(ranked), "pair_ap": _average_precision(ranked),
        "safest_half": fmean(safest) / base,
    }  # fmt: skip


def _solid(files: Iterable[str]) -> set[str]:
    """Files whose meeting counts as a conflict."""
    names = ((path, path.rpartition("/")[2].lower()) for path in files)
    return {
        path
        for path, name in names
        if not name.startswith(TRIVIAL) and name != ".gitignore" and not name.endswith((".snap", ".golden"))
    }


def _area(ranked: Sequence[tuple[float, bool]]) -> float:
    """The chance that a pair that collided scores above one that did not; ties count half."""
    below = total = 0.0
    by_score: dict[float, list[bool]] = {}
    for score, truth in ranked:
        by_score.setdefault(score, []).append(truth)
    for score in sorted(by_score):
        positives = sum(by_score[score])
        negatives = len(by_score[score]) - positives
        total += positives * (below + negatives / 2)
        below += negatives
    return total / (below * (len(ranked) - below))


def _average_precision(ranked: Sequence[tuple[float, bool]]) -> float:
    found, total = 0, 0.0
    for place, (_, truth) in enumerate(ranked, 1):
        if truth:
            found += 1
            total += found / place
    return total / found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _trees(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    present: set[str] = set()
    for line in _lines(path):
        present = (present - set(line["rm"])) | set(line["add"])
        yield line["base"], tuple(sorted(present))


def _issue(entry: dict[str, Any]) -> Issue:
    return Issue(
        id=entry["id"], title=entry["title"] or "", description=entry["description"] or "",
        design=entry["design"] or "", acceptance=entry["acceptance_criteria"] or "", notes=entry["notes"] or "",
        kind=entry.get("issue_type") or "task", labels=tuple(entry.get("labels") or ()),
        dependencies=tuple(_dependencies(entry)), created=entry.get("created_ts") or _moment(entry["created_at"]),
    )  # fmt: skip


def _moment(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


def _dependencies(entry: dict[str, Any]) -> Iterator[Dependency]:
    if entry.get("parent"):
        yield Dependency(entry["parent"], Bond.PARENT)
    for link in entry.get("deps") or ():
        target, kind = (link["depends_on_id"], link.get("type")) if isinstance(link, dict) else (link[0], link[1])
        if kind not in ("parent-child", "parent"):
            yield Dependency(target, Bond.BLOCKS if kind == "blocks" else Bond.RELATED, kind or "")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", help="a repository, as its folder is named")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    folders = sorted(path.parent for path in asked.data.glob("*/cases.jsonl") if asked.only in (None, path.parent.name))
    if not folders:
        print(f"no repositories in {asked.data}", file=sys.stderr)
        return 1
    found = {folder.name: measure(Repository(folder)) for folder in folders}
    keys = list(dict.fromkeys(key for figures in found.values() for key in figures))
    macro = {key: fmean(figures[key] for figures in found.values() if key in figures) for key in keys}
    seconds = macro.pop("seconds_per_issue")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
    answer = {"schema": 1, "macro": macro, "repositories": found, "seconds_per_issue": seconds, "peak_mb": peak}
    if asked.json:
        print(json.dumps(answer, indent=1))
        return 0
    shown = ["recall@5", "recall@10", "recall@20", "mrr", "precision@5", "folder_recall@5"]
    shown += ["pair_auc", "pair_ap", "safest_half"]
    print(" ".join(["repository".ljust(52), *(key.rjust(11) for key in shown)]))
    for name, figures in [*found.items(), ("mean", macro)]:
        cells = (f"{figures[key]:11.3f}" if key in figures else " " * 10 + "-" for key in shown)
        print(" ".join([name.ljust(52), *cells]))
    print(f"{seconds * 1000:.1f} ms an issue, {peak:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
