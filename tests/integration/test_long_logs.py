"""A program that prints more than its log may hold: the disk gets the middle back, and what matters is heard."""

import json
import sys
import time
from pathlib import Path

import pytest

from coordinator.agents import supervisor
from coordinator.agents.command import Command
from coordinator.agents.supervisor import Ended, Running, look
from coordinator.entrypoints.log_view import LogView
from coordinator.transcripts.activity import Ending
from resources.system.logs import BLOCK, cut_middle, free_middle
from tests.support.repos import PINNED
from tests.support.worlds import assignment

MB = 1_000_000
FIRST, LAST = {"type": "note", "session_id": "s-7", "text": "begun"}, {"type": "result", "result": "the last word"}
PRINTS = f"""
import json, pathlib, sys, time
go, size = pathlib.Path(sys.argv[1]), int(sys.argv[2])
print({json.dumps(json.dumps(FIRST))})
line = json.dumps({{"type": "note", "text": "x" * 980}}) + chr(10)
for _ in range(size // len(line)): sys.stdout.write(line)
sys.stdout.flush()
while not go.exists(): time.sleep(0.01)
print({json.dumps(json.dumps(LAST))}, end="")
"""


def begin(folder: Path, size: int, keep: int = 2 * MB) -> Running:
    told = assignment(folder)
    program = Command("loud", (sys.executable, "-c", PRINTS, str(folder / "go"), str(size)))
    return supervisor.start(program, told, program.launch(told), PINNED, folder / "x-1" / "1.log", keep)


def until_over(running: Running) -> Ended:
    while (ended := look(running, idle=60, timeout=60)) is None:
        time.sleep(0.02)
    return ended


def on_disk(file: Path) -> int:
    return file.stat().st_blocks * 512


def test_beginning_and_end_of_a_long_output_are_kept_and_heard(tmp_path: Path) -> None:
    running = begin(tmp_path, 100 * MB)
    (tmp_path / "go").touch()
    assert until_over(running).ending is Ending.DONE
    assert (running.session, running.last.text) == ("s-7", LAST["result"])
    assert running.log.stat().st_size < 2.1 * MB
    lines = running.log.read_text().splitlines()
    assert (json.loads(lines[0]), json.loads(lines[-1])) == (FIRST, LAST)
    (said,) = [line for line in lines if "left out" in line]
    assert said.startswith("(agent-coord left out 9"), "of 100 MB, 98"
    assert "log_mb" in said
    shown = list(LogView(tmp_path, "x-1", whole=False, colour=False).news(last=True))
    assert shown[0] == "[x-1 #1] begun"
    assert shown[-1] == f"[x-1 #1] {LAST['result']}"


def test_the_disk_gets_the_middle_back_while_the_program_prints(tmp_path: Path) -> None:
    probe = tmp_path / "probe"
    probe.write_bytes(b"x" * 4 * BLOCK)
    if not free_middle(probe, 0, 4 * BLOCK, ""):
        pytest.skip("the file system of the temporary folder cannot free a part of a file")
    running = begin(tmp_path, 40 * MB)
    while running.offset < 39.9 * MB:
        assert look(running, idle=60, timeout=60) is None
    assert running.log.stat().st_size > 39 * MB, "what was printed keeps its place"
    assert on_disk(running.log) < 5 * MB
    shown = [line for line in LogView(tmp_path, "x-1", whole=True, colour=False).news() if "left out" in line]
    assert len(shown) == 1
    # Another coordinator takes it over, and hears the beginning and the end.
    later = Running(running.assignment, running.adapter, running.process, running.log, 0.0, 0.0, keep=running.keep)
    later.started = later.heard = time.monotonic()
    (tmp_path / "go").touch()
    while running.child is not None and running.child.poll() is None:
        time.sleep(0.01)
    assert until_over(later).ending is Ending.DONE
    assert (later.session, later.last.text) == ("s-7", LAST["result"])
    assert "\0" not in later.log.read_text()


def test_one_look_takes_in_a_bounded_part(tmp_path: Path) -> None:
    running = begin(tmp_path, 40 * MB)
    while not running.log.exists() or running.log.stat().st_size < 30 * MB:
        time.sleep(0.01)
    look(running, idle=60, timeout=60)
    assert running.offset == supervisor.READ_AT_ONCE, "the beginning is always heard"
    look(running, idle=60, timeout=60)
    assert running.offset > 30 * MB - supervisor.BEHIND
    (tmp_path / "go").touch()
    until_over(running)


def test_only_the_output_of_this_run_is_cut(tmp_path: Path) -> None:
    log = tmp_path / "1.log"
    earlier = "earlier\n" * 1000
    log.write_text(earlier)
    assert cut_middle(log, len(earlier), 1000, "({bytes} left out)") == 0, "short"
    log.write_text(earlier + "".join(f"line {number}\n" for number in range(1000)))
    left = cut_middle(log, len(earlier), 1000, "({bytes} left out)")
    text = log.read_text()
    assert text.startswith(earlier + "line 0\n")
    assert text.endswith("line 999\n")
    assert f"\n({left} left out)\nline " in text
    assert cut_middle(tmp_path / "none", 0, 10, "") == 0
