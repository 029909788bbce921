"""The daemon as a process, its tick, and the command around it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coordinator.status import read_status
from resources.leaks import daemon
from resources.leaks.daemon_lock import daemon_process
from resources.monitor.sample import STALE, current_levels, read_sample, sample_file
from resources.settings import CONFIG, ResourceSettings
from resources.system.clock import iso, wall
from resources.system.errors import Failure, NotNow
from resources.system.git import git
from resources.system.process import is_alive
from tests.support import watched as build

LAUNCHER = Path(__file__).parents[2] / "agent_coord.py"


@pytest.fixture
def repository(tmp_path):
    found = build.make_repository(tmp_path / "a project")
    yield found
    daemon.stop(found)


def configure(repository, text):
    file = repository.root / CONFIG
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def command(repository, *arguments):
    argv = [sys.executable, str(LAUNCHER), "resource-monitor", *arguments]
    return subprocess.run(argv, cwd=repository.root, capture_output=True, text=True, timeout=60)


def sample_of(repository):
    found = read_sample(repository)
    assert found is not None
    return found


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_it_starts_once_survives_being_killed_and_stops(repository):
    first = daemon.start(repository)
    wait_for(lambda: read_sample(repository))
    with pytest.raises(NotNow) as refusal:
        daemon.start(repository)
    assert refusal.value.reference == "daemon-runs"
    assert str(first.pid) in refusal.value.what

    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(first))
    assert daemon_process(repository) is None

    second = daemon.start(repository)
    assert daemon_process(repository) == second
    assert read_status(repository)["daemon"] == {"pid": second.pid}
    assert daemon.stop(repository)
    assert not is_alive(second)
    assert not daemon.stop(repository)


def test_a_tick_writes_sample_metrics_and_events(repository):
    configure(repository, "[limits]\nmemory_warn = 0.0\n")
    git(repository.root, "branch", "agent/pool-wt-4/bd-9/1")
    watcher = daemon.Daemon(repository)
    watcher.tick()
    watcher.tick()

    sample = sample_of(repository)
    assert sample["level"] == "warn"
    assert sample["leaks"] == 1
    text = daemon.metrics_file(repository).read_text()
    with build.watched(repository, ResourceSettings()) as ground, ground.ledger.read() as snapshot:
        kinds = [row["kind"] for row in snapshot.all("events-newest", count=9)]
    assert f'agent_coord_limit_level{{project="{ground.project}",resource="memory"}} 1' in text
    assert f'agent_coord_leaks{{project="{ground.project}",kind="branch"}} 1' in text
    assert sorted(kinds) == ["leak.condemned", "limit.warn"]


def test_a_tick_outlives_what_it_watches(repository, capsys):
    configure(repository, '[database]\nprovider = "dsn"\ndsn = "host=/nowhere dbname=postgres"\n')
    (repository.state / "postgres").mkdir()
    watcher = daemon.Daemon(repository)
    watcher.tick()
    sample = sample_of(repository)
    assert sample["leaks"] is None
    assert "database connections" in sample["usage"]["unknown"][0]

    configure(repository, "[limits]\nmemory_wran = 1\n")
    assert watcher.tick() is None
    assert watcher.tick() is None
    configure(repository, "")
    assert watcher.tick() is not None
    told = capsys.readouterr().err
    assert told.count("memory_wran") == 1
    assert "works again" in told


def test_levels_come_from_a_young_sample_and_are_taken_anew_without_one(repository):
    configure(repository, "[limits]\nmemory_critical = 0.0\n")
    daemon.Daemon(repository).tick()
    configure(repository, "")

    def memory(**options):
        return {reading.resource: reading.level for reading in current_levels(repository, **options)}["memory"]

    assert memory() == "critical"
    assert memory(fresh=True) == "ok"
    sample = {**sample_of(repository), "at": iso(wall() - STALE - 1)}
    sample_file(repository).write_text(json.dumps(sample))
    assert memory() == "ok"
    assert sample_of(repository)["holds"] < STALE, "who measured keeps it for the next, briefly"
    sample_file(repository).write_text("{ torn")
    assert memory() == "ok"


@pytest.mark.parametrize(
    ("limits", "code", "level"),
    [("", 0, "ok"), ("[limits]\nmemory_warn = 0.0\n", 1, "warn"), ("[limits]\nmemory_critical = 0.0\n", 4, "critical")],
)
def test_check_answers_with_its_exit_code(repository, limits, code, level):
    configure(repository, limits)
    done = command(repository, "check", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["level"]) == (code, level)
    assert {"resource", "value", "warn", "critical", "level"} <= answer["limits"][0].keys()


def test_leaks_through_the_command(repository):
    git(repository.root, "branch", "agent/pool-wt-4/bd-9/1")
    answer = json.loads(command(repository, "--json", "detect-leaks").stdout)
    assert (answer["schema"], answer["complete"]) == (1, True)
    (leak,) = answer["leaks"]
    assert leak.keys() == {"kind", "name", "why", "age", "since", "action", "condemned_at"}

    assert "agent/pool-wt-4/bd-9/1" in command(repository, "cleanup-leaks").stdout
    done = command(repository, "cleanup-leaks", "--yes", "--now", "--json")
    assert [leak["result"] for leak in json.loads(done.stdout)["leaks"]] == ["reclaimed"]
    assert command(repository, "detect-leaks").stdout == "no leaks\n"


def test_errors_name_the_way_out(tmp_path, repository):
    nowhere = command(repository, "check", "--json", "--repo", str(tmp_path))
    assert nowhere.returncode == 1
    assert json.loads(nowhere.stdout)["error"]["reference"] == "not-a-repository"
    assert "mend:" in nowhere.stderr
    assert command(repository, "chekc").returncode == 2
    configure(repository, "[limits]\nmemory_wran = 1\n")
    done = command(repository, "start")
    assert (done.returncode, "memory_warn" in done.stderr) == (1, True)


def test_a_daemon_that_cannot_start_says_why(repository):
    configure(repository, "[limits]\nmemory_wran = 1\n")
    with pytest.raises(Failure) as failure:
        daemon.start(repository)
    assert failure.value.reference == "daemon-not-started"
    assert "memory_warn" in failure.value.why


def test_the_unit_quotes_what_systemd_would_split(repository):
    unit = daemon.systemd_unit(repository)
    assert f'"{repository.root}"' in unit
    assert "Restart=on-failure" in unit
