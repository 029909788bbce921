"""The one door out: asks files, `bd` and git for the facts that a plan is made from.

`trackers` finds the tracker and its current form, `past` asks git; here the parts are put together, and the files that
a command line names in place of them are read. Nothing is ever written to a tracker here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.backlog.beads import Reading, read_issues
from analyzer.backlog.issues import Issue, Status, Trouble
from analyzer.backlog.layered import is_layered, read_layered
from analyzer.past import read_past
from analyzer.planning.facts import Facts, Source
from analyzer.planning.policy import Policy, policy_from
from analyzer.scopes.history import Commit, History
from analyzer.trackers import find_place, read_tracker, tracker_version
from resources.system.errors import Failure
from resources.system.repository import Repository

__all__ = ["Asked", "Facts", "Source", "read_facts", "read_policy", "tracker_file", "tracker_version"]

CONFIG = Path(".agent-worktrees/config.toml")
_MEND = "cd into one with a tracker, or pass --issues FILE"


@dataclass(frozen=True)
class Asked:
    """Files to read in place of the repository's own facts, and the moment (seconds since 1970) to go back to.

    With `cross_check` the tracker's own program is asked what it calls ready, whatever the issues are read from.
    """

    issues: Path | None = None
    history: Path | None = None
    tree: Path | None = None
    at: float | None = None
    cross_check: bool = False


def read_facts(repository: Repository | None, asked: Asked | None = None) -> Facts:
    """Everything that a plan is made from.

    Raises Failure("no-tracker") when there is none, Failure("unreadable") when a file that was asked for cannot be
    read. Git is asked only for a tracker of the repository itself: a file from elsewhere has another history.
    """
    asked = asked or Asked()
    if asked.issues is not None:
        name = str(asked.issues)
        reading, source = _read_file(asked.issues), Source("file", name, 0)
    elif repository is None:
        raise Failure("no-tracker", "there is no beads tracker to read", why="this is no git repository", mend=_MEND)
    else:
        reading, source = read_tracker(repository, cross_check=asked.cross_check)
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
    return find_place(repository).jsonl


def _read_file(path: Path) -> Reading:
    """The issues in a file that was asked for: JSONL, one JSON answer, an SQLite database, or layered tasks."""
    if is_layered(path.name):
        return read_layered(_bytes(path), str(path))
    if path.suffix == ".db":
        from analyzer.backlog.database import is_database, read_database

        if is_database(path):
            return read_database(path, str(path))
    return read_issues(_bytes(path), str(path))


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
