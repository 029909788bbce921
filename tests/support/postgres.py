"""Real Postgres servers and worktrees with migrations, for the tests that need them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from resources.databases.binaries import find_binaries
from resources.databases.databases import Databases, DatabaseSettings, open_databases
from resources.databases.local import LocalProvider
from resources.system.errors import Failure

OWNER = "owner-of-the-tests"

MIGRATE = (
    sys.executable,
    "-c",
    "import os, pathlib, psycopg\n"
    "with psycopg.connect(os.environ['DATABASE_URL']) as c:\n"
    "    for f in sorted(pathlib.Path('migrations').glob('*.sql')): c.execute(f.read_text())\n",
)

FIRST = "create table meal (id int primary key, name text); insert into meal values (1, 'soup'), (2, 'rice');\n"


def settings(**changes) -> DatabaseSettings:
    plain = DatabaseSettings(provider="local", migrate=MIGRATE, migrations=("migrations/*.sql",))
    return replace(plain, **changes)


def make_tree(folder: Path, **migrations: str) -> Path:
    """A git worktree whose migrations are `migrations` (name without .sql -> text; default: one table)."""
    (folder / "migrations").mkdir(parents=True)
    for name, text in (migrations or {"m1": FIRST}).items():
        (folder / "migrations" / f"{name}.sql").write_text(text)
    (folder / "web").mkdir()
    (folder / "web" / "page.txt").write_text("page\n")
    in_git(folder, "init", "--quiet")
    in_git(folder, "add", "--all")
    in_git(folder, "-c", "user.name=Tess", "-c", "user.email=tess@example.org", "commit", "--quiet", "-m", "start")
    return folder


def in_git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def require(binaries: str) -> None:
    """Skip the test, with the reason, when this machine lacks these binaries."""
    try:
        find_binaries(binaries)
    except Failure as failure:
        pytest.skip(f"{failure.what}: {failure.why}")


@contextmanager
def server(home: Path, binaries: str = "auto", **changes) -> Generator[Databases]:
    """Databases on a server of their own in `home`, stopped at the end and its 40 MB cluster removed."""
    require(binaries)
    with open_databases(
        settings(binaries=binaries, **changes), home=home, project="Meal Planner", owner=OWNER
    ) as databases:
        databases.start()
        try:
            yield databases
        finally:
            databases.stop()
            shutil.rmtree(home / "cluster", ignore_errors=True)


@contextmanager
def isolated(home: Path, binaries: str, **changes) -> Generator[Databases]:
    """Databases on a server for each slot, all of them stopped and removed at the end."""
    with server(home, binaries, isolation="server", **changes) as databases:
        yield databases
        databases.stop()
        for folder in ("servers", "golden"):
            shutil.rmtree(home / folder)


@contextmanager
def by_container(home: Path) -> Generator[Databases]:
    """Databases on a server in a container that is removed at the end."""
    import docker

    from tests.support.engine import IMAGE, engine

    folder = home.parent / "engine"
    folder.mkdir()
    chosen = settings(provider="container", image=IMAGE)
    with engine(folder), open_databases(chosen, home=home, project="Meal Planner", owner=OWNER) as databases:
        try:
            yield databases
        finally:
            client = docker.from_env()
            for container in client.containers.list(all=True, filters={"label": f"agent-coord.home={home}"}):
                container.remove(force=True, v=True)
            client.close()


@contextmanager
def by_dsn(home: Path, binaries: str) -> Generator[Databases]:
    """Databases on a server known by DSN alone, whose administrator is no superuser."""
    from psycopg import sql
    from psycopg.conninfo import make_conninfo

    with server(home / "theirs", binaries) as theirs:
        with LocalProvider(home / "theirs", binaries).connect() as connection:
            connection.execute(sql.SQL("create role lender login createdb createrole password 'a secret'"))
            connection.execute("grant connect on database postgres to lender")
            place = theirs.server()
        dsn = make_conninfo(host=place.host, port=place.port, user="lender", password="a secret", dbname="postgres")
        chosen = settings(provider="dsn", dsn=dsn)
        with open_databases(chosen, home=home / "ours", project="Meal Planner", owner=OWNER) as databases:
            yield databases
