"""What the guard costs: a tool call's hook as a whole process, and git's hooks on a commit, against the same without.

    python benchmarks/guard.py            # prints JSON

One repository with a slot, 300 paths in the attempt's own scope and 2,000 reservations of others. All kinds of run take
turns, so that a busy machine slows them alike; `python_start_ms` is the bare start of the interpreter in the same
run, and `times_start` a figure as a multiple of it, which hardly depends on the load.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from coordinator.guard.places import VARIABLE
from coordinator.guard.posts import SCOPE_FILE, admin_folder, tool_hook
from coordinator.guard.rule import LOCKED
from coordinator.mail.alarm import FILE
from resources.state.leases import Owner
from resources.state.store import Transaction
from tests.support.guarded import NO_HOOKS, Guarded, make_guarded

RUNS = 25


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="agent-coord-guard-") as folder:
        guarded = make_guarded(Path(folder).resolve())
        try:
            fill(guarded)
            result = measure(kinds(guarded))
        finally:
            guarded.close()
    sys.stdout.write(json.dumps({"schema": 1, "runs": RUNS, **result}, indent=2) + "\n")
    return 0


def fill(guarded: Guarded) -> None:
    """Reservations as a busy day leaves them."""
    with guarded.project.ledger.write() as tx:
        for number in range(300):
            held = {"agent": "ann", "issue": "a-1", "why": "work", "owner": Owner.timed()}
            reservations_insert(tx, f"mine/part{number}.py", held)
        for number in range(2000):
            held = {"agent": f"agent-{number % 20}", "issue": f"b-{number}", "why": "work", "owner": Owner.timed()}
            reservations_insert(tx, f"src/area{number}/file.py", held)
    # One file was asked about before, as an agent that edits it by its tools has done.
    guarded.sign("Write", {"file_path": "mine/a.py"})


def reservations_insert(tx: Transaction, pattern: str, held: dict[str, Any]) -> None:
    """One row, without the search for clashes, which 2,300 times over takes a minute."""
    from resources.system.clock import boot_seconds, wall

    values = held | {"owner": held["owner"].to_json(), "shared": 0, "predicted": 0, "taken_at": wall()}
    tx.change("reservation-insert", pattern=pattern, expires_at=wall() + 3600, expires=boot_seconds() + 3600, **values)


def signed(slot: Path, tool: str, given: dict, code: int, **env: str) -> Callable[[], object]:
    """A tool call in `slot` that the hook must answer with `code`."""
    call = {"hook_event_name": "PreToolUse", "cwd": str(slot), "tool_name": tool, "tool_input": given}
    text = json.dumps(call | {"session_id": "s-1"}).encode()

    def once() -> None:
        done = subprocess.run(tool_hook(), input=text, capture_output=True, env=clean() | env)
        assert done.returncode == code, done.stderr

    return once


def committed(slot: Path, *options: str, flags: str = "-qam") -> Callable[[], object]:
    """A commit in `slot`, by a git with these options."""
    names = ("-c", "user.name=ann", "-c", "user.email=a@b.c", "-c", "gc.auto=0")
    command = ["git", *names, *options, "commit", flags, "a-1: x"]

    def once() -> None:
        with (slot / "mine/a.py").open("a") as stream:
            stream.write("x\n")
        subprocess.run(command, cwd=slot, env=clean(), check=True, stdin=subprocess.DEVNULL)

    return once


def clean() -> dict[str, str]:
    """The environment without git's variables and ours."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "AGENT_COORD_"))}


def kinds(guarded: Guarded) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    sign, commit = partial(signed, guarded.slot), partial(committed, guarded.slot)
    # As in a checkout that several agents share: the same holds, each file of one agent alone.
    scope = json.loads((admin_folder(guarded.slot) / SCOPE_FILE).read_text())
    shared = admin_folder(guarded.slot) / "shared.json"
    shared.write_text(json.dumps(scope | {"mode": LOCKED, "lock_seconds": 0.0}))
    berth = {VARIABLE: str(shared)}
    return {
        "python_start": lambda: subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True),
        "allow_read": sign("Read", {"file_path": "mine/a.py"}, 0),
        "allow_read_with_letters_of_others": ringing(guarded, sign("Read", {"file_path": "mine/a.py"}, 0)),
        "allow_write": sign("Write", {"file_path": "mine/a.py"}, 0),
        "deny_write": sign("Write", {"file_path": "bob/held.py"}, 2),
        "allow_write_of_what_is_locked": sign("Write", {"file_path": "mine/part1.py"}, 0, **berth),
        "deny_write_of_what_is_locked": sign("Write", {"file_path": "bob/held.py"}, 2, **berth),
        "deny_git": sign("Bash", {"command": "git stash"}, 2),
        "allow_shell": sign("Bash", {"command": "cd mine && sed -i s/x/y/ a.py && make test | tee out.log"}, 0),
        "commit_without_hooks": commit("-c", NO_HOOKS),
        "commit_with_ref_guard": commit(flags="-qnam"),
        "commit_with_both_hooks": commit(),
    }


def ringing(guarded: Guarded, call: Callable[[], object]) -> Callable[[], object]:
    """A call while somebody else has an urgent letter that he has not been told of."""

    bell = guarded.project.repository.state / FILE

    def once() -> None:
        bell.write_text("1")
        call()
        bell.write_text("")

    return once


def measure(actions: dict[str, Callable[[], object]]) -> dict[str, object]:
    """Medians in milliseconds; the actions take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(RUNS):
        for name, action in actions.items():
            began = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(found) * 1000 for name, found in seconds.items()}
    least = {name: min(found) * 1000 for name, found in seconds.items()}
    start = medians["python_start"]
    return {
        "median_ms": {name: round(value, 1) for name, value in medians.items()},
        "min_ms": {name: round(value, 1) for name, value in least.items()},
        "times_start": {name: round(value / start, 2) for name, value in medians.items()},
        "ref_guard_adds_ms": added(medians, least, "commit_with_ref_guard"),
        "both_hooks_add_ms": added(medians, least, "commit_with_both_hooks"),
    }


def added(medians: dict[str, float], least: dict[str, float], name: str) -> dict[str, float]:
    """What hooks add to a commit, by the medians and by the fastest of each kind."""
    bare = "commit_without_hooks"
    return {"median": round(medians[name] - medians[bare], 1), "min": round(least[name] - least[bare], 1)}


if __name__ == "__main__":
    sys.exit(main())
