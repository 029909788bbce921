"""A server of our own: several processes start it at once, it crashes, the system goes down under it."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from resources.databases.cluster import SOCKET_FOLDER_LIMIT, server_folder, socket_folder, torn
from resources.databases.databases import open_databases
from resources.databases.local import LocalProvider
from resources.databases.place import discard_cluster, left_outside
from resources.monitor.watched import server_processes
from resources.system.process import identify, is_alive
from tests.support.postgres import OWNER, make_tree, require, server, settings

LONG_AGO = "an earlier boot"


@pytest.fixture
def tree(tmp_path):
    return make_tree(tmp_path / "tree")


def connect(database):
    return psycopg.connect(database.environment["DATABASE_URL"])


def _prepare_in_a_process(home: Path, tree: Path, slot: str) -> str:
    with open_databases(settings(), home=home, project="Meal Planner", owner=OWNER) as databases:
        database = databases.prepare(slot, tree)
        with connect(database) as connection:
            assert connection.execute("select count(*) from meal").fetchone() == (2,)
        return database.name


def test_processes_that_start_the_server_at_once_share_it_and_one_template(tmp_path, tree):
    require("auto")
    home = tmp_path / "fresh home"
    slots = [f"wt-{number}" for number in range(4)]
    try:
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            names = pool.starmap(_prepare_in_a_process, [(home, tree, slot) for slot in slots])
        assert len(set(names)) == 4
        with open_databases(settings(), home=home, project="Meal Planner", owner=OWNER) as databases:
            assert [found.kind for found in databases.inventory()].count("template") == 1
    finally:
        LocalProvider(home, "auto").stop()


def crash(home: Path, how: signal.Signals) -> None:
    """End the server of `home` without an orderly stop: KILL as the kernel does when memory runs out, or QUIT."""
    note = json.loads((home / "cluster.json").read_text())
    pid = int((Path(note["folder"]) / "postmaster.pid").read_text().split()[0])
    gone = identify(pid)
    os.kill(pid, how)
    while is_alive(gone):
        time.sleep(0.01)


def test_after_a_crash_the_slots_are_as_they_were(tmp_path, tree):
    with server(tmp_path / "home") as databases:
        database = databases.prepare("wt-1", tree)
        with connect(database) as connection:
            connection.execute("insert into meal values (3, 'stew')")
        # Our own work is flushed at once and takes along what was committed before.
        databases.prepare("wt-2", tree)
        databases.close()
        crash(tmp_path / "home", signal.SIGKILL)
        again = databases.prepare("wt-1", tree)
        assert again == database
        with connect(again) as connection:
            assert connection.execute("select count(*) from meal").fetchone() == (3,)


def test_a_pid_file_that_names_a_stranger_does_not_keep_the_server_from_starting(tmp_path, tree):
    with server(tmp_path / "home") as databases:
        databases.stop()
        pid_file = tmp_path / "home" / "cluster" / "postmaster.pid"
        if not pid_file.parent.is_dir():
            pytest.skip("the cluster lies elsewhere, for this user may not run it in place")
        pid_file.write_text(f"{os.getppid()}\n{pid_file.parent}\n1\n5432\n\n")
        assert databases.prepare("wt-1", tree).name == "meal_planner_wt_1"


def test_a_cluster_that_was_running_when_the_system_went_down_is_made_anew(tmp_path, tree):
    home = tmp_path / "home"
    with server(home) as databases:
        databases.prepare("wt-1", tree)
        crash(home, signal.SIGQUIT)
        note = json.loads((home / "cluster.json").read_text())
        (home / "cluster.json").write_text(json.dumps({**note, "boot": LONG_AGO}))
        databases.start()
        assert databases.inventory() == ()
        with connect(databases.prepare("wt-1", tree)) as connection:
            assert connection.execute("select count(*) from meal").fetchone() == (2,)


def test_only_an_unclean_stop_before_another_boot_tears_a_cluster():
    assert torn(orderly=False, boot_at_start=LONG_AGO, boot_now="now")
    assert not torn(orderly=True, boot_at_start=LONG_AGO, boot_now="now")
    assert not torn(orderly=False, boot_at_start="now", boot_now="now")


def test_the_socket_folder_is_short_whatever_the_home(tmp_path):
    for home in (tmp_path, Path("/x" * 100), Path("/with space"), Path("/with,comma")):
        folder = str(socket_folder(home, 1000))
        assert len(folder.encode()) <= SOCKET_FOLDER_LIMIT
        assert " " not in folder
        assert "," not in folder


def listening(home: Path) -> set[int]:
    (served,) = server_processes(home)
    sockets = psutil.Process(served.pid).net_connections("inet")
    return {one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN}


def test_it_listens_on_tcp_only_when_asked_and_slots_follow(tmp_path, tree):
    home = tmp_path / "by tcp"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with server(home) as databases:
        before = databases.prepare("wt-1", tree)
        assert listening(home) == set()
        assert before.environment["PGHOST"].startswith("/")
        databases.stop()
        with open_databases(settings(tcp_port=port), home=home, project="Meal Planner", owner=OWNER) as asked:
            asked.start()
            assert listening(home) == {port}
            known = asked.of("wt-1")
            assert known is not None
            assert (known.environment["PGHOST"], known.environment["PGPORT"]) == ("127.0.0.1", str(port))
            with connect(known) as connection:
                assert connection.execute("select count(*) from meal").fetchone() == (2,)
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(known.environment["DATABASE_URL"], password="guess")
            asked.stop()
        with connect(databases.prepare("wt-1", tree)):
            assert databases.of("wt-1") == before
            assert listening(home) == set()


needs_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("setpriv"),
    reason="only root on Linux, with setpriv, can hand a server to another user",
)


@needs_root
def test_where_root_may_not_use_namespaces_another_user_runs_it_and_nothing_stays_outside(tmp_path, tree, monkeypatch):
    # Where the kernel forbids them unshare fails; a PATH without it is how that can be had on any machine.
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "setpriv", "sh", "test", "true"):
        (programs / name).symlink_to(str(shutil.which(name)))
    home = tmp_path / "for another user"
    with server(home) as databases:
        databases.stop()
        discard_cluster(home)
        monkeypatch.setenv("PATH", str(programs))
        databases.start()
        (served,) = server_processes(home)
        assert psutil.Process(served.pid).username() != "root"
        with connect(databases.prepare("wt-1", tree)) as connection:
            assert connection.execute("select count(*) from meal").fetchone() == (2,)
        databases.stop()
        outside = server_folder(home)
        assert outside.is_dir()
        assert list(left_outside(tmp_path)) == []
        (home / "cluster.json").unlink()
        assert list(left_outside(tmp_path)) == [outside]
        discard_cluster(home)
        assert not outside.exists()
