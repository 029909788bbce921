"""The gate's checks as real processes: flakes, cancelling."""

import sys
import time
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
