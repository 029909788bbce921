"""Processes in a line are served in the order of coming, and one that dies in it holds up nobody."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from resources.system.line import Line

pytestmark = pytest.mark.skipif(not hasattr(fcntl, "F_OFD_SETLKW"), reason="the kernel has no locks of open files")

STANDING = """
import sys
from pathlib import Path
from resources.system.line import Line
with Line(Path(sys.argv[1])).stand(), open(sys.argv[2], "a") as served:
    served.write(sys.argv[3])
"""


class Hall:
    """Who comes, and in which order they were served."""

    def __init__(self, folder: Path) -> None:
        self.line, self.served = folder / "line", folder / "served"
        self.served.touch()
        self.people: dict[str, subprocess.Popen[bytes]] = {}

    def come(self, name: str) -> None:
        drawn = self.line.read_bytes()
        command = [sys.executable, "-c", STANDING, str(self.line), str(self.served), name]
        self.people[name] = subprocess.Popen(command)
        until(lambda: self.line.read_bytes() != drawn)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def hall(tmp_path: Path) -> Generator[Hall]:
    hall = Hall(tmp_path)
    yield hall
    for one in hall.people.values():
        one.kill()
        one.wait()


def test_everybody_is_served_in_the_order_of_coming(hall: Hall) -> None:
    with Line(hall.line).stand():
        for name in "abcd":
            hall.come(name)
        assert not hall.served.read_text(), "nobody goes before who came first"
    assert [hall.people[name].wait(60) for name in "abcd"] == [0] * 4
    assert hall.served.read_text() == "abcd"


def test_the_dead_hold_up_nobody(hall: Hall) -> None:
    with Line(hall.line).stand():
        for name in "ab":
            hall.come(name)
        hall.people["a"].send_signal(signal.SIGKILL)
        until(lambda: hall.served.read_text() == "b")


def test_who_gives_up_holds_up_nobody(hall: Hall) -> None:
    line = Line(hall.line)
    with pytest.raises(KeyboardInterrupt), line.stand():
        raise KeyboardInterrupt
    hall.come("a")
    assert hall.people["a"].wait(60) == 0
    line.close()
