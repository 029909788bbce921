"""Texts as sets of terms, and a shelf of texts that can be searched.

A term is a lower-case word, an identifier as a whole (`retry_policy`) or one of its parts (`retri`, `polic`): issue
texts speak in words, messages and paths in identifiers, and the parts are where they meet. Inflections are cut off
roughly; the rarity of a term (its idf) does the rest, so there is no list of stop words.

A shelf ranks by BM25 with every term counted once a text: repetition says little in texts of one paragraph, and
the length factor then belongs to the text alone, so a search is one addition per posting. Texts lie on the shelf in
the order of time; a search may be told to see only the first `end` of them, which is how the past is asked what it
knew then. Everything is built at the first search.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from heapq import nlargest
from itertools import accumulate
from math import log
from operator import itemgetter

MOST_TERMS = 64
"""Of a query only its weightiest terms are looked up; the rest changes nothing but the time."""
SATURATION, LENGTH_SHARE = 1.2, 0.75
"""BM25's k1 and b, at their usual values."""
_SPACES = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")}
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\x00-\x7f]+")


def terms(text: str) -> set[str]:
    """All terms of the text."""
    found: set[str] = set()
    for word in set(text.translate(_SPACES).split()):
        found.update(split(word))
    return found


@lru_cache(maxsize=1 << 17)
def split(word: str) -> tuple[str, ...]:
    """The terms of one word or identifier; single characters are none."""
    parts = _PART.findall(word)
    if len(parts) <= 1:
        return (stem(word.lower()),) if len(word) > 1 else ()
    return (word.lower(), *(stem(part.lower()) for part in parts if len(part) > 1))


def stem(word: str) -> str:
    """The word in the singular."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def counts(text: str) -> Counter[str]:
    """How often each term occurs in the text."""
    found: Counter[str] = Counter()
    for word, count in Counter(text.translate(_SPACES).split()).items():
        for term in split(word):
            found[term] += count
    return found


@lru_cache(maxsize=1 << 16)
def path_terms(path: str) -> frozenset[str]:
    """The terms of a path: folders, name and extension."""
    return frozenset(terms(path))


class Shelf:
    """Texts in the order of time, ranked against a set of terms."""

    def __init__(self, texts: Sequence[Iterable[str]]) -> None:
        """`texts` are sets of terms, already split."""
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    @cached_property
    def _postings(self) -> dict[str, list[int]]:
        postings: dict[str, list[int]] = {}
        for number, text in enumerate(self._texts):
            for term in text:
                known = postings.get(term)
                if known is None:
                    postings[term] = [number]
                else:
                    known.append(number)
        return postings

    @cached_property
    def _lengths(self) -> list[int]:
        return [sum(1 for _ in text) for text in self._texts]

    @cached_property
    def _length_sums(self) -> list[int]:
        return [0, *accumulate(self._lengths)]

    def weigh(self, query: Mapping[str, float], end: int) -> dict[str, float]:
        """The query's weights times the rarity of each term among the first `end` texts; unknown terms left out."""
        weights = {}
        for term, weight in query.items():
            known = self._postings.get(term)
            count = bisect_left(known, end) if known else 0
            if count:
                weights[term] = weight * log(1 + (end - count + 0.5) / (count + 0.5))
        return weights

    def search(self, query: Mapping[str, float], end: int, best: int) -> list[tuple[int, float]]:
        """The `best` texts among the first `end`, best first, as (number, share of the query's weight that it holds).

        The share is BM25's score over what a text of average length with every term would get, so 1 is a twin.
        """
        weights = self.weigh(query, end)
        rarest = nlargest(MOST_TERMS, weights.items(), key=itemgetter(1))
        scores: dict[int, float] = {}
        for term, weight in rarest:
            for number in self._postings[term]:
                if number >= end:
                    break
                scores[number] = scores.get(number, 0.0) + weight
        slope = SATURATION * LENGTH_SHARE / (self._length_sums[end] / end or 1.0) if end else 0.0
        flat, total = 1 + SATURATION * (1 - LENGTH_SHARE), sum(weight for _, weight in rarest) / (1 + SATURATION)
        lengths = self._lengths
        ranked = nlargest(best, ((score / (flat + slope * lengths[n]), -n) for n, score in scores.items()))
        return [(-number, score / total) for score, number in ranked]
