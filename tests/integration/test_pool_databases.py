"""Slots with a database each, on a real server."""

import psycopg
import pytest

from tests.support.pools import FILES, make_pool
from tests.support.postgres import FIRST, server
from tests.support.repos import commit

MORE = "create table menu (day int);\n"


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    with server(tmp_path_factory.mktemp("server")) as databases:
        yield databases


def ask(held, query):
    with psycopg.connect(held.environment["DATABASE_URL"]) as connection:
        return connection.execute(query).fetchall()


def test_a_tenant_gets_a_fresh_database_that_fits_the_base(tmp_path, databases):
    yard = make_pool(tmp_path, 2, files=FILES | {"migrations/m1.sql": FIRST}, databases=databases)
    one = yard.pool.acquire("demo-1", "ada", base=yard.head)
    two = yard.pool.acquire("demo-2", "bob", base=yard.head)
    assert one.slot.database != two.slot.database
    with psycopg.connect(one.environment["DATABASE_URL"]) as connection:
        connection.execute("delete from meal")
    assert ask(two, "select count(*) from meal") == [(2,)]

    yard.pool.release(one.lease)
    tip = commit(yard.root, {"migrations/m2.sql": MORE}, "a second table")
    again = yard.pool.acquire("demo-3", "cy", base=tip, prefer=one.slot.name)
    assert (again.slot.name, ask(again, "select count(*) from meal")) == (one.slot.name, [(2,)])
    assert ask(again, "select count(*) from menu") == [(0,)]

    yard.pool.release(again.lease)
    yard.pool.release(two.lease)
    assert yard.pool.remove_all() == ["pool-wt-2", "pool-wt-1"]
    assert {found.slot for found in databases.inventory()} & {"pool-wt-1", "pool-wt-2"} == set()
