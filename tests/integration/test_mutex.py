"""Programs that exclude each other on one machine: real processes."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.projects import Place, make_place

# Fails when another one is inside; a folder can be made once only.
ALONE = "import os, sys, time; os.mkdir(sys.argv[1]); time.sleep(0.2); os.rmdir(sys.argv[1])"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = make_place(tmp_path / "a project")
    made.environment = {"XDG_STATE_HOME": str(tmp_path / "state")}
    made.json("init", "--slots", "1")
    return made


def start(place: Place, *argv: str, options: tuple[str, ...] = ()):
    return place.start("mutex", "run", *options, "--", sys.executable, "-c", *argv)


def test_they_run_one_after_the_other_in_all_repositories(place: Place, tmp_path: Path) -> None:
    other = make_place(tmp_path / "another")
    other.environment = place.environment
    other.json("init", "--slots", "1")
    inside = str(tmp_path / "inside")
    started = [start(each, ALONE, inside) for each in (place, other, place, other)]
    ended = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, ended


def test_exit_code_output_and_options_are_the_programs_own(place: Place) -> None:
    process = start(place, "import sys; print(sys.argv[1:]); sys.exit(7)", "--json", "--verbose")
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (7, "['--json', '--verbose']\n")
    assert place.run("mutex", "run", "--name", "../x", "--", "true").returncode == 2
    assert place.run("mutex", "run", "--", "no-such-program-anywhere").returncode == 1


def test_it_stays_taken_while_the_program_runs_whoever_is_killed(place: Place, tmp_path: Path) -> None:
    held = tmp_path / "held"
    program = f"import pathlib, sys; pathlib.Path({str(held)!r}).write_text(str(__import__('os').getpid())); "
    first = start(place, program + "__import__('time').sleep(60)")
    place.until(lambda _: held.exists() and held.read_text() != "")
    first.send_signal(signal.SIGKILL)
    first.wait()  # the program has its pipes still
    waiting = place.start("mutex", "run", "--wait", "60", "--", "true")
    refused = place.run("mutex", "run", "--wait", "2", "--", "true")
    assert refused.returncode == 4
    assert f"(pid {first.pid})" in refused.stderr
    assert len(place.events("mutex.refused")) == 1
    os.kill(int(held.read_text()), signal.SIGKILL)
    waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    (waited,) = place.events("mutex.waited")
    assert waited["data"]["seconds"] > 0
    first.communicate()
