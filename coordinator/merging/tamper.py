"""Does a change make the gate say less? Pure: from a diff to sentences for the person who must look.

Looked for are test files that are deleted or lose more assertions than they gain, tests that are switched off, and
files that decide what the gate does: those named in the configuration and those that a check's command names. It is a
courtesy of attention, not a proof: an agent that wants to cheat can write an assertion that holds always. What it
prevents is that the cheap ways of turning red into green land in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.globs import matches

ASSERTION = re.compile(r"\bassert|\bexpect\(|\.should\b|\b(?:t|b)\.(?:Error|Fatal)|\brequire\.|\bEXPECT_|\bASSERT_")
SWITCH = re.compile(
    r"@(?:pytest\.mark|unittest)\.(?:skip|xfail|expectedFailure)|pytest\.skip\(|\b(?:it|test|describe)\.skip\("
    r"|\bx(?:it|describe)\(|#\[ignore\]|\bt\.Skip\(|@Disabled\b|@Ignore\b"
)


@dataclass(frozen=True)
class Touched:
    """A file of a diff: the lines that it lost and gained; `gone` when it was deleted."""

    path: str
    gone: bool
    lost: tuple[str, ...]
    gained: tuple[str, ...]


@dataclass(frozen=True)
class Watch:
    """Patterns of tests and of files that decide what the gate does."""

    tests: tuple[str, ...]
    protected: tuple[str, ...]


def suspicions(diff: Sequence[Touched], watch: Watch) -> tuple[str, ...]:
    """Why a person should look at the change, empty when there is no need."""
    tests = [file for file in diff if any(matches(pattern, file.path) for pattern in watch.tests)]
    found = [
        f"{file.path} decides what the gate does and was {'deleted' if file.gone else 'changed'}"
        for file in diff
        if any(matches(pattern, file.path) for pattern in watch.protected)
    ]
    found += [f"{file.path} switches a test off" for file in tests if any(map(SWITCH.search, file.gained))]
    # Assertions that only moved from one test to another are not lost.
    if sum(map(_balance, tests)) < 0:
        found += [
            f"{file.path}, a test, was deleted" if file.gone else f"{file.path} lost {-_balance(file)} assertions"
            for file in tests
            if _balance(file) < 0
        ]
    return tuple(found)


def _balance(file: Touched) -> int:
    gained, lost = (sum(bool(ASSERTION.search(line)) for line in lines) for lines in (file.gained, file.lost))
    return gained - lost


def read_diff(text: str) -> list[Touched]:
    """The files of `git diff --unified=0 --no-renames --no-prefix`."""
    files: list[Touched] = []
    for block in re.split(r"^diff --git ", text, flags=re.MULTILINE)[1:]:
        head, _, body = block.partition("\n@@")
        lines = body.splitlines()[1:]
        name = re.search(r"^(?:---|\+\+\+) (?!/dev/null)(.*?)\t?$", head, re.MULTILINE)
        path = name[1] if name else head.splitlines()[0].partition(" ")[0]
        lost = tuple(line[1:] for line in lines if line.startswith("-"))
        gained = tuple(line[1:] for line in lines if line.startswith("+"))
        files.append(Touched(path.strip('"'), "\ndeleted file mode" in head, lost, gained))
    return files
