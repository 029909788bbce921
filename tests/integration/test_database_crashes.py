"""kill -9 in the middle of everything: the next command repairs, and nothing is left that nobody knows of."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from resources.databases.databases import open_databases
from resources.databases.local import LocalProvider
from resources.leaks.detect import Held, Inventory, Thing, detect
from resources.system.clock import wall
from resources.system.process import identify, is_alive
from tests.support.postgres import MIGRATE, OWNER, make_tree, server, settings

WORK = """
import sys
from pathlib import Path
from resources.databases.databases import open_databases
from tests.support.postgres import OWNER, settings
home, tree = Path(sys.argv[1]), Path(sys.argv[2])
with open_databases(settings(), home=home, project="Meal Planner", owner=OWNER) as databases:
    databases.start()
    print("begun", flush=True)
    while True:
        exec(sys.argv[3])
"""
ACTS = {
    "acquire": "databases.prepare('wt-2', tree); databases.tend(); databases.drop('wt-2')",
    "swap": "databases.reset('wt-1', tree); databases.tend()",
    "clone": "databases.reset('wt-1', tree)",
    "template": "databases.template(tree, rebuild=True)",
}
LINGER = "import time\nopen('../at', 'w')\nparent = os.getppid()\nwhile os.getppid() == parent: time.sleep(0.05)"
EXPECTED = {"postgres", "template0", "template1"}


@pytest.fixture
def home(tmp_path):
    return tmp_path / "a home"


@pytest.fixture
def tree(tmp_path):
    return make_tree(tmp_path / "tree")


def begin(home: Path, tree: Path, act: str) -> subprocess.Popen:
    root = Path(__file__).parents[2]
    argv = [sys.executable, "-c", WORK, str(home), str(tree), ACTS[act]]
    process = subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    return process


def admin(home: Path) -> Any:
    return LocalProvider(home, "auto").connect()


def is_busy(home: Path) -> bool:
    """Whether the session of a process that was killed is still at work: what it makes comes to light when it ends."""
    others = (
        "select 1 from pg_stat_activity"
        " where backend_type = 'client backend' and state = 'active' and pid <> pg_backend_pid()"
    )
    with admin(home) as connection:
        return bool(connection.execute(others).fetchall())


def count(database) -> int:
    with psycopg.connect(database.environment["DATABASE_URL"]) as connection:
        (row,) = connection.execute("select count(*) from meal").fetchall()
    return row[0]


def leaks(databases):
    """The leaks among what is on the server, were it a while later, with two slots in the ledger."""
    things = [
        Thing(one.kind, one.name, float(str(one.mark.get("at", 0))), {
            "slot": one.slot, "sessions": one.sessions, "mark": str(one.mark["kind"]), "found": one,
        })
        for one in databases.inventory()
    ]  # fmt: skip
    held = Held(slots=frozenset({"wt-1", "wt-2"}))
    return detect(Inventory(True, "", tuple(things)), held, wall() + 3600)


def all_is_well(home: Path, databases, tree: Path) -> None:
    for slot in ("wt-1", "wt-2"):
        assert count(databases.prepare(slot, tree)) == 2
    deadline = time.monotonic() + 30
    databases.tend()
    while (is_busy(home) or leaks(databases)) and time.monotonic() < deadline:
        time.sleep(0.05)
        databases.tend()
    assert [leak for leak in leaks(databases) if leak.kind != "half-made"] == []
    for leak in leaks(databases):
        databases.reclaim(leak.thing.facts["found"])
    assert leaks(databases) == ()
    with admin(home) as connection:
        there = {name for (name,) in connection.execute("select datname from pg_database")}
    found = databases.inventory()
    assert there - EXPECTED == {one.name for one in found if one.kind != "role"}, "nothing that no inventory lists"
    kinds = [one.kind for one in found]
    assert (kinds.count("database"), kinds.count("spare"), kinds.count("template")) == (2, 2, 1)


@pytest.mark.parametrize("act", ACTS)
def test_a_killed_process_leaves_nothing_that_the_next_does_not_repair(home, tree, act):
    chance = random.Random(act)
    with server(home) as databases:
        databases.prepare("wt-1", tree)
        for _ in range(3):
            process = begin(home, tree, act)
            time.sleep(chance.uniform(0, 0.4))  # the very point: a moment that nobody chose
            process.kill()
            process.communicate()
            all_is_well(home, databases, tree)


@pytest.mark.parametrize("act", ["swap", "acquire"])
def test_a_killed_server_comes_back_with_every_slot_served(home, tree, act):
    chance = random.Random(act)
    with server(home) as databases:
        databases.prepare("wt-1", tree)
        for _ in range(2):
            process = begin(home, tree, act)
            time.sleep(chance.uniform(0, 0.3))
            folder = LocalProvider(home, "auto").files()
            assert folder is not None
            gone = identify(int((folder / "postmaster.pid").read_text().split()[0]))
            os.kill(gone.pid, signal.SIGKILL)
            process.kill()
            process.communicate()
            while is_alive(gone):
                time.sleep(0.01)
            databases.close()
            all_is_well(home, databases, tree)


def test_a_slot_closed_by_a_reset_that_died_is_given_a_new_database(home, tree):
    with server(home, spares=0) as databases:
        database = databases.prepare("wt-1", tree)
        # As it stands after the first of the reset's two transactions.
        mark = f'{{"agent_coord": "{OWNER}", "kind": "retired", "slot": "wt-1", "at": "1"}}'
        with admin(home) as connection:
            connection.execute(f"alter database {database.name} allow_connections false")
            connection.execute(f"comment on database {database.name} is '{mark}'")
        assert count(databases.prepare("wt-1", tree)) == 2
        databases.tend()
        assert [one.kind for one in databases.inventory()].count("retired") == 0


def test_a_build_that_was_killed_is_dropped_and_built_again(home, tmp_path, tree):
    slow = (sys.executable, "-c", f"{MIGRATE[2]}\n{LINGER}")
    with server(home) as databases:
        root = Path(__file__).parents[2]
        text = WORK.replace("settings()", f"settings(migrate={slow!r})")
        argv = [sys.executable, "-c", text, str(home), str(tree), "databases.template(tree)"]
        process = subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE, start_new_session=True)
        deadline = time.monotonic() + 60
        while not (tmp_path / "at").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
        process.communicate()
        (left,) = [one for one in databases.inventory() if one.mark["kind"] == "build"]
        with open_databases(settings(migrate=(*slow[:2], MIGRATE[2])), home=home, project="m", owner=OWNER) as next_one:
            assert count(next_one.prepare("wt-1", tree)) == 2
        (leak,) = leaks(databases)
        assert (leak.name, leak.why) == (left.name, "making it was interrupted")
        databases.tend()
        assert leaks(databases) == ()


def test_files_of_a_clone_whose_backend_was_killed_are_found_and_removed(home, tmp_path):
    tree = make_tree(
        tmp_path / "big", m1="create table big as select repeat('x', 2000) t from generate_series(1, 30000);"
    )
    with server(home, spares=0) as databases:
        databases.prepare("wt-1", tree)
        cluster = LocalProvider(home, "auto").files()
        assert cluster is not None
        base = cluster / "base"
        before = set(base.iterdir())
        pids: list[int] = []

        def clone() -> None:
            with admin(home) as connection:
                pids.append(connection.info.backend_pid)
                template = next(one.name for one in databases.inventory() if one.kind == "template")
                with pytest.raises(psycopg.OperationalError):
                    connection.execute(f"create database half template {template} strategy file_copy")

        thread = threading.Thread(target=clone)
        thread.start()
        while not set(base.iterdir()) - before:
            time.sleep(0.001)
        os.kill(pids[0], signal.SIGKILL)
        thread.join()
        databases.close()
        (found,) = [one for one in databases.inventory() if one.kind == "half-made"]
        assert [leak.name for leak in leaks(databases)] == [found.name]
        databases.reclaim(found)
        assert set(base.iterdir()) == before
        assert databases.prepare("wt-1", tree)
