"""Why a file is in a scope, in words: the strongest reason first."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property

from analyzer.backlog.issues import Issue
from analyzer.scopes.mentions import Manner, Mention, Mentions
from analyzer.scopes.signals import LOOKED_BACK, Evidence, Signals

MOST_REASONS = 4
STRONG = 0.25
"""A signal below this share of its scale is not worth a word."""


class Reasons:
    """The reasons for the files of one issue."""

    def __init__(self, issue: Issue, evidence: Evidence, mentions: Mentions, signals: Signals) -> None:
        self._issue, self._evidence, self._signals = issue, evidence, signals
        self._mentions: dict[str, list[Mention]] = {}
        for mention in mentions.found:
            self._mentions.setdefault(mention.path, []).append(mention)

    def of(self, path: str) -> tuple[str, ...]:
        """At most four reasons for the file; never none."""
        found = [
            *self._names(path),
            *self._relatives(path),
            *self._alike(path),
            *self._habits(path),
            *self._standing(path),
        ]
        return tuple(found[:MOST_REASONS]) or ("nothing speaks for it but the tree",)

    def _names(self, path: str) -> Iterator[str]:
        mentions = sorted(self._mentions.get(path, ()), key=lambda m: (_SURENESS[m.manner], m.place))
        if mentions:
            first = mentions[0]
            others = round(1 / first.share) - 1
            also = f", as {others} other file{'s' if others > 1 else ''}" if others else ""
            if first.manner is Manner.PATH:
                yield f"named in the {self._field(first.said)}"
            else:
                yield f"named by its {_WORDS[first.manner]} {first.said} in the {self._field(first.said)}{also}"
        elif self._strength("named_partner", path):
            yield f"goes with {self._partner(path)}, which the text names"
        elif self._strength("named_sibling", path) >= STRONG:
            yield "lies beside a file that the text names"
        elif self._strength("new_package", path):
            yield "is the package file of a folder that gets a new file"
        elif self._strength("new_sibling", path) >= STRONG:
            yield "lies where the text asks for a new file"

    def _field(self, said: str) -> str:
        for name in ("title", "description", "design", "acceptance", "notes"):
            if said in getattr(self._issue, name):
                return name
        return "text"

    def _partner(self, path: str) -> str:
        return next(other for other in self._evidence.tree.partners_of(path) if other in self._mentions)

    def _relatives(self, path: str) -> Iterator[str]:
        if self._strength("own", path):
            yield "commits that name this issue touched it"
        relatives = [name for name, files in self._related_files if path in files]
        if relatives:
            total, some = len(self._related_files), ", ".join(relatives[:3])
            yield f"work on {len(relatives)} of {total} related issues touched it ({some})"

    @cached_property
    def _related_files(self) -> list[tuple[str, list[str]]]:
        if not len(self._evidence.history):
            return []
        kin = self._evidence.kin
        names = kin.family(self._issue) | kin.linked(self._issue) | kin.cited(self._issue)
        found = ((name, self._evidence.files_of(name)) for name in sorted(names))
        return [(name, files) for name, files in found if files]

    def _alike(self, path: str) -> Iterator[str]:
        if self._strength("commits_vote", path) >= STRONG:
            yield "commits that read like this issue touched it"
        if self._strength("issues_vote", path) >= STRONG:
            yield "past issues that read like this one touched it"
        if self._strength("name_covered", path) >= STRONG:
            yield "the text holds the words of its name"
        elif self._strength("path_like", path) >= 2 * STRONG:
            yield "the text holds words of its path"

    def _habits(self, path: str) -> Iterator[str]:
        if self._strength("company", path) >= STRONG:
            yield "issues written in the same sitting touched it"
        if max(self._strength("written_before", path), self._strength("written_after", path)) >= 2 * STRONG:
            yield "commits made when the issue was written touched it"
        if self._strength("label", path) >= 2 * STRONG:
            yield "issues with its labels touched it"

    def _standing(self, path: str) -> Iterator[str]:
        end = len(self._evidence.history)
        seen = min(end, LOOKED_BACK)
        numbers = self._evidence.history.touches(path)
        touches = len(numbers) - bisect_left(numbers, end - seen)
        if touches:
            yield f"{touches} of the last {seen} commits touched it"

    def _strength(self, signal: str, path: str) -> float:
        return self._signals.get(signal, {}).get(path, 0.0)


_WORDS = {
    Manner.PART: "path",
    Manner.NAME: "file name",
    Manner.GLOB: "pattern",
    Manner.MODULE: "module",
    Manner.STEM: "name",
    Manner.FOLDER: "folder",
}
_SURENESS = {manner: place for place, manner in enumerate(Manner)}
