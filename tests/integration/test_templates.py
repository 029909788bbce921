"""Templates, walls between slots, and what is reclaimed."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from resources.databases.databases import open_databases
from resources.databases.local import LocalProvider
from resources.databases.migrations import extensions_in
from resources.databases.template import strategy
from resources.system.errors import Failure
from tests.support.postgres import FIRST, OWNER, in_git, make_tree, server, settings


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


@pytest.fixture
def as_admin(databases, home):
    databases.start()
    with LocalProvider(home, "auto").connect() as connection:
        yield connection


def connect(database, **changes):
    return psycopg.connect(database.environment["DATABASE_URL"], **changes)


def templates(databases) -> set[str]:
    return {found.name for found in databases.inventory() if found.kind == "template"}


# -- the key


def test_the_key_follows_the_migrations_and_nothing_else(databases, tree):
    first = databases.template_key(tree)
    (tree / "web" / "page.txt").write_text("other\n")
    assert databases.template_key(tree) == first
    (tree / "migrations" / "m2.sql").write_text("create table extra (id int);\n")
    second = databases.template_key(tree)
    (tree / "migrations" / "m1.sql").write_text(FIRST + "-- changed\n")
    assert len({first, second, databases.template_key(tree)}) == 3


def test_a_view_that_hides_migrations_has_the_key_of_the_whole_tree(databases, tree):
    whole = databases.template_key(tree)
    in_git(tree, "sparse-checkout", "set", "web")
    assert not (tree / "migrations").exists()
    assert databases.template_key(tree) == whole


def test_a_hidden_migration_is_served_by_a_template_that_exists(databases, tmp_path):
    trees = [make_tree(tmp_path / name, m1="create table hidden (id int);") for name in ("one", "two")]
    in_git(trees[1], "sparse-checkout", "set", "web")
    with pytest.raises(Failure) as caught:
        databases.prepare("hidden-2", trees[1])
    assert caught.value.reference == "migrations-hidden"
    databases.prepare("hidden-1", trees[0])
    with connect(databases.prepare("hidden-2", trees[1])) as connection:
        assert connection.execute("select count(*) from hidden").fetchone() == (0,)


# -- building and cloning


def test_changed_migrations_give_the_slot_a_new_database(databases, tree):
    databases.prepare("change", tree)
    before = templates(databases)
    databases.prepare("change-2", tree)
    assert templates(databases) == before
    (tree / "migrations" / "m2.sql").write_text("create table later (id int);\n")
    with connect(databases.prepare("change", tree)) as connection:
        assert connection.execute("select count(*) from later").fetchone() == (0,)
    assert len(templates(databases)) == len(before) + 1


def test_a_failing_migration_leaves_no_template_and_no_password_in_the_message(home, databases, tree):
    script = "import os, sys; sys.exit('cannot migrate ' + os.environ['DATABASE_URL'])"
    before = databases.inventory()
    failing = settings(migrate=("python3", "-c", script))
    with (
        open_databases(failing, home=home, project="Meal Planner", owner=OWNER) as broken,
        pytest.raises(Failure) as caught,
    ):
        broken.prepare("broken", tree)
    assert caught.value.reference == "migrate-failed"
    assert "cannot migrate postgresql://" in caught.value.why
    assert "***" in caught.value.why
    assert {found.name for found in databases.inventory()} <= {found.name for found in before} | {"meal_planner_broken"}
    assert databases.of("broken") is None


def test_a_missing_extension_is_named_with_its_line_before_anything_runs(databases, tree):
    (tree / "migrations" / "m2.sql").write_text("-- soon\nCREATE EXTENSION IF NOT EXISTS no_such_thing;\n")
    with pytest.raises(Failure) as caught:
        databases.prepare("extension", tree)
    assert caught.value.reference == "extension-missing"
    assert "migrations/m2.sql:2" in caught.value.what


def test_extensions_are_read_from_sql_and_rails():
    text = 'create extension "uuid-ossp";\n-- create extension nothing;\n  enable_extension "citext"\n'
    assert [(use.name, use.line) for use in extensions_in("x", text)] == [("uuid-ossp", 1), ("citext", 3)]


def test_the_way_of_cloning_follows_fsync_and_size():
    assert strategy(durable=False, size=1) == "file_copy"
    assert strategy(durable=True, size=20_000_000) == "wal_log"
    assert strategy(durable=True, size=1_000_000_000) == "file_copy"


def test_a_project_without_migrations_gets_an_empty_database(home, databases, tree):
    plain = replace(settings(), migrate=(), migrations=())
    with (
        open_databases(plain, home=home, project="Meal Planner", owner=OWNER) as empty,
        connect(empty.prepare("empty", tree)) as connection,
    ):
        connection.execute("create table anything (id int)")


# -- walls


def test_the_connection_limit_holds(home, databases, tree):
    narrow = settings(connection_limit=2)
    with open_databases(narrow, home=home, project="Meal Planner", owner=OWNER) as limited:
        database = limited.reset("narrow", tree)
        with (
            connect(database),
            connect(database),
            pytest.raises(psycopg.OperationalError, match="too many connections"),
        ):
            connect(database)


def test_a_slot_cannot_drop_the_template_it_came_from(databases, tree):
    database = databases.prepare("curious", tree)
    with connect(database, autocommit=True) as connection:
        for template in templates(databases):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"alter database {template} is_template false")


def test_secrets_are_for_their_owner_alone(home, databases, tree):
    databases.prepare("secret", tree)
    open_to_others = [
        path
        for path in home.rglob("*")
        if path.is_file() and path.suffix in {".json", ".secret"} and path.stat().st_mode & 0o077
    ]
    assert open_to_others == []
    assert home.stat().st_mode & 0o077 == 0


# -- what is ours


def test_reclaim_refuses_what_does_not_bear_our_mark(databases, as_admin, tree):
    databases.prepare("mine", tree)
    mine = next(found for found in databases.inventory() if found.slot == "mine" and found.kind == "database")
    as_admin.execute("create database somebodys")
    assert "somebodys" not in {found.name for found in databases.inventory()}
    for name in ("somebodys", "postgres", "template1"):
        with pytest.raises(Failure) as caught:
            databases.reclaim(replace(mine, name=name))
        assert caught.value.reference == "not-ours"
    with pytest.raises(Failure):
        databases.reclaim(replace(mine, mark={**mine.mark, "key": "another"}))
    databases.reclaim(mine)
    databases.reclaim(mine)
    assert as_admin.execute("select 1 from pg_database where datname = 'somebodys'").fetchone()


def test_another_owners_things_are_neither_listed_nor_taken_over(home, databases, tree):
    with open_databases(settings(), home=home / "other", project="Meal Planner", owner="someone else") as other:
        other._chosen = LocalProvider(home, "auto")
        theirs = other.prepare("shared-name", tree)
        ours = databases.prepare("shared-name", tree)
        assert ours.name != theirs.name
        assert theirs.name not in {found.name for found in databases.inventory()}
        databases.drop("shared-name")
        with connect(theirs) as connection:
            assert connection.execute("select count(*) from meal").fetchone() == (2,)


def test_a_clone_interrupted_before_its_mark_is_found_and_repaired(databases, as_admin, tree):
    database = databases.prepare("half", tree)
    as_admin.execute(f"comment on database {database.name} is null")
    found = [found for found in databases.inventory() if found.name == database.name and found.kind == "database"]
    assert [one.slot for one in found] == ["half"]
    with connect(databases.prepare("half", tree)) as connection:
        assert connection.execute("select count(*) from meal").fetchone() == (2,)


def test_a_half_dropped_database_is_listed_as_one_and_reclaimed(databases, as_admin, tree):
    database = databases.prepare("torn", tree)
    as_admin.execute(f"update pg_database set datconnlimit = -2 where datname = '{database.name}'")
    (found,) = [found for found in databases.inventory() if found.kind == "half-dropped"]
    databases.reclaim(found)
    assert database.name not in {found.name for found in databases.inventory() if found.kind != "role"}
