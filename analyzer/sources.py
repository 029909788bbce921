"""The one door out: asks files, `bd` and git for the facts that a plan is made from.

The tracker is that of the main checkout, never a slot's copy of the JSONL (a snapshot of its base commit, stale from
the first write on). It is found as `bd` finds it: BEADS_DIR, else `.beads`, through `redirect` files.

The JSONL is read where it is current. Since `bd` 0.50 the issues may live in Dolt, and before that in SQLite, with
the JSONL behind or absent; then `bd` itself is asked, and where it is not installed the source says why the file may
be stale. Nothing is ever written to a tracker here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analyzer.beads import Reading, read_issues
from analyzer.facts import Facts, Source
from analyzer.history import Commit, History
from analyzer.issues import Issue, Status, Trouble
from analyzer.past import read_past
from analyzer.policy import Policy, policy_from
from resources.system.errors import Failure
from resources.system.repository import Repository

__all__ = ["Asked", "Facts", "Source", "read_facts", "read_policy", "tracker_file"]

CONFIG = Path(".agent-worktrees/config.toml")
MOST_HOPS = 10
"""How many `redirect` files are followed."""
SLACK = 2.0
"""Seconds by which a database may be newer than its export without being ahead of it."""


@dataclass(frozen=True)
class Asked:
    """Files to read in place of the repository's own facts, and the moment (seconds since 1970) to go back to."""

    issues: Path | None = None
    history: Path | None = None
    tree: Path | None = None
    at: float | None = None


def read_facts(repository: Repository | None, asked: Asked | None = None) -> Facts:
    """Everything that a plan is made from.

    Raises Failure("no-tracker") when there is none, Failure("unreadable") when a file that was asked for cannot be
    read. Git is asked only for a tracker of the repository itself: a file from elsewhere has another history.
    """
    asked = asked or Asked()
    if asked.issues is not None:
        name = str(asked.issues)
        reading, source = read_issues(_bytes(asked.issues), name), Source("file", name, 0)
    else:
        reading, source = _tracker(repository)
    is_ours = repository is not None and (
        asked.issues is None or asked.issues.resolve().is_relative_to(repository.root)
    )
    past = read_past(repository) if repository is not None and is_ours and not (asked.history and asked.tree) else None
    troubles: list[Trouble] = []
    commits = _commits(asked.history, troubles) if asked.history else (past.commits if past else ())
    tree = _paths(asked.tree) if asked.tree else (past.tree if past else ())
    issues = reading.issues if asked.at is None else tuple(_as_of(reading.issues, asked.at))
    texts = {issue.id: issue.text for issue in issues} if commits else {}
    history = History.of(commits, texts)
    return Facts(
        issues=issues,
        problems=(*reading.problems, *troubles),
        history=history if asked.at is None else history.before(asked.at),
        tree=tree,
        source=replace(source, count=len(issues)),
    )


def read_policy(repository: Repository | None, config: Path | None = None) -> Policy:
    """The policy in the repository's configuration (or in `config`), the default without one.

    Raises Failure("unknown-key"), Failure("bad-value") or Failure("bad-config") with the place.
    """
    if config is not None and not config.is_file():
        raise Failure("no-config", f"{config} does not exist", mend="pass an existing file, or leave --config out")
    path = config or (repository.root / CONFIG if repository else None)
    if path is None or not path.is_file():
        return Policy()
    from resources.system.tables import read_toml

    table = read_toml(path).get("plan", {})
    if not isinstance(table, dict):
        raise Failure("bad-value", f"{path}: plan must be a table, not {table!r}", mend=f"edit {path}")
    return policy_from(table, path)


def tracker_file(repository: Repository) -> Path | None:
    """The JSONL of the main checkout's tracker, None when it has none."""
    folder = _tracker_folder(repository)
    names = (str(_metadata(folder).get("jsonl_export") or ""), "issues.jsonl", "beads.jsonl")
    return next((folder / name for name in names if name and (folder / name).is_file()), None)


def _tracker_folder(repository: Repository) -> Path:
    given = os.environ.get("BEADS_DIR")
    folder = Path(given) if given else repository.root / ".beads"
    for _ in range(MOST_HOPS):
        pointer = folder / "redirect"
        if not pointer.is_file():
            break
        target = pointer.read_text(errors="replace").strip()
        if not target:
            break
        folder = folder.parent / target
    return folder


def _metadata(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "metadata.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _tracker(repository: Repository | None) -> tuple[Reading, Source]:
    if repository is None:
        raise _no_tracker("this is no git repository")
    folder, file = _tracker_folder(repository), tracker_file(repository)
    stale = _stale(folder, file)
    refusal = ""
    if stale and folder.is_dir() and _is_installed("bd"):
        answer, command = _ask_bd(repository.root)
        if answer is not None:
            return read_issues(answer, command), Source("bd", command, 0)
        refusal = f"; `{command}` failed"
    if file is None:
        raise _no_tracker(f"{folder} has no issues.jsonl{refusal}" if folder.is_dir() else f"{folder} does not exist")
    shown = str(file.relative_to(repository.root)) if file.is_relative_to(repository.root) else str(file)
    return read_issues(_bytes(file), shown), Source("jsonl", shown, 0, stale + refusal if stale else None)


def _is_installed(program: str) -> bool:
    from shutil import which

    return which(program) is not None


def _no_tracker(why: str) -> Failure:
    mend = "run `bd init` or `bd export -o .beads/issues.jsonl`, or pass --issues FILE"
    return Failure("no-tracker", "there is no beads tracker to read", why=why, mend=mend)


def _stale(folder: Path, file: Path | None) -> str | None:
    """Why the JSONL may be behind the tracker, None when it is current."""
    if file is None:
        return "there is no JSONL"
    metadata = _metadata(folder)
    if "dolt" in (metadata.get("backend"), metadata.get("database")) or (folder / "embeddeddolt").is_dir():
        return "the tracker keeps its issues in Dolt, and the file is only as new as its last `bd export`"
    exported = file.stat().st_mtime
    name = metadata.get("database")
    for database in (folder / (name if isinstance(name, str) and name else "beads.db"), folder / "beads.db-wal"):
        if database.is_file() and database.stat().st_size and database.stat().st_mtime > exported + SLACK:
            return f"{database.name} is newer than {file.name}"
    return None


def _ask_bd(root: Path) -> tuple[bytes | None, str]:
    """What `bd` exports (None when it fails every way) and the command that said it."""
    from resources.system.process import run

    export, listing = ("export",), ("list", "--all", "--limit", "0", "--json")
    for words in (("--readonly", *export), export, ("--readonly", *listing), listing):
        done = run(["bd", *words], cwd=root, timeout=60, check=False)
        if done.code == 0 and done.out.strip():
            return done.out, " ".join(("bd", *words))
    return None, "bd export"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure("unreadable", f"cannot read {path}", why=error.strerror or str(error)) from error


def _paths(file: Path) -> tuple[str, ...]:
    return tuple(line for line in _bytes(file).decode(errors="surrogateescape").splitlines() if line)


def _commits(file: Path, troubles: list[Trouble]) -> tuple[Commit, ...]:
    """The commits of a `history.jsonl`: sha, t, msg, files as [status, path]."""
    found: list[Commit] = []
    for number, line in enumerate(_bytes(file).splitlines(), 1):
        try:
            record = json.loads(line)
            files = tuple(entry if isinstance(entry, str) else entry[-1] for entry in record["files"])
            found.append(Commit(str(record["sha"]), float(record["t"]), str(record["msg"]), files))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            troubles.append(Trouble(f"{file}:{number}", f"not a commit: {error!r}", "the line was left out"))
    return tuple(found)


def _as_of(issues: Iterable[Issue], at: float) -> Iterator[Issue]:
    """The issues as they stood at a moment: later ones left out, later closings and changes of status undone."""
    for issue in issues:
        if issue.created is not None and issue.created > at:
            continue
        if issue.status is Status.CLOSED:
            was_open = issue.closed is not None and issue.closed > at
        else:
            was_open = issue.updated is not None and issue.updated > at
        yield replace(issue, status=Status.OPEN, closed=None) if was_open else issue
