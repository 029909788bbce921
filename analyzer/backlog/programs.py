"""`bd` and `br` as a source: the whole backlog from one of them, and what it calls ready.

Asked only where no file tells the whole tale (Dolt), where the database cannot be read, or for the cross-check.
What they print differs by version (an export, a list that is cut at fifty unless told otherwise, an envelope or
none); every form goes through `beads`. A program that fails is told in its own words.

Decisions. `--readonly` first, without it only where the program does not know the flag. No daemon is started. The
tracker's folder is handed over, so that a slot's copy is never taken for the tracker. In a clone without a role of
its own `bd` would turn to another backlog (`~/.beads-planning`); the role is set for the call alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

from resources.system.process import clean_environment, run

PROGRAMS = ("bd", "br")
PATIENCE = 60.0
"""Seconds for one call."""

_LIST = ("list", "--all", "--limit", "0", "--json")
_EVERYTHING = (("export",), (*_LIST, "--include-gates"), _LIST)
"""From the best down: a list leaves out gates unless told otherwise, and what waits behind one would look ready."""
_READY = ("ready", "--limit", "0", "--json")
_UNKNOWN = ("unknown flag", "unexpected argument", "unrecognized", "unknown command", "unknown shorthand")


@dataclass(frozen=True)
class Said:
    """What a program answered to `command`: `out`, or `None` and its last complaint."""

    command: str
    out: bytes | None
    complaint: str = ""


def installed() -> tuple[str, ...]:
    """Those of the programs that are on PATH."""
    return tuple(program for program in PROGRAMS if which(program))


def environment(folder: Path) -> dict[str, str]:
    """The environment for a call about the tracker in `folder`."""
    return clean_environment(
        {
            "BEADS_DIR": str(folder), "BEADS_NO_DAEMON": "1", "BD_NON_INTERACTIVE": "1", "BD_NO_PAGER": "1",
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "beads.role", "GIT_CONFIG_VALUE_0": "maintainer",
        }
    )  # fmt: skip


def ask_everything(program: str, root: Path, folder: Path) -> Said:
    """All issues of the tracker in `folder`, as JSONL or one JSON answer."""
    answers: list[Said] = []
    for words in _EVERYTHING:
        answers.append(_ask((program, *words), root, folder))
        if (answers[-1].out or b"").strip():
            return answers[-1]
    return answers[0]


def ask_ready(program: str, root: Path, folder: Path) -> tuple[frozenset[str] | None, Said]:
    """The ids that the program calls ready (None when it does not tell), and what it said."""
    said = _ask((program, *_READY), root, folder)
    try:
        answer: Any = json.loads(said.out or b"")
    except (ValueError, RecursionError):
        return None, said
    for wrap in ("data", "items", "issues"):
        answer = answer.get(wrap, answer) if isinstance(answer, dict) else answer
    if not isinstance(answer, list):
        return None, said
    return frozenset(str(row["id"]) for row in answer if isinstance(row, dict) and "id" in row), said


def _ask(words: Sequence[str], root: Path, folder: Path) -> Said:
    program, *arguments = words
    for flags in (("--readonly",), ()):
        command = [program, *flags, *arguments]
        done = run(command, cwd=root, env=environment(folder), timeout=PATIENCE, check=False)
        if done.code == 0 and not done.timed_out:
            return Said(" ".join(words), done.out)
        if not any(word in done.complaint.lower() for word in _UNKNOWN):
            break
    told = f"no answer within {PATIENCE:g} s" if done.timed_out else done.complaint.strip().partition("\n")[0]
    return Said(" ".join(words), None, told or f"exit code {done.code}")
