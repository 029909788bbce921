"""What every source of databases keeps: system binaries, the wheel's, a server known by DSN alone, a container."""

from __future__ import annotations

import psycopg
import pytest

from resources.databases.databases import open_databases
from resources.system.errors import Failure
from tests.support.postgres import OWNER, by_container, by_dsn, isolated, make_tree, server, settings

PROVIDERS = [
    "local-system",
    "isolated-system",
    "local-embedded",
    "dsn-system",
    "dsn-embedded",
    pytest.param("container-", marks=pytest.mark.real),
]


@pytest.fixture(scope="module", params=PROVIDERS)
def databases(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("a home") / "postgres"
    kind, _, binaries = request.param.partition("-")
    ways = {"local": server, "isolated": isolated, "dsn": by_dsn, "container": lambda home, _: by_container(home)}
    with ways[kind](home, binaries) as opened:
        yield opened


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return make_tree(tmp_path_factory.mktemp("repository") / "tree")


def names(database) -> list[str]:
    with psycopg.connect(database.environment["DATABASE_URL"]) as connection:
        return [name for (name,) in connection.execute("select name from meal order by id")]


def test_a_slot_gets_a_migrated_database_of_its_own_name(databases, tree):
    assert databases.probe() is None
    database = databases.prepare("wt-1", tree)
    assert (database.name, database.role) == ("meal_planner_wt_1", "meal_planner_wt_1")
    assert names(database) == ["soup", "rice"]


def test_the_separate_variables_lead_to_the_same_database(databases, tree):
    seen = databases.prepare("wt-1", tree).environment
    with psycopg.connect(
        host=seen["PGHOST"],
        port=seen["PGPORT"],
        dbname=seen["PGDATABASE"],
        user=seen["PGUSER"],
        password=seen["PGPASSWORD"],
    ) as connection:
        assert connection.execute("select current_database(), current_user").fetchone() == (
            seen["PGDATABASE"],
            seen["PGUSER"],
        )


def test_a_slot_may_change_what_migrations_made(databases, tree):
    database = databases.reset("wt-1", tree)
    with psycopg.connect(database.environment["DATABASE_URL"]) as connection:
        connection.execute("alter table meal add column price int")
        connection.execute("truncate meal")
        connection.execute("create table course (meal int references meal)")


def test_prepare_keeps_what_is_there_and_reset_does_not(databases, tree):
    database = databases.reset("wt-1", tree)
    with psycopg.connect(database.environment["DATABASE_URL"]) as connection:
        connection.execute("delete from meal where id = 1")
    assert names(databases.prepare("wt-1", tree)) == ["rice"]
    assert names(databases.reset("wt-1", tree)) == ["soup", "rice"]


def test_a_reset_ends_the_sessions_of_the_slot(databases, tree):
    database = databases.prepare("wt-1", tree)
    with psycopg.connect(database.environment["DATABASE_URL"], autocommit=True) as left_open:
        databases.reset("wt-1", tree)
        with pytest.raises(psycopg.OperationalError):
            left_open.execute("select 1")


def test_one_slot_cannot_connect_to_another(databases, tree):
    one, two = databases.prepare("wt-1", tree), databases.prepare("wt-2", tree)
    for place in (two.name, *(("postgres", "template1") if databases.server().owned else ())):
        # On a server of its own a slot does not even see the other's.
        with pytest.raises(psycopg.OperationalError, match=r"permission denied|does not exist"):
            psycopg.connect(one.environment["DATABASE_URL"], dbname=place)


def test_a_wrong_password_is_refused(databases, tree):
    database = databases.prepare("wt-1", tree)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(database.environment["DATABASE_URL"], password="guess")


def test_the_slot_is_known_without_the_server_until_it_is_dropped(databases, tree):
    database = databases.prepare("wt-3", tree)
    assert databases.of("wt-3") == database
    databases.drop("wt-3")
    databases.drop("wt-3")
    assert databases.of("wt-3") is None
    assert [found for found in databases.inventory() if found.slot == "wt-3"] == []


def test_databases_that_a_slot_creates_go_with_it(databases, tree):
    database = databases.prepare("wt-4", tree)
    with psycopg.connect(database.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("create database test_meals_gw0")
    names = {found.name for found in databases.inventory() if found.slot == "wt-4"}
    assert names & {"test_meals_gw0", "servers/wt-4"}
    databases.drop("wt-4")
    assert "test_meals_gw0" not in {found.name for found in databases.inventory()}
    with psycopg.connect(databases.prepare("wt-1", tree).environment["DATABASE_URL"]) as connection:
        assert connection.execute("select 1 from pg_database where datname = 'test_meals_gw0'").fetchone() is None


def test_a_new_database_tells_where_it_came_from_and_a_standing_one_does_not(databases, tree):
    assert databases.prepare("wt-7", tree).source in ("spare", "clone", "migrate")
    assert databases.prepare("wt-7", tree).source == ""
    assert databases.reset("wt-7", tree).source in ("spare", "clone")
    databases.drop("wt-7")


def test_usage_counts_connections_by_database(databases, tree):
    database = databases.prepare("wt-1", tree)
    with psycopg.connect(database.environment["DATABASE_URL"]), psycopg.connect(database.environment["DATABASE_URL"]):
        usage = databases.usage()
    assert usage.per_database[database.name] == 2
    assert usage.total >= 2
    assert sum(usage.states.values()) == usage.total
    assert databases.sizes()["database"] > 1_000_000
    assert usage.usable > 10


def test_the_password_is_in_no_printed_value(databases, tree):
    database = databases.prepare("wt-5", tree)
    assert database.environment["PGPASSWORD"] not in repr(database)
    databases.drop("wt-5")


def test_stop_is_for_servers_of_our_own(databases, tree):
    if databases.server().owned:
        databases.prepare("wt-1", tree)
        databases.stop()
        databases.stop()
        assert names(databases.prepare("wt-1", tree))[-1] == "rice"
    else:
        with pytest.raises(Failure, match="not ours"):
            databases.stop()


@pytest.mark.parametrize(
    "dsn", ["postgresql://db.example.org/x", "host=localhost,10.0.0.9", "hostaddr=10.0.0.9", "service=far"]
)
def test_a_remote_dsn_is_refused_before_it_is_dialled(dsn, tmp_path):
    databases = open_databases(settings(provider="dsn", dsn=dsn), home=tmp_path, project="p", owner=OWNER)
    assert "not this machine" in str(databases.probe())
    with pytest.raises(Failure) as caught:
        databases.start()
    assert caught.value.reference == "dsn-remote"


def test_a_dsn_that_cannot_be_read_does_not_show_its_password(tmp_path):
    databases = open_databases(
        settings(provider="dsn", dsn="postgresql://me:hush@[bad/x"), home=tmp_path, project="p", owner=OWNER
    )
    with pytest.raises(Failure) as caught:
        databases.start()
    assert "hush" not in caught.value.render()


def test_missing_binaries_name_the_extra_to_install(tmp_path):
    databases = open_databases(settings(binaries=str(tmp_path)), home=tmp_path / "h", project="p", owner=OWNER)
    assert str(tmp_path) in str(databases.probe())
    with pytest.raises(Failure) as caught:
        databases.start()
    assert caught.value.reference == "postgres-missing"
    assert "agent-coord[embedded]" in caught.value.mend


def test_databases_can_be_turned_off(tmp_path):
    databases = open_databases(settings(provider="none"), home=tmp_path, project="p", owner=OWNER)
    assert "off" in str(databases.probe())


def test_what_is_dissolved_leaves_nothing_and_can_be_made_again(databases, tree):
    databases.prepare("wt-1", tree)
    databases.dissolve()
    databases.dissolve()
    assert databases.inventory() == ()
    assert names(databases.prepare("wt-1", tree)) == ["soup", "rice"]
