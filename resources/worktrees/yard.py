"""What every part of the pool works with: the repository, the ledger's rows, settings, databases, locks.

Two locks, both `flock` and so gone with their holder and with the last git that it started. The *pool lock* is held
while slots are made, taken down or repaired: whoever holds it knows that a row in state `making` was left by a crash.
A *slot's lock* is held while its tree is changed by us, so that two of our processes never clean one tree; the fence
is looked at after it was taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from resources.settings import PoolSettings
from resources.system.errors import Failure
from resources.system.files import file_lock, is_orphaned
from resources.system.git import current_branch, resolve
from resources.system.repository import Repository
from resources.worktrees import sparse
from resources.worktrees.checkout import detach
from resources.worktrees.environment import Place, compose, own_caches
from resources.worktrees.host_ports import open_book
from resources.worktrees.ports import find_range
from resources.worktrees.records import Records
from resources.worktrees.setup import require_approved, set_up
from resources.worktrees.slots import Slot


class Database(Protocol):
    """A slot's database, as far as the pool needs to know it."""

    @property
    def name(self) -> str:
        """Its name on the server."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which programs find it."""
        ...

    @property
    def source(self) -> str:
        """Where it came from when it was made just now, else ""."""
        ...


class Databases(Protocol):
    """What the pool asks of databases; `resources.databases.databases.Databases` answers."""

    def start(self) -> None:
        """See that the server runs and may be used."""
        ...

    def prepare(self, slot: str, tree: Path) -> Database:
        """The slot's database, kept when it fits the migrations in `tree`, else made anew."""
        ...

    def reset(self, slot: str, tree: Path) -> Database:
        """A fresh database for the slot."""
        ...

    def drop(self, slot: str) -> None:
        """Take the slot's database back."""
        ...

    def tend(self) -> None:
        """Keep spare databases ready and drop replaced ones."""
        ...

    def of(self, slot: str) -> Database | None:
        """The slot's database as recorded; asks no server."""
        ...

    def ready(self, slot: str) -> bool:
        """Whether the slot's database can be connected to, as far as one can tell without asking the server."""
        ...

    def template_key(self, tree: Path) -> str:
        """What the migrations in `tree` amount to; two trees with one key need the same database."""
        ...


@dataclass(frozen=True)
class Yard:
    """See the module."""

    repository: Repository
    records: Records
    settings: PoolSettings
    databases: Databases | None
    log: Callable[[str], None]

    @property
    def folder(self) -> Path:
        """Where the slots' folders are, as git will name it (a link to another disk is followed)."""
        return (self.repository.root / self.settings.folder).resolve()

    def pool_lock(self, *, wait: float = 120.0) -> AbstractContextManager[None]:
        """The lock on the pool's make-up. Raises NotNow("locked"), not before a dead holder's git has ended."""
        file = self.repository.state / "pool.lock"
        return file_lock(file, what="the pool", wait=max(wait, 60.0 if is_orphaned(file) else 0.0), inherited=True)

    def slot_lock(self, name: str, *, wait: float = 60.0) -> AbstractContextManager[None]:
        """The lock on one slot's tree. Raises NotNow("locked")."""
        file = self.repository.state / "slots" / f"{name}.lock"
        return file_lock(file, what=f"slot {name}", wait=wait, inherited=True)

    def setup_file(self, name: str) -> Path:
        """Where is noted what a slot was set up for."""
        return self.repository.state / "slots" / f"{name}.setup"

    def base_branch(self) -> str:
        """The branch that work lands on: as recorded, else what the main checkout has checked out ("" when nothing)."""
        return self.records.base_branch() or current_branch(self.repository.root) or ""

    def base(self) -> str:
        """The commit that idle slots stand on. Raises Failure("no-base") in a repository without commits."""
        branch = self.base_branch()
        found = resolve(self.repository.root, f"refs/heads/{branch}" if branch else "HEAD")
        if found is None:
            raise Failure(
                "no-base",
                f"the base branch {branch or '(none)'} has no commit",
                mend="make a first commit, or set base_branch in .agent-worktrees/config.toml and run agent-coord init",
            )
        return found

    def move_base(self, slot: Slot, base: str) -> str:
        """Take a clean slot to another base; its database is made anew when the migrations differ. Returns its name."""
        path = slot.path
        before = self.databases.template_key(path) if self.databases else ""
        detach(path, base)
        if self.settings.setup:
            require_approved(self.records, self.settings)
            given = self.environment(slot, fence=0, issue="", agent="")
            set_up(self.settings.setup, self.setup_file(slot.name), path, given)
        if self.databases and (not slot.database or self.databases.template_key(path) != before):
            return self.database(slot.name, path)
        return slot.database

    def database(self, name: str, path: Path, *, fresh: bool = False) -> str:
        """Give a slot its database for the tree at `path`; returns its name, "" when databases are off."""
        if self.databases is None:
            return ""
        give = self.databases.reset if fresh else self.databases.prepare
        began = time.monotonic()
        try:
            given = give(name, path)
        except Failure as failure:
            if failure.reference != "migrations-hidden":
                raise
            sparse.show_all(path)  # the view hides what the template is built from
            given = give(name, path)
        if given.source:
            self.records.note_database(name, given.source, time.monotonic() - began)
        return given.name

    def announce(self, purpose: str, count: int) -> list[Slot]:
        """Rows and ports for `count` slots that are about to be made. Raises Failure("no-ports")."""
        with open_book(self.repository.state) as book:
            slots = self.records.announce(purpose, self.folder, count, self.settings, book.elsewhere)
            book.keep(self.records.ports())
        return slots

    def other_ports(self) -> tuple[int, int]:
        """A free range for a slot whose own range is in use. Raises Failure("no-ports")."""
        with open_book(self.repository.state) as book:
            mine = self.records.ports()
            found = find_range([*book.elsewhere, *mine], self.settings.port_base, self.settings.ports_per_slot)
            book.keep([*mine, found])
        return found

    def forget(self, slot: Slot) -> None:
        """Delete the row of a slot whose folder and database are gone, and give its ports back."""
        self.records.forget(slot)
        with open_book(self.repository.state) as book:
            book.keep(self.records.ports())

    def stock_up(self) -> None:
        """Have spare databases for the slots that there are. Without them all works, more slowly."""
        if self.databases is None:
            return
        try:
            self.databases.tend()
        except Failure as failure:
            self.log(f"no spare databases could be made: {failure.what}")

    def environment(self, slot: Slot, *, fence: int, issue: str, agent: str) -> dict[str, str]:
        """The variables for a process that works in the slot."""
        given = self.databases.of(slot.name) if self.databases else None
        place = Place(self.records.project(), self.repository.root, slot.name, slot.ports)
        variables = compose(place, fence=fence, issue=issue, agent=agent, database=given.environment if given else {})
        return own_caches(slot.path, self.settings.caches) | variables
