"""A server for every slot: nothing shared, built once, gone with its slot."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg
import pytest

from resources.databases.local import LocalProvider
from resources.databases.place import read_place
from resources.monitor.watched import server_processes
from resources.system.files import file_lock
from tests.support.postgres import MIGRATE, isolated, make_tree

COUNTED = (sys.executable, "-c", f"open('../runs', 'a').write('.')\n{MIGRATE[2]}")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("own servers") / "postgres"


@pytest.fixture(scope="module")
def databases(home):
    with isolated(home, "auto") as opened:
        yield opened


@pytest.fixture
def tree(tmp_path):
    return make_tree(tmp_path / "tree")


def connect(database, **changes):
    return psycopg.connect(database.environment["DATABASE_URL"], autocommit=True, **changes)


def test_two_slots_may_use_the_same_names_and_share_no_limit(databases, tree):
    one, two = databases.prepare("wt-1", tree), databases.prepare("wt-2", tree)
    for database in (one, two):
        with connect(database) as connection:
            connection.execute("create database hard_coded")
            limit = connection.execute("select rolconnlimit from pg_roles where rolname = current_user").fetchone()[0]
            assert limit > 100
    assert one.environment["PGHOST"] != two.environment["PGHOST"]


def test_the_migrations_run_once_for_all_slots_and_again_when_they_change(tmp_path, tree):
    with isolated(tmp_path / "counted", "auto", migrate=COUNTED) as databases:
        for slot in ("wt-3", "wt-4", "wt-3"):
            databases.reset(slot, tree)
        assert (tmp_path / "runs").read_text() == "."
        (tree / "migrations" / "m2.sql").write_text("create table later (id int);\n")
        for slot in ("wt-3", "wt-4"):
            with connect(databases.prepare(slot, tree)) as connection:
                assert connection.execute("select count(*) from later").fetchone() == (0,)
        assert (tmp_path / "runs").read_text() == ".."


def test_a_slot_takes_its_server_along(home, databases, tree):
    database = databases.prepare("wt-5", tree)
    place = read_place(home / "servers" / "wt-5")
    assert place is not None
    before = len(server_processes(home))
    (found,) = [found for found in databases.inventory() if found.slot == "wt-5"]
    assert (found.kind, found.sessions) == ("server", 0)
    with connect(database):
        assert [found.sessions for found in databases.inventory() if found.slot == "wt-5"] == [1]
    databases.reclaim(found)
    assert len(server_processes(home)) == before - 1
    assert not (home / "servers" / "wt-5").exists()
    assert not Path(place.folder).exists()


def test_a_copy_that_was_cut_short_is_made_anew(home, databases, tree):
    databases.prepare("wt-6", tree)
    databases.drop("wt-6")
    half = home / "servers" / "wt-6"
    (half / "cluster.making" / "base").mkdir(parents=True)
    with connect(databases.prepare("wt-6", tree)) as connection:
        assert connection.execute("select count(*) from meal").fetchone() == (2,)
    assert not (half / "cluster.making").exists()


def test_a_leak_of_a_sleeping_server_is_seen_without_waking_any(tmp_path, tree):
    with isolated(tmp_path / "sleeping", "auto") as databases:
        databases.prepare("wt-7", tree)
        databases.stop()
        assert (databases.asleep, databases.listing_wakes) == (True, False)
        assert [found.slot for found in databases.inventory()] == ["wt-7"]
        assert databases.asleep


def test_a_golden_cluster_that_somebody_builds_in_is_not_listed(home, databases, tree):
    golden = LocalProvider(home / "golden", "auto")
    golden.start()
    with file_lock(home / "golden.lock", what="the golden cluster", wait=5):
        assert "golden" not in {found.name for found in databases.inventory()}
    (found,) = [found for found in databases.inventory() if found.name == "golden"]
    databases.reclaim(found)
    assert golden.asleep()
    assert read_place(home / "golden") is not None
