"""What a `track-analyzer` command line may say, and a reader for the plain ones.

typer costs more than a plan of a thousand issues, so a command line of known options and nothing else is read here;
anything that this reader does not know in full (help, a wrong value, a missing one) it leaves to typer, which says so
well. Options may stand before or after the command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMANDS = {
    "analyze": "Ready, blocked and by what, cycles, layers, tracks, epics.",
    "recommend": "Which track goes to which slot now, what waits and why.",
    "conflicts": "Which tracks would touch the same files; hot files apart.",
    "full": "All of it in one report; --format html draws it.",
    "explain": "One issue: is it ready, what it touches, whom it meets.",
    "scope": "The files that one issue is likely to touch, and why.",
    "graph": "The graph as Mermaid, Graphviz (dot), SVG or HTML page.",
    "lint": "Is each issue fit for an agent? What to mend; exits 1 when one asked for by ID is unfit.",
    "layered": "`layered-tasks.md`: export the tracker to FILE, or import FILE (shown first; --yes writes).",
}
ARGUMENTS = {
    "explain": (("issue", "ID", "The issue."),),
    "scope": (("issue", "ID", "The issue."),),
    "lint": (("ids", "[ID]...", "Only these issues."),),
    "layered": (("action", "import|export", "What to do."), ("file", "FILE", "The layered tasks.")),
}
"""Command -> its arguments: field of Options, what it is called, what it is. `ids` takes any number of words."""
FORMATS = ("mermaid", "dot", "html", "svg")

OPTIONS: Mapping[str, tuple[type, str, str]] = {
    "json": (bool, "", "Answer in JSON."),
    "slots": (int, "N", "How many tracks may be begun now."),
    "epic": (str, "ID", "Only the issues below this epic."),
    "only": (str, "ID,ID", "Only these issues."),
    "cross_check": (bool, "", "Ask bd too what is ready, and tell where it differs."),
    "issues": (Path, "FILE", "Read this JSONL or beads.db in place of the repository's tracker."),
    "history": (Path, "FILE", "Read this history.jsonl in place of `git log`."),
    "tree": (Path, "FILE", "Read this list of paths in place of the tree at HEAD."),
    "at": (str, "TIME", "Go back to this time (ISO 8601): what was open then."),
    "format": (str, "FORMAT", "For graph and full: mermaid, dot, html or svg."),
    "repo": (Path, "PATH", "The repository (default: around this folder)."),
    "config": (Path, "FILE", "Read this configuration."),
    "write_deps": (bool, "", "For recommend: predicted conflicts as dependencies (shown; --yes writes them)."),
    "yes": (bool, "", "Write what was shown: for recommend --write-deps and layered."),
    "quiet": (bool, "", "No narration."),
    "verbose": (bool, "", "Long lists whole, and how long the parts took."),
    "no_color": (bool, "", "No colours."),
}
"""Field of Options -> its type, what its value is called, what it does."""
FLAGS = frozenset(key for key, (kind, *_) in OPTIONS.items() if kind is bool)


@dataclass(frozen=True)
class Options:
    """The options and arguments of all commands. `at` is a time as typed."""

    json: bool = False
    slots: int = 4
    epic: str = ""
    only: tuple[str, ...] = ()
    cross_check: bool = False
    issues: Path | None = None
    history: Path | None = None
    tree: Path | None = None
    at: str = ""
    format: str = ""
    repo: Path | None = None
    config: Path | None = None
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    write_deps: bool = False
    yes: bool = False
    issue: str = ""
    ids: tuple[str, ...] = ()
    action: str = ""
    file: Path | None = None


def read_plainly(argv: Sequence[str]) -> tuple[str, Options] | None:
    """The command and its options, None for anything that is not plain."""
    words = iter(argv)
    found: dict[str, Any] = {}
    plain: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        key = name.removeprefix("--").replace("-", "_")
        if not word.startswith("-"):
            plain.append(word)
        elif key in FLAGS and not equals and name != key:
            found[key] = True
        else:
            given = value if equals else next(words, "")
            if not name.startswith("--") or key in FLAGS or not _fits(key, given):
                return None
            found[key] = given
    if not plain or plain[0] not in COMMANDS:
        return None
    named = _arguments(plain[0], plain[1:])
    return None if named is None else (plain[0], options_from({**found, **named}))


def _arguments(command: str, words: Sequence[str]) -> dict[str, Any] | None:
    """The words by the fields of Options that they fill, None when they are too few or too many."""
    fields = [field for field, *_ in ARGUMENTS.get(command, ())]
    if fields == ["ids"]:
        return {"ids": words}
    return dict(zip(fields, words, strict=True)) if len(fields) == len(words) else None


def _fits(key: str, value: str) -> bool:
    if key == "slots":
        return value.isascii() and value.isdecimal() and int(value) > 0
    return key in OPTIONS and bool(value) and not value.startswith("-")


def options_from(given: Mapping[str, Any]) -> Options:
    """Options from the words of a command line, keyed by field; None means not given."""
    values = {key: value for key, value in given.items() if value is not None}
    for key, (kind, *_) in OPTIONS.items():
        if key in values:
            values[key] = kind(values[key])
    if "file" in values:
        values["file"] = Path(values["file"])
    values["ids"] = tuple(values.get("ids", ()))
    if "only" in values:
        values["only"] = tuple(name.strip() for name in values["only"].split(",") if name.strip())
    return Options(**values)
