"""What it costs the coordinator to watch agents at work: its CPU while ten of them print as real ones do.

    python benchmarks/watching.py [--agents N] [--seconds S] [--json]

Each agent is a process that prints a line of Claude Code's stream (2 KB) five times a second, far more than a model
manages, and works on for as long as is measured. CPU is the coordinator's own and its finished children's, as a share
of one core; the same is measured with one agent.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.commands import ask
from resources.system.process import run

LINE = json.dumps(
    {
        "type": "assistant", "session_id": "s",
        "message": {"content": [{"type": "tool_use", "name": "Bash", "id": "t", "input": {"command": "x" * 1900}}]},
    }
)  # fmt: skip
AGENT = f"import time\nwhile True:\n    print({LINE!r}, flush=True)\n    time.sleep(0.2)\n"
LIMIT = 0.05


def measure(agents: int, seconds: float) -> float:
    """The coordinator's CPU as a share of one core."""
    with tempfile.TemporaryDirectory() as folder:
        root = _repository(Path(folder) / "repository", agents)
        ask(root, "init")
        ask(root, "spawn", str(agents), "all")
        try:
            _until_at_work(root, agents)
            pid = int((root / ".git/agent-coord/coordinator.lock").read_text().split()[0])
            process = psutil.Process(pid)
            before = process.cpu_times()
            began = time.monotonic()
            time.sleep(seconds)
            after, passed = process.cpu_times(), time.monotonic() - began
        finally:
            ask(root, "cleanup", "--yes")
    return sum(after[:4]) / passed - sum(before[:4]) / passed


def _repository(root: Path, agents: int) -> Path:
    (root / ".beads").mkdir(parents=True)
    issues = [json.dumps({"id": f"w-{n}", "title": f"Write {n}.txt", "status": "open"}) for n in range(agents)]
    (root / ".beads/issues.jsonl").write_text("\n".join(issues) + "\n")
    (root / ".agent-worktrees").mkdir()
    argv = json.dumps([sys.executable, "-c", AGENT])
    (root / ".agent-worktrees/config.toml").write_text(
        f'[pool]\nsize = {agents}\nminimum = 1\nmaximum = {agents}\n[database]\nprovider = "none"\n'
        f'[agents]\ndefault = "prints"\n[agents.programs.prints]\nargv = {argv}\n'
    )
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"]):
        run(["git", "-c", "user.name=b", "-c", "user.email=b@localhost", *words], cwd=root)
    return root


def _until_at_work(root: Path, agents: int) -> None:
    deadline = time.monotonic() + 120
    while sum(bool(slot["activity"]) for slot in ask(root, "status")["slots"]) < agents:
        if time.monotonic() > deadline:
            raise SystemExit(f"error: {agents} agents did not start within two minutes")
        time.sleep(0.5)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    shares = {count: round(measure(count, options.seconds), 4) for count in (1, options.agents)}
    answer = {"cores": psutil.cpu_count(), "load": psutil.getloadavg()[0], "share_of_a_core": shares, "limit": LIMIT}
    print(json.dumps(answer) if options.json else "\n".join(f"{n} agents: {share:.1%}" for n, share in shares.items()))


if __name__ == "__main__":
    main()
