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
from urllib.parse import unquote

from resources.leaks.detect import LOCK_AGE, Thing
from resources.system.clock import wall
from resources.system.files import state_home
from resources.system.git import git
from resources.system.repository import Repository
from resources.worktrees.clones import clones
from resources.worktrees.registry import LOCK_REASON, git_folder, renamed
from resources.worktrees.saving import ASIDE
from resources.worktrees.slots import parse_name
from resources.worktrees.trash import TRASH, is_deleting

BRANCHES = "refs/heads/agent/"

_HALF = re.compile(r"\.(.+)\.[a-z0-9_]{8}")
"""As `replace_file` names a file while it writes it."""

_WRITTEN_IN_POOL = frozenset({"config.toml", ".progress.json"})


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
    """The worktrees that bear our mark, renamed ones too, and the folders in the pool that are named as slots are."""
    known = registry(repository)
    astray = renamed(repository, pool.resolve())
    for path, home in astray.items():
        yield Thing("worktree", path.name, _mtime(path), {"path": path, "registered": False, "home": home})
    homes = set(astray.values())
    ours = {entry.path.name: entry for entry in known if is_ours(entry, pool) and entry.path not in homes}
    others = {entry.path for entry in known} | astray.keys()
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
    found = [(lock, path) for path, folder in _git_folders(repository, pool).items() for lock in folder.glob("*.lock")]
    for refs in (repository.common / BRANCHES, repository.common / "refs/agent-coord"):
        found.extend((lock, repository.root) for lock in refs.rglob("*.lock"))
    for lock, tree in found:
        since = _mtime(lock)
        old = since is not None and wall() - since >= LOCK_AGE
        name = str(lock.relative_to(repository.common if lock.is_relative_to(repository.common) else pool.resolve()))
        yield Thing("lock", name, since, {"path": lock, "tree": tree, "open": old and is_open(lock, tree)})


def _git_folders(repository: Repository, pool: Path) -> dict[Path, Path]:
    """The git folder of each of our slots."""
    ours = [entry.path for entry in registry(repository) if is_ours(entry, pool)]
    found = {path: path / ".git" for path in clones(repository, pool)}
    return found | {path: folder for path in ours if (folder := git_folder(path)) is not None}


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


def temporary_files(repository: Repository, pool: Path) -> Iterator[Thing]:
    """What one of our writers was killed over: half-written files, slots half removed, copies of an index."""
    for path in _temporary(repository, pool):
        place = path.relative_to(repository.common) if path.is_relative_to(repository.common) else path
        name = f"{pool.name}/{path.name}" if path.parent == pool else str(place)
        yield Thing("temporary", name, _mtime(path), {"path": path})


def _temporary(repository: Repository, pool: Path) -> Iterator[Path]:
    state = repository.state
    databases = state / "postgres"
    servers = (databases / "golden", *_entries(databases / "servers"))
    for folder in (state, databases, databases / "slots", *servers, state_home()):
        yield from (path for path in _entries(folder) if path.name == "ledger.making" or _HALF.fullmatch(path.name))
    deleting = is_deleting(state)
    for path in _entries(pool):
        # A person may keep files of such names here; only what we ourselves write counts.
        half = _HALF.fullmatch(path.name)
        if (path.name.startswith(TRASH) and not deleting) or (half and half.group(1) in _WRITTEN_IN_POOL):
            yield path
    yield from (path for path in (pool / "logs").rglob(".*") if _HALF.fullmatch(path.name))
    for folder in _git_folders(repository, pool).values():
        yield from folder.glob(f"{ASIDE}*")
    if databases.is_dir():
        from resources.databases.place import left_outside

        yield from left_outside(databases)


def logins(repository: Repository) -> Iterator[Thing]:
    """The recorded logins of the slots' databases."""
    for path in _entries(repository.state / "postgres" / "slots"):
        if path.suffix == ".json" and not path.name.startswith("."):
            yield Thing("login", unquote(path.stem), _mtime(path), {"path": path})


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
