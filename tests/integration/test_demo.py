"""The whole product, end to end: the demo as a user starts it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from coordinator.bootstrap import open_project

COMMAND = [sys.executable, "-I", "-m", "agent_coord", "demo"]


def environment(folder: Path) -> dict[str, str]:
    """A user who has never told git a name."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "AGENT_COORD_"))}
    home = folder / "home"
    home.mkdir()
    return {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "TMPDIR": str(folder)}


def ours(folder: Path) -> list[str]:
    """Command lines of live processes that mention the folder."""
    listed = subprocess.run(["ps", "-axww", "-o", "stat=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line and not line.startswith("Z")]


def red_verdicts(repository: Path) -> str:
    """What the gate saw where it was red."""
    project = open_project(repository)
    with project.ledger.read() as snapshot:
        red = [row["evidence"] for row in snapshot.all("verdicts") if not row["passed"]]
    project.close()
    return "\n".join(red)


def test_every_issue_lands_and_nothing_is_left(tmp_path):
    home = tmp_path / "a folder with spaces"
    argv = [*COMMAND, "--agents", "4", "--keep", "--folder", str(home)]
    done = subprocess.run(argv, capture_output=True, text=True, env=environment(tmp_path), timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr + red_verdicts(home / "lending-desk")
    for command in ("init", "spawn 4 independent", "monitor", "merge status", "report", "cleanup --yes"):
        assert f"$ agent-coord {command}" in done.stdout
    assert done.stdout.count("  ✓ ") >= 4
    assert "  ✗ " not in done.stdout.partition("Checked by the demo itself")[2]
    # One agent meets a red gate on purpose, and its second attempt lands.
    assert re.search(r"✗ desk-m5x .*red gate", done.stdout)
    assert re.search(r"✓ desk-m5x .*attempt 2", done.stdout)
    assert set(re.findall(r"[✗⚑] (desk-\S+)", done.stdout)) == {"desk-m5x"}, red_verdicts(home / "lending-desk")
    picture = (home / "timeline.svg").read_text()
    assert picture.startswith("<svg")
    assert picture.count('class="dot"') >= 13
    desk = home / "lending-desk"
    listed = subprocess.run(["git", "worktree", "list"], cwd=desk, capture_output=True, text=True, check=True).stdout
    assert len(listed.splitlines()) == 1
    branches = subprocess.run(
        ["git", "branch", "--format=%(refname:short)"], cwd=desk, capture_output=True, text=True, check=True
    )
    assert branches.stdout.split() == ["main"]
    assert ours(home) == []


def test_ctrl_c_gives_everything_back(tmp_path):
    home = tmp_path / "desk"
    log = tmp_path / "out.txt"
    with log.open("w") as out:
        demo = subprocess.Popen(
            [*COMMAND, "--folder", str(home)], stdout=out, stderr=out, env=environment(tmp_path), start_new_session=True
        )
        deadline = time.monotonic() + 120
        while "$ agent-coord monitor" not in log.read_text() and demo.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        os.killpg(demo.pid, signal.SIGINT)
        assert demo.wait(timeout=60) == 1, log.read_text()
    assert "Interrupted" in log.read_text()
    assert not home.exists()
    assert ours(home) == []
