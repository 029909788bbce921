"""What watching costs: one look at 100 process trees, and a daemon over ten slots.

    python benchmarks/watch.py [--trees 100] [--slots 10] [--seconds 60] [--json]

A tree is a shell with five children, started under the mark of a slot's lease. A look is all of `take_usage`: the one
pass over the processes, their descriptors, the limits, the connections, the free disk. The daemon is the real process
with its default settings over a pool of slots with a database and a process tree each; its processor time (its
children's included) over the window is compared with the window. Exit code 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil

from benchmarks.leak_world import World, open_world
from resources.leaks import daemon
from resources.leaks.inventory import take_inventory
from resources.monitor.processes import mark, see_processes
from resources.monitor.usage import take_usage
from resources.state import leases
from resources.system.process import clean_environment

TREE = "for n in 1 2 3 4 5; do sleep 900 & done; wait"
IN_TREE = 6
LOOKS = 9
LOOK_LIMIT, DAEMON_LIMIT = 0.25, 0.01


@contextmanager
def trees(world: World, count: int) -> Generator[None]:
    """So many process trees, each under a lease of its own; all ended afterwards."""
    started = []
    try:
        for number in range(count):
            with world.watched.ledger.write() as tx:
                lease = leases.take(
                    tx, "slot", f"pool-wt-{number + 1}", agent="amber", issue=f"bd-{number}", ttl=leases.FOR_EVER
                )
            environment = clean_environment(mark(world.watched.project, lease.fence))
            started.append((lease, subprocess.Popen(["sh", "-c", TREE], env=environment, start_new_session=True)))
        _wait_for(world, count * IN_TREE)
        yield
    finally:
        for lease, process in started:
            os.killpg(process.pid, 9)
            process.wait()
            with world.watched.ledger.write() as tx:
                leases.release(tx, lease)


def _wait_for(world: World, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(see_processes(world.watched.project)) < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"error: only {len(see_processes(world.watched.project))} of {count} processes are seen")
        time.sleep(0.1)


def looks(world: World, count: int) -> dict[str, Any]:
    """Seconds of a look at `count` trees, and of the pass over the processes and the inventory of leaks in it."""
    found: dict[str, list[float]] = {"look": [], "cpu": [], "processes": [], "inventory": []}
    with trees(world, count):
        take_usage(world.watched)  # the sizes on the disk are measured once a minute, not at each look
        for _ in range(LOOKS):
            spent = time.process_time()
            found["look"].append(_seconds(lambda: take_usage(world.watched)))
            found["cpu"].append(time.process_time() - spent)
            found["processes"].append(_seconds(lambda: see_processes(world.watched.project)))
            found["inventory"].append(_seconds(lambda: take_inventory(world.watched)))
        machine = len(psutil.pids())
    figures = {f"{name}_median_s": round(statistics.median(times), 4) for name, times in found.items()}
    return {"trees": count, "processes_of_the_machine": machine, **figures, "limit_s": LOOK_LIMIT}


def _seconds(act: Any) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def watching(world: World, slots: int, seconds: float) -> dict[str, Any]:
    """The share of a core that the daemon takes over `slots` slots."""
    with trees(world, slots):
        started = daemon.start(world.watched.repository)
        try:
            process = psutil.Process(started.pid)
            _settle(world)
            before, began = _cpu(process), time.monotonic()
            time.sleep(seconds)
            share = (_cpu(process) - before) / (time.monotonic() - began)
            memory = process.memory_info().rss
        finally:
            daemon.stop(world.watched.repository)
    return {
        "slots": slots,
        "seconds": seconds,
        "share_of_a_core": round(share, 4),
        "limit": DAEMON_LIMIT,
        "rss": memory,
    }


def _settle(world: World) -> None:
    # Its start, with the imports, is not what it costs to keep it.
    deadline = time.monotonic() + 60
    while not daemon.metrics_file(world.watched.repository).exists() and time.monotonic() < deadline:
        time.sleep(0.1)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description="What watching costs.")
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--slots", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="watch-", ignore_cleanup_errors=True) as folder:
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "state home")
        with open_world(Path(folder).resolve(), 1) as world:
            look = looks(world, options.trees)
            world.pool.grow(options.slots)
            watch = watching(world, options.slots, options.seconds)
            with contextlib.suppress(OSError):
                world.pool.remove_all()
    ok = look["look_median_s"] <= LOOK_LIMIT and watch["share_of_a_core"] <= DAEMON_LIMIT
    value = {"schema": 1, "look": look, "daemon": watch, "ok": ok}
    print(json.dumps(value) if options.json else "\n".join(f"{name:8}  {one}" for name, one in value.items()))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
