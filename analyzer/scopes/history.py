"""What past commits say about issues and paths.

A history is a list of commits in the order of time and, where they are known, the texts of the issues that the
commits name. Every index is built when it is first asked for, and holds positions in that order: `before(time)` is
the same history cut short, at no cost, so that the past can be asked what it knew then.

Decisions. An id is a whole token of a message, in any case, with or without a `bd-` or `br-` in front. A commit
that names more than five issues is a release or a clean-up, one that touches more than a hundred files is an import
or a reformatting: neither says what belongs to an issue.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest
from operator import itemgetter

from analyzer.scopes.words import Shelf, terms

MOST_ISSUES, MOST_FILES = 5, 100
FEWEST_TOUCHES = 3
"""Fewer touches make no file hot, however short the history."""
_TOKEN = re.compile(r"[^\W_][\w.]*(?:-[\w.]+)+")
_MARKS = ("bd-", "br-")


@dataclass(frozen=True)
class Commit:
    """One commit: `time` in seconds since 1970, `files` the paths that it touched, relative to the root."""

    sha: str
    time: float
    message: str
    files: tuple[str, ...]


class _Index:
    """Everything that is known of all commits; shared by a history and what is cut from it."""

    def __init__(self, commits: Sequence[Commit], issue_texts: Mapping[str, str]) -> None:
        self.commits = tuple(sorted(commits, key=lambda commit: commit.time))
        self.times = [commit.time for commit in self.commits]
        self.texts = {issue.lower(): text for issue, text in issue_texts.items()}

    @cached_property
    def named(self) -> dict[str, list[int]]:
        """Bare token (no mark) -> the commits whose message has it."""
        found: dict[str, list[int]] = {}
        for number, commit in enumerate(self.commits):
            if "-" in commit.message and len(commit.files) <= MOST_FILES:
                for token in _tokens(commit.message):
                    found.setdefault(token, []).append(number)
        return found

    @cached_property
    def crowd(self) -> dict[tuple[int, str], int]:
        """(commit, family) -> how many ids of that family its message has; a family is an id without its last part."""
        return Counter((number, _family(token)) for token, numbers in self.named.items() for number in numbers)

    @cached_property
    def issues(self) -> list[tuple[str, tuple[int, ...]]]:
        """The known issues that commits name, with these commits, in the order of their first commit."""
        found = ((issue, self.commits_of(issue)) for issue in self.texts)
        return sorted(((i, numbers) for i, numbers in found if numbers), key=lambda pair: (pair[1][0], pair[0]))

    @cached_property
    def touches(self) -> dict[str, list[int]]:
        """Path -> the commits that touched it."""
        found: dict[str, list[int]] = {}
        for number, commit in enumerate(self.commits):
            if len(commit.files) <= MOST_FILES:
                for path in commit.files:
                    found.setdefault(path, []).append(number)
        return found

    @cached_property
    def messages(self) -> Shelf:
        return Shelf([terms(commit.message) if commit.files else set() for commit in self.commits])

    @cached_property
    def briefs(self) -> Shelf:
        return Shelf([terms(self.texts[issue]) for issue, _ in self.issues])

    def commits_of(self, issue: str) -> tuple[int, ...]:
        bare = _bare(issue.lower())
        last = bare.rpartition("-")[2]
        # A tracker with a long prefix is often cited as bd-abc for project-abc.
        names = {bare} | {mark + last for mark in _MARKS if mark + last not in self.texts}
        found = {n for name in names for n in self.named.get(name, ()) if self.crowd[n, _family(name)] <= MOST_ISSUES}
        return tuple(sorted(found))


class History:
    """Commits, oldest first, and what they tell. Make one with `History.of`."""

    def __init__(self, index: _Index, end: int) -> None:
        self._index = index
        self._end = end

    @classmethod
    def of(cls, commits: Sequence[Commit], issue_texts: Mapping[str, str] | None = None) -> History:
        """`issue_texts` are the words of issues that the commits may name, by id."""
        return cls(_Index(commits, issue_texts or {}), len(commits))

    def before(self, time: float) -> History:
        """What was known before that moment."""
        return History(self._index, min(self._end, bisect_left(self._index.times, time)))

    def __len__(self) -> int:
        return self._end

    @property
    def commits(self) -> tuple[Commit, ...]:
        """Oldest first."""
        return self._index.commits if self._end == len(self._index.commits) else self._index.commits[: self._end]

    def time_of(self, number: int) -> float:
        """When the commit was made, in seconds since 1970."""
        return self._index.times[number]

    def commits_of(self, issue_id: str) -> tuple[int, ...]:
        """The numbers of the commits that name the issue."""
        return tuple(number for number in self._index.commits_of(issue_id) if number < self._end)

    def files_of(self, issue_id: str) -> frozenset[str]:
        """Every file that a commit naming the issue touched."""
        return frozenset(path for number in self.commits_of(issue_id) for path in self.files_at(number))

    def files_at(self, number: int) -> tuple[str, ...]:
        """The files of one commit; none for a commit that touches too many."""
        files = self._index.commits[number].files
        return files if len(files) <= MOST_FILES else ()

    def touches(self, path: str) -> Sequence[int]:
        """The numbers of the commits that touched the path, oldest first."""
        numbers = self._index.touches.get(path, [])
        return numbers if self._end == len(self._index.commits) else numbers[: bisect_left(numbers, self._end)]

    @cached_property
    def named_issues(self) -> list[str]:
        """The known issues that commits name, in the order of their first commit."""
        found = self._index.issues
        return [issue for issue, _ in found[: bisect_left(found, self._end, key=lambda pair: pair[1][0])]]

    def similar_commits(self, query: Mapping[str, float], best: int) -> list[tuple[int, float]]:
        """Commits whose messages are most like the terms: (number, likeness 0..1), best first."""
        return self._index.messages.search(query, self._end, best)

    def similar_issues(self, query: Mapping[str, float], best: int) -> list[tuple[str, float]]:
        """Known issues with commits whose texts are most like the terms: (id in lower case, likeness 0..1)."""
        names = self.named_issues
        return [(names[number], score) for number, score in self._index.briefs.search(query, len(names), best)]

    def telling_terms(self, query: Mapping[str, float], most: int) -> dict[str, float]:
        """The terms that say most about the text among all messages, with weights whose squares sum to 1."""
        weights = self._index.messages.weigh(query, self._end)
        best = nlargest(most, weights.items(), key=itemgetter(1))
        length = sum(weight * weight for _, weight in best) ** 0.5
        return {term: weight / length for term, weight in best}

    def hot_files(self, share: float) -> frozenset[str]:
        """Files that more than `share` of the issues touched; of the commits, when they name no known issue."""
        works = [self.files_of(issue) for issue in self.named_issues] or map(self.files_at, range(self._end))
        counts: Counter[str] = Counter()
        total = 0
        for files in works:
            counts.update(files)
            total += 1
        least = max(FEWEST_TOUCHES - 1, share * total)
        return frozenset(path for path, count in counts.items() if count > least)


def _tokens(message: str) -> Iterator[str]:
    words = [word for word in set(message.split()) if "-" in word]
    found = {_bare(token.rstrip(".").lower()) for word in words for token in _TOKEN.findall(word)}
    return (token for token in found if "-" in token)


def _bare(token: str) -> str:
    """Without one `bd-` or `br-` in front, as long as what is left still reads as an id."""
    rest = token[3:]
    return rest if token.startswith(_MARKS) and "-" in rest else token


def _family(token: str) -> str:
    return token.rpartition("-")[0]
