"""Spares on a real server: taken, replaced, made again, never open to anybody."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql

from resources.databases import marks
from resources.databases.databases import open_databases
from resources.databases.local import LocalProvider
from resources.databases.session import Session
from resources.databases.template import advisory_lock, slot_lock
from tests.support.postgres import FIRST, OWNER, make_tree, server, settings


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("own server") / "postgres"


@pytest.fixture(scope="module")
def databases(home):
    with server(home) as opened:
        yield opened


@pytest.fixture
def tree(tmp_path):
    return make_tree(tmp_path / "tree")


def names(databases, kind: str) -> set[str]:
    return {found.name for found in databases.inventory() if found.kind == kind}


def oids(home, databases) -> dict[str, int]:
    with LocalProvider(home, "auto").connect() as connection:
        return dict(connection.execute("select datname, oid from pg_database").fetchall())


def connect(database, **changes):
    return psycopg.connect(database.environment["DATABASE_URL"], **changes)


def count(database) -> int:
    with connect(database) as connection:
        return connection.execute("select count(*) from meal").fetchone()[0]


def test_a_reset_puts_a_spare_in_place_and_sets_the_old_database_aside(home, databases, tree):
    database = databases.prepare("swap", tree)
    databases.tend()
    spares, before = names(databases, "spare"), oids(home, databases)
    assert len(spares) == 2
    with connect(database, autocommit=True) as left_open:
        left_open.execute("delete from meal")
        again = databases.reset("swap", tree)
        with pytest.raises(psycopg.OperationalError):
            left_open.execute("select 1")
    assert again == database
    assert count(again) == 2
    assert oids(home, databases)[again.name] in {before[name] for name in spares}
    assert len(names(databases, "retired")) == 1
    databases.tend()
    assert (len(names(databases, "spare")), names(databases, "retired")) == (2, set())


def test_what_is_being_swapped_is_not_dropped_under_the_name_that_the_fresh_one_takes(home, databases, tree):
    database = databases.prepare("busy", tree)
    session = Session(LocalProvider(home, "auto"))
    session.open()
    # The middle of a swap: the old one is retired, and has its slot's name still.
    mark = sql.Literal(marks.encode(OWNER, "retired", slot="busy", at="0"))
    retire = "alter database {name} allow_connections false; comment on database {name} is {mark}"
    with advisory_lock(session, slot_lock(OWNER, "busy")):
        session.run(retire, name=database.name, mark=mark)
        databases.tend()
        assert database.name in names(databases, "retired")
    databases.tend()
    assert database.name not in oids(home, databases)
    session.close()
    databases.drop("busy")


def test_a_spare_serves_a_slot_as_a_clone_does(databases, tree):
    databases.prepare("walls-1", tree)
    databases.tend()
    database = databases.prepare("walls-2", tree)
    with connect(database) as connection:
        shown = {
            name: connection.execute(f"show {name}").fetchone()[0] for name in ("statement_timeout", "lock_timeout")
        }
        assert shown == {"statement_timeout": "5min", "lock_timeout": "30s"}
        connection.execute("alter table meal add column price int")
        limits = "select datconnlimit, rolconnlimit from pg_database, pg_roles where datname = %s and rolname = %s"
        one, two = connection.execute(limits, [database.name, database.role]).fetchone()
        assert one == two > 0


def test_nobody_can_connect_to_a_spare_or_to_what_it_replaced(databases, tree):
    database = databases.prepare("closed", tree)
    databases.tend()
    databases.reset("closed", tree)
    for name in names(databases, "spare") | names(databases, "retired"):
        with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
            connect(database, dbname=name)


def test_what_the_slots_role_created_goes_with_the_reset_and_the_role_with_the_slot(databases, tree):
    database = databases.prepare("child", tree)
    with connect(database, autocommit=True) as connection:
        connection.execute("create database test_meals_gw1")
    databases.reset("child", tree)
    with connect(database, autocommit=True) as connection:
        connection.execute("create database test_meals_gw1")
    databases.drop("child")
    assert "child" not in {found.slot for found in databases.inventory()}


def test_slots_that_ask_at_once_never_get_the_same_spare(home, tree):
    with server(home.parent / "crowd", spares=3) as first:
        first.prepare("crowd-0", tree)
        first.tend()

        def take(slot: str) -> str:
            with open_databases(settings(), home=home.parent / "crowd", project="Meal Planner", owner=OWNER) as one:
                database = one.reset(slot, tree)
                assert count(database) == 2
                return database.name

        with ThreadPoolExecutor(6) as threads:
            taken = list(threads.map(take, [f"crowd-{number}" for number in range(6)]))
        assert len(set(taken)) == 6
        assert names(first, "spare") == set()


def test_changed_migrations_do_not_get_a_spare_of_the_old_ones(databases, tree):
    databases.prepare("later", tree)
    databases.tend()
    (tree / "migrations" / "m2.sql").write_text("create table later (id int);\n")
    with connect(databases.reset("later", tree)) as connection:
        assert connection.execute("select count(*) from later").fetchone() == (0,)


def test_a_rebuilt_template_takes_its_spares_along(databases, tmp_path):
    tree = make_tree(tmp_path / "again", m1=FIRST + "-- rebuilt\n")
    databases.prepare("again", tree)
    databases.tend()
    before = names(databases, "spare")
    databases.template(tree, rebuild=True)
    assert before
    assert not names(databases, "spare") & before


def test_old_templates_are_collected_unless_a_slot_stands_on_them(home, databases, tmp_path):
    trees = [make_tree(tmp_path / f"t{n}", m1=f"create table t{n} (id int);") for n in range(4)]
    for tree in trees:
        databases.template(tree)
    databases.prepare("standing", trees[0])
    keys = [databases.template_key(tree) for tree in trees]
    for age, key in enumerate(keys):
        os.utime(home / "templates" / key, times=(1_000_000 - age, 1_000_000 - age))
    databases.tend()
    left = {found.mark["key"] for found in databases.inventory() if found.kind == "template"}
    assert keys[0] in left
    assert not left & set(keys[1:])


def test_with_the_last_slot_the_spares_go(home, tree):
    with server(home.parent / "last") as databases:
        databases.prepare("only", tree)
        databases.tend()
        databases.drop("only")
        databases.tend()
        assert names(databases, "spare") == set()
        databases.stop()
        databases.tend()
        assert databases.asleep
