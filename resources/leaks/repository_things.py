"""What the pool leaves in git and on the disk: worktrees, branches, locks, half-written files.

Only what bears our mark is yielded; a worktree that a person keeps below the pool folder, or a branch outside
`refs/heads/agent/`, is never seen here.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from resources.leaks.detect import LOCK_AGE, Thing
from resources.system.clock import wall
from resources.system.git import git
from resources.system.repository import Repository
from resources.worktrees.clones import clones
from resources.worktrees.registry import LOCK_REASON
from resources.worktrees.slots import parse_name
from resources.worktrees.trash import TRASH, is_deleting

BRANCHES = "refs/heads/agent/"


@dataclass(frozen=True)
class Registered:
    """One entry of the worktree registry; `locked` is the reason, None when it is not locked."""

    path: Path
    branch: str
    locked: str | None


def registry(repository: Repository) -> list[Registered]:
    """Every registered worktree. Raises Failure("git-failed")."""
    found: list[Registered] = []
    text = git(repository.root, "worktree", "list", "--porcelain", "-z", read=True).out.decode(errors="surrogateescape")
    for entry in filter(None, text.split("\0\0")):
        facts = dict(line.partition(" ")[::2] for line in entry.strip("\0").split("\0"))
        branch = facts.get("branch", "").removeprefix("refs/heads/")
        found.append(Registered(Path(facts["worktree"]), branch, facts.get("locked")))
    return found


def is_ours(entry: Registered, pool: Path) -> bool:
    """Whether the pool made this worktree: below its folder and locked with our reason."""
    return entry.locked == LOCK_REASON and entry.path.parent == pool.resolve()


def worktrees(repository: Repository, pool: Path) -> Iterator[Thing]:
    """The worktrees that bear our mark, and the folders in the pool that are named as slots are."""
    known = registry(repository)
    ours = {entry.path.name: entry for entry in known if is_ours(entry, pool)}
    others = {entry.path for entry in known}
    folders = {path.name: path for path in _entries(pool.resolve()) if parse_name(path.name) and path not in others}
    for name in sorted(ours.keys() | folders.keys()):
        entry = ours.get(name)
        path = entry.path if entry else folders[name]
        yield Thing("worktree", name, _mtime(path), {"path": path, "registered": entry is not None})


def branches(repository: Repository, pool: Path) -> Iterator[Thing]:
    """The branches `agent/<slot>/<issue>/<n>`."""
    used = {entry.branch for entry in registry(repository) if not is_ours(entry, pool)}
    form = "--format=%(objectname) %(creatordate:unix) %(refname)"
    for line in git(repository.root, "for-each-ref", form, BRANCHES, read=True).lines:
        tip, created, ref = line.split(" ", 2)
        name = ref.removeprefix("refs/heads/")
        parts = name.split("/")
        if len(parts) == 4 and parse_name(parts[1]) and parts[3].isdigit():
            facts = {"tip": tip, "issue": parts[2], "used_by_others": name in used}
            yield Thing("branch", name, float(created or 0), facts)


def locks(repository: Repository, pool: Path) -> Iterator[Thing]:
    """Git's lock files in our slots' git folders and among our refs. Whether one is open is asked of old ones only."""
    ours = [entry.path for entry in registry(repository) if is_ours(entry, pool)] + clones(repository, pool)
    found: list[tuple[Path, Path]] = []
    for path in ours:
        folder = path / ".git" if (path / ".git").is_dir() else git_folder(path)
        found.extend((lock, path) for lock in (folder.glob("*.lock") if folder else ()))
    for refs in (repository.common / BRANCHES, repository.common / "refs/agent-coord"):
        found.extend((lock, repository.root) for lock in refs.rglob("*.lock"))
    for lock, tree in found:
        since = _mtime(lock)
        old = since is not None and wall() - since >= LOCK_AGE
        name = str(lock.relative_to(repository.common if lock.is_relative_to(repository.common) else pool.resolve()))
        yield Thing("lock", name, since, {"path": lock, "tree": tree, "open": old and is_open(lock, tree)})


def git_folder(worktree: Path) -> Path | None:
    """A linked worktree's own git folder, read from its `.git` file and never guessed from its name."""
    try:
        pointer = (worktree / ".git").read_text()
    except OSError:
        return None
    folder = Path(pointer.removeprefix("gitdir:").strip())
    return folder if folder.is_dir() else None


def is_open(lock: Path, tree: Path) -> bool:
    """Whether some process has `lock` open, or a git works in `tree`. A process that we may not read counts as none."""
    import psutil

    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if any(Path(file.path) == lock for file in process.open_files()):
                return True
            if process.info["name"] == "git" and Path(process.cwd()).is_relative_to(tree):
                return True
    return False


def temporary_files(state: Path, pool: Path) -> Iterator[Thing]:
    """Files that one of our writers was killed over, and removed slots whose removal was cut short."""
    deleting = is_deleting(state)
    for folder in (state, pool):
        for path in _entries(folder):
            trash = path.name.startswith(TRASH) and not deleting
            if path.name == "ledger.making" or trash or _half_written(path):
                yield Thing("temporary", f"{folder.name}/{path.name}", _mtime(path), {"path": path})


def _half_written(path: Path) -> bool:
    # As `replace_file` names them. In the pool folder a person may keep files of such names; there only ours counts.
    found = re.fullmatch(r"\.(.+)\.[a-z0-9_]{8}", path.name)
    return bool(found) and (path.parent.name == "agent-coord" or found.group(1) == "config.toml")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _mtime(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None
