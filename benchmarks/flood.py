"""What an agent costs that prints as fast as it can: the coordinator's CPU, and what its log takes of the disk.

    python benchmarks/flood.py [--seconds 8]

`yes` prints a record without end, once of 2 KB and once of 50 bytes; the supervisor looks ten times a second, as in
earnest. CPU is a share of one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from coordinator.agents import supervisor
from coordinator.agents.command import Command
from coordinator.running.serve import TICK
from tests.support.repos import PINNED
from tests.support.worlds import assignment

TEXT = {"type": "assistant", "session_id": "s", "message": {"content": [{"type": "text", "text": "y" * 1900}]}}
LINES = {"2 KB": json.dumps(TEXT), "50 B": '{"type":"assistant","session_id":7,"message":[1]}'}


def measure(folder: Path, line: str, seconds: float) -> dict[str, Any]:
    told = assignment(folder)
    program = Command("loud", ("yes", line))
    running = supervisor.start(program, told, program.launch(told), PINNED, folder / "1.log")
    began, cpu, on_disk = time.monotonic(), time.process_time(), 0
    while time.monotonic() - began < seconds:
        supervisor.look(running, idle=60, timeout=600)
        on_disk = max(on_disk, running.log.stat().st_blocks * 512)
        time.sleep(TICK)
    share = (time.process_time() - cpu) / (time.monotonic() - began)
    printed = running.log.stat().st_size
    supervisor.stop(running)
    sizes = {"printed": printed, "most_on_disk": on_disk, "kept": running.log.stat().st_size}
    return {"cpu_share": round(share, 3)} | {name: round(size / 1e6) for name, size in sizes.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    seconds = parser.parse_args().seconds
    found = {}
    for name, line in LINES.items():
        with tempfile.TemporaryDirectory(prefix="flood ") as folder:
            found[name] = measure(Path(folder), line, seconds)
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
