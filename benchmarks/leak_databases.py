"""The ways in which databases, their roles, logins and files leak on a server of our own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.leak_world import OLD, Made, World, keys, old_file
from resources.databases import marks


def unknown_database(world: World, spoil: Callable[[str, str], tuple[str, str]] | None = None) -> Made:
    """The database, role and login of a slot that no ledger knows; `spoil` does more to it and tells its key."""
    slot = f"pool-wt-{1000 + world.number()}"
    made = world.databases.prepare(slot, world.root)
    key = spoil(made.name, made.environment["DATABASE_URL"]) if spoil else ("database", made.name)
    more = [] if key[0] == "half-dropped" else [("database", made.name)]

    def gone() -> bool:
        login = world.state / "postgres" / "slots" / f"{slot}.json"
        return not (world.database(made.name) or world.database(key[1]) or world.role(made.role) or login.exists())

    return Made(keys(key, ("role", made.role), ("login", slot), *more), gone)


def child_database(world: World) -> Made:
    """A database that a killed test runner had made for itself, as the role of its slot."""

    def spoil(_: str, dsn: str) -> tuple[str, str]:
        name = f"test_shop_gw{world.number()}"
        with psycopg.connect(dsn, autocommit=True) as agent:
            agent.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return "database", name

    return unknown_database(world, spoil)


def interrupted_drop(world: World) -> Made:
    """A DROP DATABASE that was cut off: Postgres leaves the connection limit -2."""

    def spoil(name: str, _: str) -> tuple[str, str]:
        world.admin.execute("update pg_database set datconnlimit = -2 where datname = %s", [name])
        return "half-dropped", name

    return unknown_database(world, spoil)


def _marked(world: World, listed: str, kind: str, **facts: str) -> Made:
    name = f"{kind}_{world.number()}"
    what = "role" if listed == "role" else "database"
    mark = marks.encode(world.watched.project, kind, **facts)
    world.sql(f"create {what} {{}}", name)
    world.sql(f"comment on {what} {{}} is {{mark}}", name, mark=mark)
    there = world.role if listed == "role" else world.database
    return Made(keys((listed, name)), lambda: not there(name))


def interrupted_build(world: World) -> Made:
    """A template whose builder was killed."""
    return _marked(world, "template", "build", key=f"key-{world.count}")


def retired_database(world: World) -> Made:
    """A replaced database that nobody dropped."""
    return _marked(world, "retired", "retired", slot="pool-wt-1", at=f"{time.time() - OLD:.0f}")


def lonely_role(world: World) -> Made:
    """A role whose database went without it."""
    return _marked(world, "role", "slot", slot=f"pool-wt-{1000 + world.number()}")


def half_made_files(world: World) -> Made:
    """The files of a clone whose backend was killed."""
    cluster = Path(world.admin.execute("show data_directory").fetchone()[0])
    path = cluster / "base" / str(3_000_000_000 + world.number())
    old_file(path / "1259", "x" * 10_000)
    os.utime(path, (time.time() - OLD, time.time() - OLD))
    return Made(keys(("half-made", f"base/{path.name}")), lambda: not path.exists())


KINDS: dict[str, Callable[[World], Made]] = {
    "unknown database": unknown_database,
    "child database": child_database,
    "interrupted drop": interrupted_drop,
    "interrupted build": interrupted_build,
    "retired database": retired_database,
    "lonely role": lonely_role,
    "half made files": half_made_files,
}
