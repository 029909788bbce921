"""The gate's checks as real processes: flakes, cancelling."""

import os
import signal
import sys
import time
import tracemalloc
from pathlib import Path

from coordinator.gate.checks import Conduct, run_checks
from coordinator.gate_settings import Check

ONCE = "import pathlib, sys; p = pathlib.Path('tried'); seen = p.exists(); p.touch(); sys.exit(0 if seen else 1)"


def check(name: str, code: str) -> Check:
    return Check(name, (sys.executable, "-c", code), 60.0)


def test_only_the_red_check_is_repeated_and_its_pass_is_flaky(tmp_path: Path) -> None:
    count = "open('count', 'a').write('x')"
    verdict = run_checks(
        [check("first", count), check("flaky", ONCE), check("last", count)], tmp_path, {}, tmp_path / "logs"
    )
    assert verdict.passed
    assert verdict.flaky == ("flaky",)
    assert (tmp_path / "count").read_text() == "xx"
    assert (tmp_path / "logs" / "flaky.log").exists()


def test_what_is_red_twice_is_red_and_reruns_can_be_switched_off(tmp_path: Path) -> None:
    assert not run_checks([check("red", "raise SystemExit(3)")], tmp_path, {}, tmp_path).passed
    assert not run_checks([check("flaky", ONCE)], tmp_path, {}, tmp_path, Conduct(reruns=0)).passed


def test_a_cancelled_check_is_killed_with_its_children(tmp_path: Path) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    began = time.monotonic()
    verdict = run_checks(
        [check("long", code)], tmp_path, {}, tmp_path, Conduct(cancelled=lambda: time.monotonic() > began + 0.3)
    )
    assert not verdict.passed
    assert time.monotonic() - began < 30


def test_a_check_that_prints_without_end_takes_no_memory_and_its_two_ends_are_kept(tmp_path: Path) -> None:
    code = "print('begins'); [print('x' * 999_999) for _ in range(64)]; raise SystemExit('ends')"
    tracemalloc.start()
    try:
        verdict = run_checks([check("loud", code)], tmp_path, {}, tmp_path / "logs", Conduct(reruns=0))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8_000_000
    log = (tmp_path / "logs" / "loud.log").read_text()
    assert len(log) < 500_000
    assert "begins\n" in log[:500]
    assert log.endswith("ends\n")
    assert "(agent-coord left out 63800007 bytes that were printed here)" in log
    assert verdict.failed is not None
    assert "it printed so much that 63800007 bytes are not in" in verdict.failed.tail
    assert len(verdict.failed.tail) < 5_000, "the evidence goes into the ledger and to the next attempt"


def test_what_a_check_leaves_running_out_of_reach_does_not_hold_the_gate_up(tmp_path: Path) -> None:
    left = "import os, time; print(os.getpid(), file=open('pid', 'w'), flush=True); time.sleep(300)"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {left!r}], start_new_session=True)"
    began = time.monotonic()
    verdict = run_checks([Check("left", (sys.executable, "-c", code), 2.0)], tmp_path, {}, tmp_path, Conduct(reruns=0))
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert time.monotonic() - began < 60
    assert not verdict.passed
    assert "stopped after 2 s" in verdict.results[0].tail
