"""The daemon loses what it watches: the database server, the ledger's disk, a slot, its own life."""

import json
import os
import shutil
import signal
import time

import pytest

from resources.leaks import daemon
from resources.leaks.daemon_lock import daemon_process
from resources.monitor.sample import read_sample
from resources.monitor.watched import server_processes, watch
from resources.settings import CONFIG, PoolSettings
from resources.system.process import is_alive
from resources.worktrees.pool import Pool
from tests.support import watched as build
from tests.support.disks import small_disk
from tests.support.postgres import require

FAST = "[limits]\ntick_seconds = 0.1\n"


@pytest.fixture
def repository(tmp_path):
    found = build.make_repository(tmp_path / "a project")
    configure(found, FAST)
    yield found
    daemon.stop(found)


def configure(repository, text):
    (repository.root / CONFIG).parent.mkdir(exist_ok=True)
    (repository.root / CONFIG).write_text(text)


def usage_until(repository, wanted):
    """The usage of the first sample from now on that is as wanted."""
    before = (read_sample(repository) or {}).get("at")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        sample = read_sample(repository)
        if sample and sample["at"] != before and wanted(sample["usage"]):
            return sample["usage"]
        time.sleep(0.02)
    raise AssertionError(f"still {read_sample(repository)}")


def test_it_outlives_a_killed_server_and_brings_it_back(repository):
    require("auto")
    (repository.state / "postgres").mkdir()
    with watch(repository, wake=True) as watched:
        databases = watched.databases
        assert databases is not None
        databases.start()
        try:
            mine = daemon.start(repository)
            usage_until(repository, lambda usage: usage["connections_total"] is not None)
            (server,) = server_processes(repository.state / "postgres")
            os.kill(server.pid, signal.SIGKILL)
            deadline = time.monotonic() + 60
            while not set(server_processes(repository.state / "postgres")) - {server}:
                assert time.monotonic() < deadline, "the server is still down"
                time.sleep(0.02)
            usage_until(repository, lambda usage: usage["connections_total"] is not None)
            databases.stop()
            usage_until(repository, lambda usage: usage["connections_total"] is None)
            assert daemon_process(repository) == mine
        finally:
            databases.stop()


def test_it_outlives_a_full_disk_under_ledger_and_log(tmp_path, repository):
    state, aside = repository.state, tmp_path / "aside"
    state.rename(aside)
    with small_disk(state, "8m") as disk:
        shutil.copytree(aside, state, dirs_exist_ok=True)
        mine = daemon.start(repository)
        try:
            usage_until(repository, lambda usage: True)
            disk.fill()
            last = (read_sample(repository) or {})["at"]
            stuck = time.monotonic() + 1.0
            while time.monotonic() < stuck:  # ten ticks in which nothing can be written
                assert is_alive(mine)
                time.sleep(0.05)
            disk.free()
            usage_until(repository, lambda usage: True)
            assert (read_sample(repository) or {})["at"] > last
            assert daemon_process(repository) == mine
        finally:
            daemon.stop(repository)


def test_a_tick_outlives_a_ledger_that_cannot_be_written(tmp_path, repository, capsys):
    state, aside = repository.state, tmp_path / "aside"
    state.rename(aside)
    with small_disk(state, "8m") as disk:
        shutil.copytree(aside, state, dirs_exist_ok=True)
        watcher = daemon.Daemon(repository)
        assert watcher.tick() is not None
        disk.writable(False)
        assert watcher.tick() is None
        assert watcher.tick() is None
        disk.writable(True)
        assert watcher.tick() is not None
    told = capsys.readouterr().err
    assert told.count("cannot be written") == 1
    assert "works again" in told


def test_a_tick_outlives_slots_that_are_deleted_renamed_or_emptied(repository, capsys):
    with build.watched(repository, daemon_settings := watch_settings(repository)) as ground:
        pool = Pool(repository, ground.ledger, daemon_settings.pool, None)
        slots = pool.grow(3)
    shutil.rmtree(slots[0].path)
    slots[1].path.rename(slots[1].path.parent / "elsewhere")
    (slots[2].path / ".git").unlink()
    watcher = daemon.Daemon(repository)
    sample = watcher.tick()
    assert sample is not None
    assert sample["leaks"] == 1, "the renamed one"
    assert sample["usage"]["slots"] == {"idle": 3}
    assert capsys.readouterr().err == ""


def watch_settings(repository):
    from dataclasses import replace

    from resources.settings import read_settings

    return replace(read_settings(repository), pool=PoolSettings(copy=(), minimum=1, port_base=47000))


def test_kill_9_in_the_middle_of_a_sweep_is_made_good_by_the_next_daemon(repository):
    configure(repository, FAST + "condemned_seconds = 0\n")
    leaked = [build.orphan(f"{build_project(repository)}:99") for _ in range(2)]
    try:
        for _ in range(5):
            mine = daemon.start(repository)
            os.kill(mine.pid, signal.SIGKILL)
            while is_alive(mine):
                time.sleep(0.005)
        daemon.start(repository)
        deadline = time.monotonic() + 30
        while any(is_alive(one.id) for one in leaked):
            assert time.monotonic() < deadline, "the leaks stayed"
            time.sleep(0.02)
        usage_until(repository, lambda usage: True)
        text = (repository.state / "sample.json").read_text()
        assert json.loads(text)["schema"] == 1
    finally:
        for one in leaked:
            build.end(one)


def build_project(repository):
    with watch(repository) as watched:
        return watched.project
