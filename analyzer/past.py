"""What git knows, read once: the commits with their files and the paths of the tree at HEAD.

`git log` over a whole history takes seconds and the answer for a commit never changes, so it is kept in
`<git dir>/agent-coord/cache/past.json`, keyed by the commit at HEAD, and only what came since is asked for. A warm
call reads HEAD from its file and starts no process. A history that was rewritten is read anew; a cache that cannot
be written costs time and nothing else.

At most `MOST_COMMITS` of the newest commits are kept: what older ones say about files no longer holds.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.scopes.history import Commit
from resources.system.errors import Failure
from resources.system.git import git, resolve, tracked_files
from resources.system.repository import Repository

MOST_COMMITS = 5000
MOST_FILES = 100
"""A commit that touches more is an import or a reformatting; its files are not kept."""
MOST_TEXT = 1500
"""Characters of a commit message."""

_FORMAT = 1
_SHA = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True)
class Past:
    """The commits that lead to `head` (newest first, merges left out) and the paths of its tree."""

    head: str = ""
    commits: tuple[Commit, ...] = ()
    tree: tuple[str, ...] = ()


def read_past(repository: Repository) -> Past:
    """The past of the main checkout's HEAD; an empty one when there is no commit yet."""
    head = _head_file(repository) or resolve(repository.root, "HEAD")
    if not head:
        return Past()
    cache = repository.state / "cache" / "past.json"
    known = _load(cache)
    if known.head == head:
        return known
    past = _extend(repository.root, head, known)
    with contextlib.suppress(OSError, Failure):
        _save(cache, past)
    return past


def _head_file(repository: Repository) -> str | None:
    """The commit at HEAD as the files tell it, None where only git can say (another ref storage, odd layouts)."""
    if not (repository.root / ".git").is_dir():
        return None
    try:
        text = (repository.common / "HEAD").read_text().strip()
        if text.startswith("ref: "):
            text = _ref_file(repository.common, text.removeprefix("ref: "))
    except OSError:
        return None
    return text if _SHA.fullmatch(text) else None


def _ref_file(common: Path, ref: str) -> str:
    loose = common / ref
    if loose.is_file():
        return loose.read_text().strip()
    for line in (common / "packed-refs").read_text().splitlines():
        if line.endswith(f" {ref}"):
            return line.partition(" ")[0]
    return ""


def _extend(root: Path, head: str, known: Past) -> Past:
    is_older = (
        known.head and git(root, "merge-base", "--is-ancestor", known.head, head, check=False, read=True).code == 0
    )
    fresh = list(_log(root, f"{known.head}..{head}" if is_older else head))
    commits = (*fresh, *(known.commits if is_older else ()))[:MOST_COMMITS]
    return Past(head, commits, tuple(tracked_files(root, head)))


def _log(root: Path, revisions: str) -> Iterator[Commit]:
    layout = "--format=%x1e%H%x1f%ct%x1f%B%x1f"
    limit = f"--max-count={MOST_COMMITS}"
    answer = git(
        root, "log", "-z", "--no-merges", "--name-only", "--no-renames", limit, layout, revisions, "--", read=True
    )
    for record in answer.out.decode(errors="surrogateescape").split("\x1e"):
        parts = record.split("\x1f")
        if len(parts) == 4 and parts[1].isdigit():
            yield _commit(
                parts[0], float(parts[1]), parts[2], (path for path in parts[3].lstrip("\0\n").split("\0") if path)
            )


def _commit(sha: str, time: float, message: str, paths: Iterable[str]) -> Commit:
    files = tuple(paths)
    return Commit(sha, time, message.strip()[:MOST_TEXT], files if len(files) <= MOST_FILES else ())


def _load(cache: Path) -> Past:
    try:
        kept: dict[str, Any] = json.loads(cache.read_bytes())
        if kept["format"] != _FORMAT:
            return Past()
        commits = tuple(Commit(sha, time, message, tuple(files)) for sha, time, message, files in kept["commits"])
        return Past(kept["head"], commits, tuple(kept["tree"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Past()


def _save(cache: Path, past: Past) -> None:
    from resources.system.files import replace_file

    commits = [[commit.sha, commit.time, commit.message, commit.files] for commit in past.commits]
    kept = {"format": _FORMAT, "head": past.head, "tree": past.tree, "commits": commits}
    replace_file(cache, json.dumps(kept, separators=(",", ":")))
