"""What speaks for a file being touched by an issue, as numbers between 0 and about 1.

A signal is a map from paths to strength; paths that it does not hold have none. Standing signals depend on the
history and the tree alone: how often and how lately a file was touched, what kind of file it is. Issue signals come
from the text (names, words of paths) and from the past (files of commits and issues that read alike, files of related
issues).

Names are the surest and cover little, the past covers most, popularity is the base. What was tried on the closed issues
of 15 public repositories and bought nothing is not here: association of single terms with files, a profile of terms for
each file, weights learned per repository, one text made of an issue and its commits, files followed through renames,
files that the texts of related issues name, votes of the very last commits alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from math import exp, log1p
from typing import TypeVar

from analyzer.backlog.issues import Issue
from analyzer.scopes.habits import Habits
from analyzer.scopes.history import History
from analyzer.scopes.kin import Kin
from analyzer.scopes.mentions import Manner, Mention, Mentions
from analyzer.scopes.tree import DOC, PACKAGE_FILES, SETTING, TEST, Tree, subject_of
from analyzer.scopes.words import counts, split, terms

Hit = TypeVar("Hit")
Signal = dict[str, float]
Signals = dict[str, Signal]
Precedent = tuple[float, frozenset[str]]
"""How much a past commit reads like an issue (0..1), and its files under today's paths."""

SEARCHED_TEXTS, SEARCHED_PATHS = 40, 60
COUNTED = 10
"""Hits that are also counted."""
LOOKED_BACK = 1500
"""Commits that popularity looks at; what is older says little about today."""
_DOC_SAID = re.compile(r"\bdoc|readme|\.md", re.IGNORECASE)


class Evidence:
    """A history, a tree and the relations of a backlog, ready to be asked about issues."""

    def __init__(self, history: History, tree: Tree, kin: Kin) -> None:
        self.history, self.tree, self.kin = history, tree, kin
        self._moved: dict[str, str | None] = {}
        self._worked: dict[str, list[str]] = {}
        self.habits = Habits(history)
        self._precedents: dict[str, list[Precedent]] = {}
        self._read_alike: dict[str, list[Precedent]] = {}
        self._at: dict[int, list[str]] = {}

    def today(self, path: str) -> str | None:
        """Where the file of an old path is now: there, or the only file of that name; None when it is gone."""
        if path in self.tree.known:
            return path
        if path not in self._moved:
            same = self.tree.by_name.get(path.rpartition("/")[2].lower(), ())
            self._moved[path] = same[0] if len(same) == 1 else None
        return self._moved[path]

    def files_at(self, commit: int) -> list[str]:
        """The files of a commit under today's paths."""
        if commit not in self._at:
            self._at[commit] = [now for path in self.history.files_at(commit) if (now := self.today(path))]
        return self._at[commit]

    def files_of(self, issue_id: str) -> list[str]:
        """The files of the commits that name the issue, under today's paths."""
        if issue_id not in self._worked:
            self._worked[issue_id] = sorted(
                {now for path in self.history.files_of(issue_id) if (now := self.today(path))}
            )
        return self._worked[issue_id]

    @cached_property
    def standing(self) -> Signals:
        """What is known before any issue is read."""
        touched: Signals = {"popular": {}, "fast": {}, "slow": {}}
        end = len(self.history)
        for number in range(max(0, end - LOOKED_BACK), end):
            files = self.files_at(number)
            age, share = end - number, 1 / len(files) ** 0.5 if files else 0
            for name, weight in (("popular", 1.0), ("fast", exp(-age / 15)), ("slow", exp(-age / 150))):
                add(touched[name], files, weight * share)
        most = log1p(max(touched["popular"].values(), default=1.0))
        size = log1p(len(self.tree.paths)) / 10
        return {
            "popular": {path: log1p(value) / most for path, value in touched["popular"].items()},
            "fast": {path: value / (value + 1) for path, value in touched["fast"].items()},
            "slow": {path: value / (value + 5) for path, value in touched["slow"].items()},
            "test": {path: 1.0 for path in self.tree.paths if TEST.search(path)},
            "doc": {path: 1.0 for path in self.tree.paths if DOC.search(path)},
            "setting": {path: 1.0 for path in self.tree.paths if SETTING.search(path)},
            "size": dict.fromkeys(self.tree.paths, size),
        }

    def named(self, mentions: Mentions) -> Signals:
        """Signals from the names in the text."""
        found: Signals = {}
        surest: dict[str, Mention] = {}
        for mention in mentions.found:
            is_group = mention.manner in (Manner.GLOB, Manner.FOLDER)
            signal = found.setdefault(f"named_{mention.manner.name.lower()}", {})
            signal[mention.path] = mention.share**0.5 if is_group else mention.share
            if not is_group and mention.manner is not Manner.STEM:
                known = surest.get(mention.path)
                surest[mention.path] = mention if known is None or mention.share > known.share else known
        if mentions.new:
            found |= self._around_new(mentions.new)
        if surest:
            found["named_few"] = {path: m.share / len(surest) ** 0.5 for path, m in surest.items()}
            found["named_early"] = {path: m.share * (1 - m.place) for path, m in surest.items()}
            found["named_sibling"] = self._siblings(surest)
            found["named_partner"] = self._tests_of(surest)
            for name in ("popular", "fast", "slow"):
                # Where the text names files, being popular says less.
                found[f"{name}_if"] = self.standing[name]
        return found

    def _around_new(self, paths: Sequence[str]) -> Signals:
        """Files that a file to be made goes with: its package's own file, its test or source, what lies beside it."""
        package: Signal = {}
        partner: Signal = {}
        for path in paths:
            folder = path.rpartition("/")[0]
            beside = [p for p in self.tree.folders.get(folder, ()) if p.rpartition("/")[0] == folder]
            package.update((p, 1.0) for p in beside if p.rpartition("/")[2] in PACKAGE_FILES)
            near = self.tree.partners_of(path)
            partner.update(dict.fromkeys(near, 1 / len(near) ** 0.5 if near else 0.0))
        return {"new_sibling": self._siblings(paths), "new_package": package, "new_partner": partner}

    def _siblings(self, paths: Iterable[str]) -> Signal:
        found: Signal = {}
        for folder in {path.rpartition("/")[0] for path in paths}:
            near = [p for p in self.tree.folders.get(folder, ()) if p.rpartition("/")[0] == folder]
            found.update(dict.fromkeys(near, 1 / len(near) ** 0.5 if near else 0.0))
        return found

    def _tests_of(self, paths: Collection[str]) -> Signal:
        found: Signal = {}
        for path in paths:
            near = [other for other in self.tree.partners_of(path) if other not in paths]
            found.update(dict.fromkeys(near, 1 / (len(near) + 1) ** 0.5))
        return found

    def kindred(self, issue: Issue) -> Signals:
        """Signals from commits that name the issue itself or its relatives, and from the kinds of work it speaks of."""
        found: Signals = {}
        for kind, names in self._relatives(issue).items() if len(self.history) else ():
            signal: Signal = {}
            for name in sorted(names):
                files = self.files_of(name)
                add(signal, files, 1 / len(files) ** 0.33 if files else 0)
            if signal:
                found[kind] = {path: value / (value + 1) for path, value in signal.items()}
        text = issue.text
        if "test" in text.lower():
            found["test_said"] = self.standing["test"]
        if _DOC_SAID.search(text):
            found["doc_said"] = self.standing["doc"]
        return found

    def _relatives(self, issue: Issue) -> dict[str, set[str]]:
        kinds = {"own": {issue.id}, "family": self.kin.family(issue), "linked": self.kin.linked(issue)}
        kinds["cited"] = self.kin.cited(issue) - kinds["family"] - kinds["linked"]
        return kinds

    def alike(self, issue: Issue) -> Signals:
        """Signals from the words of the issue: paths with such words, commits and issues that read like it."""
        query = issue_terms(issue)
        end = len(self.history)
        found = self._paths_like(query)
        commits = self._similar(issue.id, query)
        issues = [hit for hit in self.history.similar_issues(query, SEARCHED_TEXTS) if hit[0] != issue.id.lower()]
        self._read_alike[issue.id] = [(like, frozenset(self.files_of(name))) for name, like in issues]
        found |= _votes("commits", commits, self.files_at, lambda number: end - number)
        found |= _votes("issues", issues, self.files_of, lambda name: end - self.history.commits_of(name)[-1])
        return found

    def precedents(self, issue_id: str) -> Sequence[Precedent]:
        """The commits that were found alike to an issue that has been searched for, best first."""
        return self._precedents.get(issue_id, ())

    def past_alike(self, issue_id: str) -> Sequence[Precedent]:
        """The past issues that were found alike to it, best first, with the files that their commits touched."""
        return self._read_alike.get(issue_id, ())

    def _similar(self, issue_id: str, query: Mapping[str, float]) -> list[tuple[int, float]]:
        hits = self.history.similar_commits(query, SEARCHED_TEXTS)
        self._precedents[issue_id] = [
            (like, frozenset(files)) for number, like in hits if (files := self.files_at(number))
        ]
        return hits

    def _paths_like(self, query: Mapping[str, float]) -> Signals:
        shelf = self.tree.shelf
        hits = [(self.tree.paths[n], score) for n, score in shelf.search(query, len(shelf), SEARCHED_PATHS)]
        if not hits:
            return {}
        names = {path: name_terms(path) for path, _ in hits}
        rarity = shelf.weigh(dict.fromkeys({term for some in names.values() for term in some}, 1.0), len(shelf))
        covered: Signal = {}
        for path, some in names.items():
            total = sum(rarity.get(term, 0) for term in some)
            covered[path] = (sum(rarity.get(term, 0) for term in some if term in query) / total) ** 2 if total else 0
        return {"path_like": {path: score / hits[0][1] for path, score in hits}, "name_covered": covered}


def issue_terms(issue: Issue) -> dict[str, float]:
    """The terms of an issue: repeated ones count more, those of the title most."""
    heading = terms(issue.title)
    return {
        term: (2.0 if term in heading else 0.0) + 2.2 * count / (count + 1.2)
        for term, count in counts(issue.text).items()
    }


def _votes(
    name: str, hits: Sequence[tuple[Hit, float]], files_of: Callable[[Hit], list[str]], age: Callable[[Hit], int]
) -> Signals:
    """Each hit votes for its files: the more alike, the fewer files and the younger, the more.

    Besides the votes: the likeness of the best hit, the number of hits among the first, and votes of any age that
    likeness sharpens less.
    """
    votes: Signal = {}
    best: Signal = {}
    first: Signal = {}
    broad: Signal = {}
    for place, (hit, score) in enumerate(hits):
        files = files_of(hit)
        if files:
            like, share = score / hits[0][1], len(files) ** -0.33
            add(votes, files, like**3 * share / (1 + age(hit) / 400))
            add(broad, files, like**1.5 * share)
            if place < COUNTED:
                add(first, files, 1.0)
            for path in files:
                best[path] = max(best.get(path, 0.0), score)
    most = max(votes.values(), default=1.0)
    votes = {path: value / most for path, value in votes.items()}
    kinds = {"vote": votes, "best": best, "first": first, "broad": broad}
    return {f"{name}_{kind}": signal for kind, signal in kinds.items()}


def add(signal: Signal, paths: Iterable[str], weight: float) -> None:
    """Give each path so much more."""
    for path in paths:
        signal[path] = signal.get(path, 0.0) + weight


def name_terms(path: str) -> tuple[str, ...]:
    """The terms of what a file is about, by its name."""
    found = split(subject_of(path).replace("-", "_"))
    return found if len(found) <= 1 else found[1:]
