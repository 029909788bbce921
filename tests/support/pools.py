"""A repository with a ledger and a pool of slots, for the tests that need one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resources.settings import PoolSettings
from resources.state.sqlite import SqliteLedger
from resources.system.repository import Repository, find_repository
from resources.worktrees.pool import Pool
from resources.worktrees.trash import empty
from resources.worktrees.yard import Databases
from tests.support.repos import git_out, make_repository

FILES = {
    "README.md": "sample\n",
    ".gitignore": "*.cache\n.env\n",
    "src/app.py": "import src.auth\n",
    "src/auth/login.py": "x = 1\n",
    "src/billing/tax.py": "y = 2\n",
    "docs/a.md": "a\n",
}


@dataclass
class Yardful:
    """What a test looks at: the main checkout, the ledger, the pool, what the pool said."""

    root: Path
    repository: Repository
    ledger: SqliteLedger
    pool: Pool
    said: list[str] = field(default_factory=list)

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """Standard output of git in the main checkout, or `at`."""
        return git_out(at or self.root, *arguments)

    @property
    def head(self) -> str:
        """The commit of the main checkout."""
        return self.git("rev-parse", "HEAD")

    def leases(self) -> list[dict]:
        """The live leases in the ledger."""
        with self.ledger.read() as snapshot:
            return snapshot.all("leases-live")

    def states(self) -> dict[str, str]:
        """Every slot's state by its name."""
        with self.ledger.read() as snapshot:
            return {row["name"]: row["state"] for row in snapshot.all("slots")}

    def folders(self) -> list[str]:
        """What lies in the pool's folder once what was thrown away is off the disk."""
        empty(self.repository.state, self.root / ".agent-worktrees", wait=30)
        return sorted(path.name for path in (self.root / ".agent-worktrees").glob("*"))

    def worktrees(self) -> list[str]:
        """The folder names of the registered worktrees, the main one left out."""
        listed = self.git("worktree", "list", "--porcelain").splitlines()
        return sorted(Path(line[9:]).name for line in listed[1:] if line.startswith("worktree "))


def make_pool(
    folder: Path,
    slots: int = 0,
    *,
    files: Mapping[str, str] = FILES,
    databases: Databases | None = None,
    **settings: Any,
) -> Yardful:
    """A repository in `folder` (its path holds a space), with a pool of `slots`; `settings` are PoolSettings' keys."""
    root = make_repository(folder / "the repository", files)
    return open_pool(root, slots, databases=databases, **settings)


def open_pool(root: Path, slots: int = 0, *, databases: Databases | None = None, **settings: Any) -> Yardful:
    """The pool of a repository that exists already, grown by `slots`."""
    repository = find_repository(root)
    ledger = SqliteLedger.create(repository.state)
    said: list[str] = []
    pool = Pool(repository, ledger, PoolSettings(**settings), databases, said.append)
    pool.approve()
    if slots:
        pool.grow(slots)
    return Yardful(root, repository, ledger, pool, said)
