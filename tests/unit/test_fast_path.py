"""`status` must answer in a blink: it may import nothing heavy."""

import subprocess
import sys
from pathlib import Path

HEAVY = ("typer", "click", "rich", "networkx", "git", "psycopg", "testcontainers", "psutil", "asyncio", "pydantic")
ROOT = Path(__file__).parents[2]


def test_status_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; from coordinator.entrypoints.main import main; code = main(['status']);"
        f"print(code, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    # Whatever it answers here (this checkout may have no ledger), it answered without them.
    assert done.stdout.strip().splitlines()[-1].endswith("[]")
