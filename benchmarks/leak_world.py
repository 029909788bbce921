"""A repository with a pool, a Postgres server of its own and a ledger, in which leaks are made and looked for."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from resources.databases.databases import Databases, open_databases
from resources.databases.local import LocalProvider
from resources.databases.values import DatabaseSettings
from resources.monitor.watched import Watched, database_home
from resources.settings import PoolSettings, ResourceSettings
from resources.system.git import git
from resources.worktrees.pool import Pool
from resources.worktrees.slots import Slot
from tests.support import watched as build

Key = tuple[str, str]
SLOTS = 4
OLD = 7200.0
"""Seconds: older than everything that counts as a leak by its age."""

MIGRATE = (
    sys.executable, "-c",
    "import os, pathlib, psycopg\n"
    "with psycopg.connect(os.environ['DATABASE_URL']) as c:\n"
    "    for f in sorted(pathlib.Path('migrations').glob('*.sql')): c.execute(f.read_text())\n",
)  # fmt: skip
SETTINGS = ResourceSettings(
    pool=PoolSettings(copy=(), size=SLOTS, minimum=1, maximum=60, port_base=46000, ports_per_slot=2),
    database=DatabaseSettings(provider="local", migrate=MIGRATE, migrations=("migrations/*.sql",), spares=1),
)


@dataclass(frozen=True)
class Made:
    """Leaks that one crash left: how they must be listed, and whether nothing of them is left (and no work lost)."""

    keys: frozenset[Key]
    gone: Callable[[], bool]


def keys(*listed: Key) -> frozenset[Key]:
    """The keys of `Made`."""
    return frozenset(listed)


@dataclass
class World:
    """What the makers of leaks and of look-alikes work on."""

    watched: Watched
    pool: Pool
    random: random.Random
    scratch: Path
    isolation: str
    databases: Databases
    admin: Any
    """A connection of the shared server's administrator; None when every slot has a server."""
    count: int = 0
    used: set[str] = field(default_factory=set)
    """Slots that somebody has touched in this round."""

    @property
    def root(self) -> Path:
        """The main checkout."""
        return self.watched.repository.root

    @property
    def common(self) -> Path:
        """Git's common folder."""
        return self.watched.repository.common

    @property
    def state(self) -> Path:
        """The product's folder in it."""
        return self.watched.repository.state

    @property
    def folder(self) -> Path:
        """The pool's folder."""
        return self.watched.pool_folder

    @property
    def servers(self) -> Path:
        """Where the slots' own servers are at home."""
        return self.state / "postgres" / "servers"

    @property
    def golden(self) -> Path:
        """The home of the cluster that they are copied from."""
        return self.state / "postgres" / "golden"

    def furnished(self, slot: str) -> Callable[[], bool]:
        """How to tell later whether anything is left of the database that a slot has now."""
        known = self.databases.of(slot)
        if self.isolation == "server":
            return (self.servers / slot).exists
        return lambda: known is not None and (self.database(known.name) or self.role(known.role))

    def number(self) -> int:
        """A number that nothing else bears."""
        self.count += 1
        return self.count

    def slot(self) -> Slot:
        """An idle slot that nobody else touches in this round."""
        slot = next(one for one in self.pool.slots() if one.state == "idle" and one.name not in self.used)
        self.used.add(slot.name)
        return slot

    def has_slot(self) -> bool:
        """Whether there is one."""
        return any(one.state == "idle" and one.name not in self.used for one in self.pool.slots())

    def make_clone(self) -> Slot:
        """One more slot, of the backend `clone`."""
        settings = replace(SETTINGS.pool, backend="clone")
        return Pool(self.watched.repository, self.watched.ledger, settings, self.watched.databases).grow(1)[0]

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """Standard output of git in the main checkout, or `at`."""
        return git(at or self.root, *arguments).text

    def ref(self, name: str) -> str:
        """The commit that a ref names, "" when there is no such ref."""
        return git(self.root, "rev-parse", "--verify", "--quiet", name, check=False, read=True).text

    def database(self, name: str) -> bool:
        """Whether the server has a database of this name."""
        return bool(self.admin.execute("select 1 from pg_database where datname = %s", [name]).fetchall())

    def role(self, name: str) -> bool:
        """Whether the server has a role of this name."""
        return bool(self.admin.execute("select 1 from pg_roles where rolname = %s", [name]).fetchall())

    def sql(self, text: str, *names: str, **literals: str) -> None:
        """Run a statement; each `{}` becomes one of the `names` as an identifier, `{word}` a literal."""
        from psycopg import sql

        parts = {key: sql.Literal(value) for key, value in literals.items()}
        named = (sql.Identifier(name) for name in names)
        self.admin.execute(sql.SQL(text).format(*named, **parts))  # ty: ignore[invalid-argument-type]


def old_file(path: Path, text: str = "") -> Path:
    """A file that was written two hours ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - OLD, time.time() - OLD))
    return path


def slot_folder(world: World, slot: Slot) -> Path:
    """The git folder of a slot."""
    return Path(world.git("rev-parse", "--absolute-git-dir", at=slot.path))


@contextmanager
def open_world(folder: Path, seed: int, isolation: str = "database") -> Generator[World]:
    """The world in `folder`, with its server or servers, which are stopped at the end."""
    repository = build.make_repository(folder / "a project")
    for key, value in (("user.name", "Tess"), ("user.email", "tess@localhost"), ("gc.auto", "0")):
        git(repository.root, "config", key, value)
    (repository.root / "migrations").mkdir()
    (repository.root / "migrations" / "m1.sql").write_text("create table meal (id int primary key);\n")
    (repository.root / ".gitignore").write_text("*.cache\n")
    git(repository.root, "add", "--all")
    build.commit(repository.root, "more.py")
    scratch = folder / "scratch"
    scratch.mkdir()
    with build.watched(repository, SETTINGS) as plain:
        home = database_home(repository)
        name = repository.root.name
        settings = replace(SETTINGS.database, isolation=isolation)
        with open_databases(settings, home=home, project=name, owner=plain.project) as databases:
            databases.start()
            try:
                watched = Watched(repository, plain.ledger, SETTINGS, plain.project, databases, wake=True)
                pool = Pool(repository, plain.ledger, SETTINGS.pool, databases)
                with nullcontext() if isolation == "server" else LocalProvider(home, "auto").connect() as admin:
                    yield World(watched, pool, random.Random(seed), scratch, isolation, databases, admin)
            finally:
                databases.stop()
