"""Slots with a database each, on a real server."""

import json
import os
import signal
import time

import psycopg
import pytest

from resources.monitor.watched import server_processes
from resources.system.process import is_alive
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


@pytest.mark.parametrize("loss", ["stopped", "torn"])
def test_whoever_takes_a_slot_finds_its_server_at_work(tmp_path, loss):
    with server(tmp_path / "server") as databases:
        yard = make_pool(tmp_path, 2, files=FILES | {"migrations/m1.sql": FIRST}, databases=databases)
        if loss == "torn":
            note = tmp_path / "server" / "cluster.json"
            (served,) = server_processes(tmp_path / "server")
            os.kill(served.pid, signal.SIGQUIT)
            while is_alive(served):
                time.sleep(0.01)
            note.write_text(json.dumps({**json.loads(note.read_text()), "boot": "an earlier boot"}))
        else:
            databases.stop()
        for issue in ("demo-1", "demo-2"):
            held = yard.pool.acquire(issue, "ada", base=yard.head)
            assert ask(held, "select count(*) from meal") == [(2,)]
