"""From signals to probabilities: three tables of coefficients, and a closer look at the first candidates.

The probability that an issue touches a file is the logistic function of a weighted sum of the file's signals. The
weights were fitted on 3,241 closed issues of 15 public repositories, each seen with the tree and the history of its
own time; on repositories left out of the fit, files at p >= .2 are right in 40 % and files named by their full path in
63 %, as the tables say. There is a table for what can be known: FULL when the texts of the past were searched, QUICK
when only names, relatives and popularity are asked (a tenth of the time), BARE when there is no past.

The first `SHORTLIST` files of a searched issue are then ordered anew by a forest of small trees, which sees them beside
each other (`shortlist`, `forest`); what the table put behind them stays behind.

`own` (commits that already name the issue) is set by hand: the public cases are all from before the first commit,
and known edits are worth more than any prediction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import nsmallest
from math import exp, inf, log

from analyzer.backlog.issues import Issue
from analyzer.scopes.forest import grown
from analyzer.scopes.mentions import Mentions
from analyzer.scopes.occasion import occasion
from analyzer.scopes.shortlist import Shortlist
from analyzer.scopes.signals import Evidence, Signal, Signals

Scored = list[tuple[str, float]]
"""Paths with their scores, best first."""

FULL = {
    "": -4.43,
    "named_path": 1.27, "named_part": 0.66, "named_name": 1.02, "named_glob": 0.08, "named_stem": 0.18,
    "named_folder": 0.85, "named_few": 0.78, "named_early": 0.64, "named_partner": 1.24, "named_sibling": 0.59,
    "new_package": 0.51, "new_sibling": 0.42, "path_like": 1.43, "name_covered": 0.67,
    "commits_best": 1.03, "commits_vote": 1.56, "issues_best": 0.60, "issues_vote": 0.42,
    "own": 4.0, "family": -0.70, "linked": 0.46, "cited": 0.11,
    "fast": 2.98, "slow": 1.07, "popular": 0.91, "fast_if": -0.98, "slow_if": -0.94, "popular_if": -0.09,
    "doc": -0.14, "setting": -0.36, "test": -0.19, "doc_said": 0.39, "test_said": 0.18, "size": -2.01,
}  # fmt: skip
QUICK = {
    "": -3.55,
    "named_path": 1.61, "named_part": 0.92, "named_name": 1.30, "named_glob": 0.20, "named_stem": 0.99,
    "named_folder": 1.21, "named_few": 1.73, "named_early": 1.07, "named_partner": 3.07, "named_sibling": 1.56,
    "new_package": 0.51, "new_sibling": 0.93, "new_partner": 0.74,
    "own": 4.0, "family": 0.92, "linked": 2.41, "cited": 1.85,
    "fast": 3.79, "slow": 0.98, "popular": 1.30, "fast_if": -0.99, "slow_if": -0.97, "popular_if": -0.31,
    "doc": -0.23, "setting": -0.43, "test": -0.16, "doc_said": 0.46, "test_said": 0.23, "size": -2.67,
}  # fmt: skip
BARE = {
    "": -1.31,
    "named_path": 1.51, "named_part": 0.41, "named_name": 1.22, "named_glob": 0.04, "named_stem": 0.04,
    "named_folder": 0.78, "named_few": 1.62, "named_early": 0.50, "named_partner": 1.36, "named_sibling": 0.08,
    "new_package": 0.41, "new_sibling": 0.41, "new_partner": 0.17, "path_like": 1.55, "name_covered": 0.94,
    "doc": -0.23, "setting": -0.69, "test": -0.38, "doc_said": 0.38, "test_said": 0.06, "size": -5.31,
}  # fmt: skip
STANDING = ("popular", "fast", "slow", "test", "doc", "setting", "size")
REPEATED = ("popular_if", "fast_if", "slow_if", "test_said", "doc_said")
"""Standing signals that an issue brings up again: they weigh on candidates and make none."""
MOST_POPULAR = 60
"""Files that are candidates for every issue."""
SHORTLIST = 60
"""Candidates of a searched issue that are looked at closely."""


@dataclass(frozen=True)
class Reading:
    """An issue and everything that speaks for files; `searched` when the texts of the past were asked as well."""

    issue: Issue
    mentions: Mentions
    signals: Signals
    searched: bool


class Ranker:
    """Ranks files for issues against one body of evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.shortlist = Shortlist(evidence)

    def read(self, issue: Issue, mentions: Mentions, searched: bool) -> Reading:
        """All signals of the issue; those from searching texts only when asked. Without a tree there are none."""
        if not self.evidence.tree.paths:
            return Reading(issue, mentions, {}, searched)
        found = {**self.evidence.named(mentions), **self.evidence.kindred(issue)}
        if searched:
            found |= self.evidence.alike(issue)
        if searched and len(self.evidence.history):
            found |= occasion(issue, self.evidence) | self.shortlist.usage.of_issue(issue)
        return Reading(issue, mentions, found, searched)

    def rank(self, reading: Reading, least: float, fewest: int) -> list[tuple[str, float]]:
        """Files with p >= `least`, and the best `fewest` in any case, best first."""
        looks_closer = reading.searched and len(self.evidence.history)
        scored = self._by_table(reading, least, max(fewest, SHORTLIST) if looks_closer else fewest)
        if looks_closer and scored:
            scored = self._looked_at_closely(reading, scored)
        cut = log(least / (1 - least))
        return [
            (path, 1 / (1 + exp(-score)))
            for place, (path, score) in enumerate(scored)
            if score >= cut or place < fewest
        ]

    def candidates(self, reading: Reading) -> dict[str, float]:
        """The shortlist of a searched issue with its scores by the table, best first; its own commits left out."""
        others = {name: signal for name, signal in reading.signals.items() if name != "own"}
        return dict(self._by_table(replace(reading, signals=others), 1.0, SHORTLIST))

    def _looked_at_closely(self, reading: Reading, scored: Scored) -> Scored:
        """The first candidates as the forest sees them; the others after them."""
        own = reading.signals.get("own", {})
        first = self.candidates(reading) if own else dict(scored[:SHORTLIST])
        columns = self.shortlist.rows(reading.issue, reading.mentions, reading.signals, first)
        found = dict(zip(first, grown().chances(columns), strict=True))
        last = min(found.values())
        found |= {path: min(score, last) for path, score in scored if path not in found}
        found |= {path: found.get(path, last) + FULL["own"] * value for path, value in own.items()}
        return sorted(found.items(), key=_best_first)

    def _by_table(self, reading: Reading, least: float, fewest: int) -> Scored:
        """Files and their scores, best first: those that reach `least`, and the best `fewest` in any case."""
        table, prior, popular = self._full if reading.searched else self._quick
        scores = dict(popular)
        for name, signal in reading.signals.items():
            if name not in REPEATED and (weight := table.get(name)):
                for path, value in signal.items():
                    scores[path] = scores.get(path, prior[path]) + weight * value
        for name in REPEATED:
            if (signal := reading.signals.get(name)) and (weight := table.get(name)):
                for path in scores:
                    scores[path] += weight * signal.get(path, 0.0)
        cut = log(least / (1 - least)) if least < 1 else inf
        best = [(path, score) for path, score in scores.items() if score >= cut]
        if len(best) < fewest:
            best = _best((prior | scores).items(), fewest)
        return sorted(best, key=_best_first)

    @cached_property
    def _full(self) -> tuple[Mapping[str, float], Signal, Signal]:
        return self._prepared(FULL if len(self.evidence.history) else BARE)

    @cached_property
    def _quick(self) -> tuple[Mapping[str, float], Signal, Signal]:
        return self._prepared(QUICK if len(self.evidence.history) else BARE)

    def _prepared(self, table: Mapping[str, float]) -> tuple[Mapping[str, float], Signal, Signal]:
        """The table, the score of every file before any issue is read, and the files that always take part."""
        prior = dict.fromkeys(self.evidence.tree.paths, table[""])
        for name in STANDING:
            weight = table.get(name, 0.0)
            for path, value in self.evidence.standing[name].items():
                prior[path] += weight * value
        touched = self.evidence.standing["popular"]
        return table, prior, dict(_best(((path, prior[path]) for path in touched), MOST_POPULAR))


def _best(pairs: Iterable[tuple[str, float]], count: int) -> list[tuple[str, float]]:
    return nsmallest(count, pairs, key=_best_first)


def _best_first(pair: tuple[str, float]) -> tuple[float, str]:
    return -pair[1], pair[0]
