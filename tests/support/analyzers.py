"""`track-analyzer` as a process, for tests that ask it as another program would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run(*arguments: object, cwd: Path = ROOT, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("BEADS_DIR", "COLUMNS")}
    environment["PATH"] = path or f"{Path(sys.executable).parent}:/usr/bin:/bin"
    words = [sys.executable, str(ROOT / "agent_coord.py"), "track-analyzer", *map(str, arguments)]
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def answer(*arguments: object, cwd: Path = ROOT, path: str | None = None) -> dict[str, Any]:
    done = run(*arguments, "--json", cwd=cwd, path=path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
