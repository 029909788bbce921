"""The ledger under N processes at once, watched by an oracle that knows nothing of it.

    python benchmarks/ledger.py [--processes 128] [--seconds 10] [--json]

A closed loop: each process claims a random issue together with a path reservation in one transaction, renews both
twice, gives both back, and begins again at once. After every acknowledged claim it makes marker files with O_EXCL, one
for the issue and one for each path that the reservation covers, and removes them before it gives back: a marker that
is there already is a double claim or an overlap, whatever the ledger says. At the end every acknowledged fence must be
in the ledger, once. Exit code 1 when one of it is not so or the slowest hundredth of the operations takes longer than
`LIMIT`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from coordinator.mail import reservations
from resources.state import leases
from resources.state.leases import Lease
from resources.state.sqlite import SqliteLedger
from resources.state.store import Transaction
from resources.system.errors import NotNow

LIMIT = 0.4
"""Seconds: p99 of one operation with 128 processes."""

AREAS, FILES = 16, 4


class Worker:
    """One process of the loop. `told` is what it saw, for the parent."""

    def __init__(self, folder: Path, number: int, issues: int) -> None:
        self._ledger = SqliteLedger(folder / "ledger")
        self._markers = folder / "markers"
        self._agent = f"agent-{number}"
        self._issues = issues
        self._random = random.Random(number)
        self._seconds: list[float] = []
        self._fences: list[int] = []
        self._refused = 0
        self._doubles: list[str] = []

    def work(self, until: float) -> dict[str, Any]:
        """Claim, renew, give back until the monotonic clock says `until`."""
        while time.monotonic() < until:
            issue = f"i{self._random.randrange(self._issues)}"
            area, file = self._random.randrange(AREAS), self._random.randrange(FILES + 1)
            wide = file == FILES
            pattern = f"src/{area}/**" if wide else f"src/{area}/{file}.py"
            cells = [f"{area}-{each}" for each in (range(FILES) if wide else [file])]
            try:
                lease = self._timed(lambda tx, issue=issue, pattern=pattern: self._claim(tx, issue, pattern))
            except NotNow:
                self._refused += 1
                continue
            self._fences.append(lease.fence)
            with self._marked([issue, *cells]):
                for _ in range(2):
                    self._timed(lambda tx, lease=lease: self._renew(tx, lease))
            self._timed(lambda tx, lease=lease: self._give_back(tx, lease))
        self._ledger.close()
        return {
            "seconds": self._seconds, "fences": self._fences, "refused": self._refused, "doubles": self._doubles,
        }  # fmt: skip

    def _timed(self, act: Callable[[Transaction], Any]) -> Any:
        began = time.monotonic()
        try:
            with self._ledger.write() as tx:
                return act(tx)
        finally:
            self._seconds.append(time.monotonic() - began)

    def _claim(self, tx: Transaction, issue: str, pattern: str) -> Lease:
        lease = leases.take(tx, "issue", issue, agent=self._agent, issue=issue)
        reservations.reserve(tx, [pattern], agent=self._agent, issue=issue, why="")
        return lease

    def _renew(self, tx: Transaction, lease: Lease) -> None:
        if not leases.renew(tx, lease.fence):
            self._doubles.append(f"the living lease {lease.fence} could not be renewed")
        reservations.renew(tx, self._agent, lease.issue)

    def _give_back(self, tx: Transaction, lease: Lease) -> None:
        reservations.release_issue(tx, lease.issue)
        if not leases.release(tx, lease):
            self._doubles.append(f"the living lease {lease.fence} could not be released")

    @contextmanager
    def _marked(self, names: Iterable[str]) -> Generator[None]:
        made: list[Path] = []
        for name in names:
            path = self._markers / name
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                made.append(path)
            except FileExistsError:
                self._doubles.append(f"{self._agent} was given {name}, which another had")
        yield
        for path in made:
            path.unlink()


def _child(folder: Path, number: int, issues: int, start: float, seconds: float) -> None:
    worker = Worker(folder, number, issues)
    time.sleep(max(0.0, start - time.monotonic()))
    told = worker.work(start + seconds)
    (folder / f"told-{number}.json").write_text(json.dumps(told))


def measure(folder: Path, processes: int, seconds: float) -> dict[str, Any]:
    """Run the loop in `folder` and compare what everybody saw."""
    (folder / "markers").mkdir()
    SqliteLedger.create(folder / "ledger").close()
    context = multiprocessing.get_context("fork")
    start = time.monotonic() + 1.0 + processes / 100
    issues = max(8, processes)
    children = [
        context.Process(target=_child, args=(folder, number, issues, start, seconds)) for number in range(processes)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    told = [json.loads((folder / f"told-{number}.json").read_text()) for number in range(processes)]
    return _figures(folder, told, processes, seconds)


def _figures(folder: Path, told: Sequence[dict[str, Any]], processes: int, seconds: float) -> dict[str, Any]:
    times = sorted(one for each in told for one in each["seconds"])
    fences = [fence for each in told for fence in each["fences"]]
    ledger = SqliteLedger(folder / "ledger")
    with ledger.read() as snapshot:
        kept = {json.loads(row["data"])["fence"] for row in snapshot.all("events-of-kind", kind="issue.leased")}
        living = snapshot.all("leases-live") + snapshot.all("reservations-live")
    ledger.close()
    doubles = [line for each in told for line in each["doubles"]]
    claims = [len(each["fences"]) for each in told]
    p99 = times[int(len(times) * 0.99)]
    value = {
        "schema": 1, "processes": processes, "seconds": seconds, "claims": sum(claims),
        "refused": sum(each["refused"] for each in told), "operations": len(times),
        "operations_per_second": round(len(times) / seconds, 1), "p50_s": round(times[len(times) // 2], 4),
        "p99_s": round(p99, 4), "max_s": round(times[-1], 4), "limit_s": LIMIT,
        "least_claims": min(claims), "most_claims": max(claims), "doubles": len(doubles), "examples": doubles[:5],
        "fences_twice": len(fences) - len(set(fences)), "lost": len(set(fences) - kept), "left": len(living),
    }  # fmt: skip
    sound = not (doubles or value["fences_twice"] or value["lost"] or living)
    return {**value, "ok": sound and p99 <= LIMIT}


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description="Claims, renewals and releases by many processes at once.")
    parser.add_argument("--processes", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        value = measure(Path(folder), options.processes, options.seconds)
    print(json.dumps(value) if options.json else "\n".join(f"{name:22}  {one}" for name, one in value.items()))
    return 0 if value["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
