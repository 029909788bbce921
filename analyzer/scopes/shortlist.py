"""A closer look at the best candidates: what tells apart files that the table of signals ranks alike.

The table weighs every signal by itself. Here the first candidates are compared with each other (their places, their
folders, their partners, files that change together with the first ones) and seen in the light of the request: a short
text without names is another case than a long one with three paths. A grown forest (`forest`) reads the result, one
row a file. Columns are named; those that begin with `q_` are the same for all files of an issue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp, log1p

from analyzer.backlog.issues import Issue
from analyzer.scopes.mentions import Mentions
from analyzer.scopes.signals import Evidence, Signals, issue_terms, name_terms
from analyzer.scopes.usage import Usage
from analyzer.scopes.words import terms

Column = Sequence[float]
Scores = Mapping[str, float]
"""Candidate -> its score by the table, best first."""

FROM_SIGNALS = (
    "named_few", "named_early", "named_path", "named_folder", "named_stem", "path_like", "name_covered",
    "commits_vote", "commits_best", "commits_broad", "commits_first", "issues_vote", "issues_best", "issues_first",
    "family", "linked", "fast", "slow", "popular",
    "last", "last_hours", "written_before", "written_after", "written_soon", "company", "company_like",
    "kind", "label",
)  # fmt: skip
SEEDS = 6
"""First candidates that draw others after them."""
TOUCHES = 60
"""The last touches of a seed that are looked at."""
LOW = -8.0
"""A score below all that matter, for a file without neighbour or partner."""


class Shortlist:
    """Looks at candidates in the light of one body of evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.usage = Usage(evidence)

    def rows(self, issue: Issue, mentions: Mentions, signals: Signals, scores: Scores) -> dict[str, Column | float]:
        """The columns for the candidates, in their order; a number is the same for every file."""
        paths = list(scores)
        known = {**self._evidence.standing, **signals}
        found: dict[str, Column | float] = {}
        for name in FROM_SIGNALS:
            signal = known.get(name, {})
            found[name] = [signal.get(path, 0.0) for path in paths]
        used = [self.usage.of_file(path) for path in paths]
        found |= {name: [one[name] for one in used] for name in used[0]}
        found |= self._among(scores) | self._names(issue, paths)
        return found | self._query(issue, mentions, signals, scores)

    def _among(self, scores: Scores) -> dict[str, Column | float]:
        """How each candidate stands among the others."""
        paths, tree = list(scores), self._evidence.tree
        most = max(scores.values())
        chance = {path: 1 / (1 + exp(-score)) for path, score in scores.items()}
        folders: dict[str, list[str]] = {}
        for path in paths:
            folders.setdefault(folder_of(path), []).append(path)
        beside = {path: [other for other in folders[folder_of(path)] if other != path] for path in paths}
        drawn = self._drawn({path: chance[path] for path in paths[:SEEDS]})
        return {
            "score": list(scores.values()),
            "place": list(range(len(paths))),
            "behind": [score - most for score in scores.values()],
            "beside_best": [max((scores[other] for other in beside[path]), default=LOW) for path in paths],
            "beside_sum": [sum(chance[other] for other in beside[path]) for path in paths],
            "folder_size": [log1p(len(tree.folders.get(folder_of(path), ()))) for path in paths],
            "partner": [max((scores.get(p, LOW) for p in tree.partners_of(path)), default=LOW - 1) for path in paths],
            "drawn": [drawn.get(path, 0.0) for path in paths],
        }

    def _drawn(self, seeds: Mapping[str, float]) -> dict[str, float]:
        """How often a file changed together with a seed, times the seed's chance; the largest over the seeds."""
        found: dict[str, float] = {}
        for seed, chance in seeds.items():
            numbers = self._evidence.history.touches(seed)[-TOUCHES:]
            counted = Counter(path for number in numbers for path in self._evidence.files_at(number))
            del counted[seed]
            for path, count in counted.items():
                found[path] = max(found.get(path, 0.0), chance * count / (len(numbers) + 2))
        return found

    def _names(self, issue: Issue, paths: Sequence[str]) -> dict[str, Column | float]:
        """How much of each file's name and folders the text has; rare terms weigh more."""
        title, text, shelf = terms(issue.title), issue_terms(issue), self._evidence.tree.shelf
        names = [name_terms(path) for path in paths]
        rarity = shelf.weigh(dict.fromkeys({term for name in names for term in name}, 1.0), len(shelf))
        weights = [[(term, rarity.get(term, 0.0)) for term in name] for name in names]
        folders = [terms(folder_of(path)) for path in paths]
        return {
            "in_title": [
                sum(w for term, w in name if term in title) / (sum(w for _, w in name) or 1.0) for name in weights
            ],
            "said_mass": [sum(w for term, w in name if term in text) for name in weights],
            "name_size": list(map(len, names)),
            "folder_said": [len(folder & text.keys()) / (len(folder) or 1) for folder in folders],
        }

    def _query(self, issue: Issue, mentions: Mentions, signals: Signals, scores: Scores) -> dict[str, Column | float]:
        """What kind of request this is."""
        history = self._evidence.history
        now = history.time_of(len(history) - 1)
        created = now if issue.created is None else issue.created
        chances = [1 / (1 + exp(-score)) for score in scores.values()]
        return {
            "q_text": log1p(len(issue.text)),
            "q_title": len(terms(issue.title)),
            "q_named": len(signals.get("named_few", ())),
            "q_new": len(mentions.new),
            "q_best": max(chances),
            "q_sum": sum(chances),
            "q_since": log1p(len(history) - len(history.before(created))),
            "q_hours": log1p(max(0.0, now - created) / 3600),
            "q_tree": log1p(len(self._evidence.tree.paths)),
            "q_commits": max(signals.get("commits_best", {}).values(), default=0.0),
            "q_issues": max(signals.get("issues_best", {}).values(), default=0.0),
            "q_bug": issue.kind == "bug",
            "q_feature": issue.kind == "feature",
            "q_breadth": log1p(self.usage.breadth),
        }


def folder_of(path: str) -> str:
    """The folder that holds the file; empty for the root."""
    return path.rpartition("/")[0]
