"""Takes out of a repository what we have put into it: `cleanup --all`.

    refs/agent-coord/…   all but saved work
    .agent-worktrees/    logs, handoffs, the overview, the configuration as `init` wrote it
    .git/config          configuration per worktree, when it was off before us
    .git/info/exclude    the line for the slots' folder
    .git/agent-coord/    the ledger and what lies beside it, last: it knows what all the rest is
    databases            a server of our own, or what we have on another

Unlanded work stays, and so does what a person has written; whatever stays is told with the command that takes it away.
While a slot, a database or a daemon cannot be given back the ledger stays too, because only it knows whose they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from coordinator.bootstrap import Project, first_config
from coordinator.closing import close_down
from coordinator.running import serve
from resources.system.errors import Failure
from resources.system.git import git
from resources.system.repository import Repository
from resources.worktrees.registry import close_registry
from resources.worktrees.saving import SAVED

REFS = "refs/agent-coord/"
WRITTEN = ("logs", "handoff", ".progress.json")
"""What we write into the slots' folder beside the slots and the configuration."""


@dataclass(frozen=True)
class Left:
    """What was done, and what stays; in sentences."""

    done: tuple[str, ...]
    kept: tuple[str, ...]


def would_leave(project: Project) -> list[str]:
    """What `leave` would do beyond giving back."""
    return [
        "drop what is ours on the database server, or the server", f"delete the refs below {REFS} that hold no work",
        f"delete logs, handoffs and an unchanged configuration in {project.config.pool.folder}",
        "take our lines out of .git/config and .git/info/exclude", f"delete {project.repository.state}",
    ]  # fmt: skip


def leave(project: Project, declared: Callable[[Repository], str]) -> Left:
    """Give everything back, then take out what is ours. `declared` as for `first_config`."""
    done = close_down(project, act=True)
    held = [*project.pool.slots(), *project.pool.slots("gate")]
    kept = [f"{slot.name} stays: it is {slot.state} {slot.note}".rstrip() for slot in held]
    if not kept:
        with serve.only_coordinator(project):
            kept += _without_databases(project)
    if kept:
        return Left(tuple(done), (*kept, "the ledger and the rest stay until these are gone: agent-coord doctor"))
    repository, folder = project.repository, (project.repository.root / project.config.pool.folder).resolve()
    with serve.only_coordinator(project):
        done += _without_refs(repository)
        kept += _without_files(folder, project.config.file, first_config(repository, declared), repository.root)
        kept += close_registry(repository, folder)
        kept += _work(repository)
        project.close()
        # Renamed first: a command that comes now finds no ledger, and none that is half deleted.
        shutil.rmtree(repository.state.rename(repository.state.with_name("agent-coord-gone")))
    return Left((*done, "the ledger and all that lay beside it were deleted"), tuple(kept))


def _without_databases(project: Project) -> Iterator[str]:
    if project.databases is not None:
        try:
            project.databases.dissolve()
        except Failure as failure:
            yield f"databases of ours may stay: {failure.what} {failure.why}".rstrip()


def _refs(repository: Repository, below: str) -> list[str]:
    return git(repository.root, "for-each-ref", "--format=%(refname) %(objectname)", below, read=True).lines


def _without_refs(repository: Repository) -> Iterator[str]:
    for line in _refs(repository, REFS):
        name, _, tip = line.partition(" ")
        if not name.startswith(f"{SAVED}/"):
            git(repository.root, "update-ref", "-d", name, tip, check=False)
            yield f"{name} was deleted"


def _without_files(folder: Path, config: Path, first: str, root: Path) -> Iterator[str]:
    tracked = git(root, "ls-files", "-z", "--", str(folder), check=False, read=True).records
    for name in WRITTEN:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if config.parent == folder and not tracked and config.is_file() and config.read_text() == first:
        config.unlink()
    left = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if left:
        yield f"{', '.join(left)} in {folder} stay, as they were not written by us alone: rm -r '{folder}'"
    elif folder.is_dir():
        folder.rmdir()


def _work(repository: Repository) -> Iterable[str]:
    if saved := _refs(repository, f"{SAVED}/"):
        yield f"{len(saved)} pieces of unlanded work stay: git for-each-ref {SAVED}"
    if branches := _refs(repository, "refs/heads/agent/"):
        yield f"{len(branches)} branches with unlanded work stay: git branch --list 'agent/*'"
