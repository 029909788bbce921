"""Where a repository is and what its branches stand on, read from its files without running git.

The fast commands ask this in a millisecond, and the loop many times a second.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from resources.system.errors import Failure

MAIN = "agent-coord-main"
"""The file in a clone's git folder: the git folder of the repository whose slot it is, and the slot's name."""


@dataclass(frozen=True)
class Repository:
    """A repository as its main checkout sees it.

    `root` is the main checkout, `common` the shared git directory, `here` the toplevel of the worktree the
    question was asked in (equal to `root` unless asked inside a slot or another linked worktree).
    """

    root: Path
    common: Path
    here: Path

    @property
    def state(self) -> Path:
        """Where our ledger, locks and sockets live: seen by every worktree, never committed."""
        return self.common / "agent-coord"


def find_repository(start: Path) -> Repository:
    """The repository around `start`, found without running git (the fast commands need it in a millisecond).

    Raises Failure("not-a-repository").
    """
    place = start.resolve()
    for folder in (place, *place.parents):
        dot_git = folder / ".git"
        # As git does: a folder of that name without a HEAD (a sandbox leaves such) is no repository.
        if os.path.lexists(dot_git / "HEAD"):
            main = main_of(folder)
            return Repository(main.parent, main, folder) if main else Repository(folder, dot_git, folder)
        if dot_git.is_file():
            common = _common_of(folder, dot_git)
            return Repository(common.parent if common.name == ".git" else folder, common, folder)
    raise Failure(
        "not-a-repository",
        f"{start} is not inside a git repository",
        mend="cd into one, pass --repo PATH, or run `git init`",
    )


def main_of(folder: Path) -> Path | None:
    """The git folder of the repository whose slot the clone `folder` is, None when it is no slot of this kind."""
    named = _clone_mark(folder)
    main = Path(named[0]) if named else None
    return main if main and main.is_dir() else None


def is_clone_of(repository: Repository, folder: Path) -> bool:
    """Whether a folder is a clone that is a slot of this repository."""
    return main_of(folder) == repository.common


def clone_name(folder: Path) -> str:
    """The name that a clone got as a slot, whatever its folder is called now; "" when its mark does not tell."""
    return "".join(_clone_mark(folder)[1:2])


def _clone_mark(folder: Path) -> list[str]:
    try:
        return (folder / ".git" / MAIN).read_text().splitlines()
    except OSError:
        return []


def _common_of(folder: Path, dot_git: Path) -> Path:
    target = dot_git.read_text().removeprefix("gitdir:").strip()
    git_dir = (folder / target).resolve()
    pointer = git_dir / "commondir"
    if not pointer.is_file():
        return git_dir
    return (git_dir / pointer.read_text().strip()).resolve()


def git_dir_of(worktree: Path) -> Path:
    """The git directory of one worktree: `.git` itself, or the private folder that a linked worktree points to.

    Raises Failure("not-a-repository").
    """
    dot_git = worktree / ".git"
    if dot_git.is_dir():
        return dot_git
    try:
        return (worktree / dot_git.read_text().removeprefix("gitdir:").strip()).resolve()
    except OSError as error:
        raise Failure("not-a-repository", f"{worktree} is no git worktree", why=str(error)) from error


def branch_tip(repository: Repository, branch: str) -> str | None:
    """The commit of a local branch, read from the ref files: no process, for what asks many times a second.

    None when there is no such branch, and where only git could tell (reftable).
    """
    try:
        return (repository.common / "refs" / "heads" / branch).read_text().strip()
    except OSError:
        pass
    try:
        packed = (repository.common / "packed-refs").read_text()
    except OSError:
        return None
    lines = (line.partition(" ") for line in packed.splitlines())
    return next((sha for sha, _, name in lines if name == f"refs/heads/{branch}"), None)
