"""Somebody else's server: which databases a slot's role could enter, and the statements that keep it out."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from resources.databases.local import LocalProvider
from tests.support.postgres import by_dsn, make_tree, server
from tests.support.projects import make_place


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("somebody's server")


@pytest.fixture(scope="module")
def databases(home):
    with by_dsn(home, "auto") as opened:
        yield opened


@pytest.fixture
def owner(home, databases):
    """The administrator of that server, on which PUBLIC may do what it may on a new one, and two of its users."""
    with LocalProvider(home / "theirs", "auto").connect() as connection:
        connection.execute("grant connect, temporary on database postgres, template1 to public")
        for statement in ("create role \"Bob\" login password 'b'", 'create database "Their Shop"'):
            connection.execute(statement)
        yield connection
        connection.execute('drop database "Their Shop"')
        connection.execute('drop owned by "Bob"; drop role "Bob"')


def may_enter(url: str, **changes) -> bool:
    try:
        psycopg.connect(url, **changes).close()
    except psycopg.OperationalError as error:
        if "permission denied" in str(error):
            return False
        raise
    return True


THEIRS = {"Their Shop", "postgres", "template1"}


def test_the_statements_close_every_door_to_slots_and_to_nobody_else(tmp_path, databases, owner):
    slot = databases.prepare("wt-1", make_tree(tmp_path / "tree")).environment["DATABASE_URL"]
    before = dict(owner.execute("select datname, datacl::text from pg_database").fetchall())
    doors = databases.open_doors()
    assert {door.database for door in doors} == THEIRS
    assert {name for name in THEIRS if may_enter(slot, dbname=name)} == THEIRS
    assert before == dict(owner.execute("select datname, datacl::text from pg_database").fetchall())
    for door in doors:
        owner.execute(door.statement)
    assert databases.open_doors() == ()
    assert not any(may_enter(slot, dbname=name) for name in THEIRS)
    assert all(may_enter(slot, dbname=name, user="Bob", password="b") for name in THEIRS)
    assert may_enter(databases.prepare("wt-2", make_tree(tmp_path / "tree2")).environment["DATABASE_URL"])


def test_doctor_tells_the_doors_until_they_are_closed(tmp_path, databases, owner):
    place = make_place(tmp_path / "a project")
    dsn = make_conninfo(
        host=owner.info.host, port=owner.info.port, user="lender", password="a secret", dbname="postgres"
    )
    place.environment["AGENT_COORD_PG_DSN"] = dsn
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text().replace('"none"', '"dsn"', 1))
    place.json("init")

    def told() -> list[str]:
        return [one["mend"] for one in place.json("doctor")["findings"] if "PUBLIC may" in one["what"]]

    statements = [mend.partition(": ")[2] for mend in told()]
    assert len(statements) == len(THEIRS)
    for statement in statements:
        owner.execute(statement)
    assert told() == []
    place.json("cleanup", "--yes")


def test_what_a_slot_creates_is_closed_to_the_other_slots(tmp_path):
    tree = make_tree(tmp_path / "tree")
    with server(tmp_path / "ours") as databases:
        one, two = (databases.prepare(slot, tree).environment["DATABASE_URL"] for slot in ("wt-1", "wt-2"))
        with psycopg.connect(one, autocommit=True) as connection:
            connection.execute("create database test_meals")
        databases.tend()
        assert may_enter(one, dbname="test_meals")
        assert not may_enter(two, dbname="test_meals")
        assert databases.open_doors() == ()
