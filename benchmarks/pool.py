"""What a slot costs, and how the pool bears a crowd.

    python benchmarks/pool.py [--json] [--seconds 60] [--slots 100] [--files 2000 12000 92000]

Everything happens on real repositories that are written for it (`trees.plant`), with the product's pool, ledger and
git. A claim is measured inside one process: the ledger's transactions (each with its fsync) and git. `git worktree
add` is measured on the same repository in the same run. Exit code 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.crowd import crowd, many_at_once  # noqa: E402
from benchmarks.trees import path_of, plant  # noqa: E402
from resources.settings import PoolSettings  # noqa: E402
from resources.state.sqlite import SqliteLedger  # noqa: E402
from resources.system.git import git, resolve, tracked_files  # noqa: E402
from resources.system.process import leave_running  # noqa: E402
from resources.system.repository import find_repository  # noqa: E402
from resources.worktrees import view as views  # noqa: E402
from resources.worktrees.pool import Pool  # noqa: E402
from resources.worktrees.view import View  # noqa: E402

CLAIM_LIMIT, TIMES_FASTER = 0.05, 50.0
LARGE = 50_000
"""Files from which a claim is compared with git's own worktree of everything."""
ROUNDS = 9


@dataclass(frozen=True)
class Figure:
    """One figure and its limit (`at_least` turns the limit round); None: a yardstick."""

    name: str
    value: float
    unit: str = "s"
    limit: float | None = None
    at_least: bool = False

    @property
    def ok(self) -> bool:
        """Whether the limit is kept."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure the pool.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the crowd of 10 processes works")
    parser.add_argument("--slots", type=int, default=100, help="slots made at once")
    parser.add_argument("--files", type=int, nargs="*", default=[2_000, 12_000, 92_000], help="sizes of the trees")
    options = parser.parse_args(arguments)
    figures: list[Figure] = []
    home = Path(tempfile.mkdtemp(prefix="agent-coord-pool-")).resolve()
    try:
        for figure in measure(home, options):
            figures.append(figure)
            if not options.json:
                sys.stdout.write(
                    f"{figure.name:58} {figure.value:10.4f} {figure.unit}{'' if figure.ok else '  MISSED'}\n"
                )
    finally:
        # On a disk mounted with `discard` this takes minutes, so nobody waits for it.
        leave_running(["rm", "-rf", "--", str(home)], cwd=home.parent)
    if options.json:
        shown = [asdict(figure) | {"ok": figure.ok} for figure in figures]
        sys.stdout.write(json.dumps({"schema": 1, "figures": shown}) + "\n")
    return 0 if all(figure.ok for figure in figures) else 1


def measure(home: Path, options: argparse.Namespace) -> Iterator[Figure]:
    """Every figure, as it is measured."""
    for files in options.files:
        yield from one_size(home / f"tree-{files}", files, compare=files >= LARGE)
    if options.slots:
        root = home / "many"
        plant(root, 200)
        seconds, failures = many_at_once(root, options.slots)
        yield Figure(f"{options.slots} slots made at once", seconds)
        yield Figure(f"{options.slots} slots made at once: failures", failures, "", 0)
    if options.seconds:
        root = home / "crowd"
        plant(root, 200)
        done = crowd(root, 10, options.seconds)
        yield Figure(f"10 processes for {options.seconds:g} s: operations", done.operations, "")
        yield Figure("10 processes: errors", done.errors, "", 0)
        yield Figure("10 processes: double leases", done.doubles, "", 0)


def one_size(root: Path, files: int, *, compare: bool) -> Iterator[Figure]:
    """The figures of a tree of that many files."""
    commits = plant(root, files, commits=ROUNDS + 1)
    git(root, "update-ref", "refs/heads/main", commits[0])
    pool = open_pool(root)
    tree = tracked_files(root, "main")
    near, far = (view_of(tree, number) for number in (0, files // 2))
    label = f"{files:,} files: "
    made = seconds_of(lambda: pool.grow(2))
    yield Figure(f"{label}two slots made", made)
    claim = timed_claims(pool, lambda _: (commits[0], near))
    yield Figure(f"{label}claim of a prepared slot", claim, "s", CLAIM_LIMIT)
    yield Figure(f"{label}claim with another view", timed_claims(pool, lambda n: (commits[0], (far, near)[n % 2])))
    yield Figure(f"{label}claim after the base has moved", timed_claims(pool, lambda n: (commits[n % 4], near)))
    moves = [seconds_of(lambda n=n: move(root, pool, commits[n])) for n in range(1, ROUNDS)]
    yield Figure(f"{label}idle slots refreshed after a landing", statistics.median(moves) / 2)
    if compare:
        full = [seconds_of(lambda n=n: add_full(root, n)) for n in range(3)]
        yield Figure(f"{label}git worktree add, everything", statistics.median(full))
        yield Figure(
            f"{label}claim against git worktree add", statistics.median(full) / claim, "times", TIMES_FASTER, True
        )


def open_pool(root: Path) -> Pool:
    """The pool of a repository without databases."""
    repository = find_repository(root)
    return Pool(repository, SqliteLedger.create(repository.state), PoolSettings(ports_per_slot=4), None)


def view_of(tree: Sequence[str], number: int) -> View:
    """The closure of thirty neighbouring files."""
    return views.resolve("closure", tree, directories=[path_of(number + more) for more in range(30)])


def timed_claims(pool: Pool, wanted: Callable[[int], tuple[str, View]]) -> float:
    """Median seconds of a claim; what is released between two of them is not counted."""
    seconds = []
    for number in range(-1, ROUNDS):
        base, view = wanted(number)
        began = time.perf_counter()
        held = pool.acquire("bench", "ada", base=base, view=view, prefer="pool-wt-1")
        if number >= 0:  # the first one makes the slot what the others find
            seconds.append(time.perf_counter() - began)
        pool.release(held.lease)
    return statistics.median(seconds)


def move(root: Path, pool: Pool, commit: str) -> None:
    """A landing: the base moves on, and the idle slots follow."""
    git(root, "update-ref", "refs/heads/main", commit)
    pool.refresh(resolve(root, "main") or "")


def add_full(root: Path, number: int) -> None:
    """A worktree of everything, as git makes one."""
    subprocess.run(
        ["git", "worktree", "add", "--quiet", "--detach", str(root.parent / f"full-{number}"), "main"],
        cwd=root,
        check=True,
    )


def seconds_of(action: Callable[[], object]) -> float:
    """How long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
