"""Agents as processes race for the verbs of `task`; an oracle replays the ledger's log and looks for lost updates.

    python benchmarks/task_races.py [--operations 10000] [--agents 3] [--issues 200] [--seed 1]

What counts as lost is said in `tests/support/task_races.py`; exit code 1 when something was.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.task_races import race


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--issues", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = vars(parser.parse_args())
    with tempfile.TemporaryDirectory(prefix="task races ") as folder:
        began = time.monotonic()
        try:
            found = race(Path(folder), **asked)
        except AssertionError as error:
            sys.stdout.write(json.dumps({"lost": str(error)}) + "\n")
            return 1
        sys.stdout.write(json.dumps(found | {"seconds": round(time.monotonic() - began, 1)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
