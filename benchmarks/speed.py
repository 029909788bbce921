"""How long a person waits: whole processes from start to exit, and the lease of a slot inside one.

    python benchmarks/speed.py [--json] [--demo]

Everything is measured on real repositories made for it: the demo's sample with its pool and Postgres databases, and a
synthetic one with 1,000 issues and as many commits (`history_repository`). Each figure is a median; the bare start of
the interpreter, measured in the same run, tells how much of it is the machine's. Exit code 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.building import git
from benchmarks.commands import argv, ask, command, environment
from benchmarks.corpus import DATA
from coordinator.guard.posts import tool_hook
from resources.system.clock import iso
from resources.system.errors import Failure
from resources.system.process import run

RUNS, CYCLES, DEMOS = 7, 12, 3
COUNT = 1000
"""Issues, and commits, of the synthetic repository."""
UNION = DATA / "beads" / "steveyegge__beads.union.jsonl"


@dataclass(frozen=True)
class Figure:
    """Seconds over several runs. `limit_s` None: a yardstick. `skipped` tells why nothing was measured."""

    name: str
    median_s: float | None = None
    min_s: float | None = None
    max_s: float | None = None
    limit_s: float | None = None
    ok: bool = True
    cpu_s: float | None = None
    """Median of the processor time of the processes: nearly the same on a busy machine."""
    skipped: str = ""


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure how long the commands take.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--demo", action="store_true", help=f"also run the whole demo {DEMOS} times")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="agent-coord-speed-") as folder:
        figures = list(measure(Path(folder).resolve(), options.demo))
    if options.json:
        sys.stdout.write(json.dumps({"schema": 1, "figures": [asdict(figure) for figure in figures]}) + "\n")
    else:
        sys.stdout.write(table(figures) + "\n")
    return 0 if all(figure.ok for figure in figures) else 1


def measure(home: Path, demo: bool) -> Iterator[Figure]:
    """All figures, as they are measured."""
    yield timed("python start", lambda: run([sys.executable, "-I", "-c", "pass"]), None)
    with sample_repository(home / "sample") as root:
        yield timed("agent-coord status", lambda: must(root, "agent-coord", "status"), 0.1)
        yield timed("agent-coord status --json", lambda: must(root, "agent-coord", "status", "--json"), 0.1)
        yield figure("lease of a prepared slot", lease_times(root), 0.3)
        yield timed("guard hook, a write passes", guard_call(root), 0.025)
    root = history_repository(home / "history")
    must(root, "track-analyzer", "recommend", "--json")
    name = f"recommend, {COUNT:,} issues, warm"
    yield timed(name, lambda: must(root, "track-analyzer", "recommend", "--slots", "4", "--json"), 0.35)
    name = "recommend, 18.7k issues"
    if UNION.is_file():
        words = ("track-analyzer", "recommend", "--issues", str(UNION), "--slots", "4", "--json")
        yield timed(name, lambda: must(home, *words), 3.0)
    else:
        yield Figure(name, limit_s=3.0, skipped=f"{UNION} is missing (AGENT_COORD_DATA names the folder)")
    if demo:
        yield timed("agent-coord demo", lambda: must(home, "agent-coord", "demo"), 60.0, DEMOS)


def timed(name: str, action: Callable[[], object], limit: float | None, runs: int = RUNS) -> Figure:
    """The figure of an action that is run several times."""
    seconds, cpu = [], []
    for _ in range(runs):
        began, used = time.perf_counter(), children_cpu()
        action()
        seconds.append(time.perf_counter() - began)
        cpu.append(children_cpu() - used)
    return figure(name, seconds, limit, cpu)


def children_cpu() -> float:
    """Processor seconds of all processes that were started from here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def figure(name: str, seconds: Sequence[float], limit: float | None, cpu: Sequence[float] = ()) -> Figure:
    """What these runs amount to."""
    median = round(statistics.median(seconds), 4)
    ok = limit is None or median <= limit
    used = round(statistics.median(cpu), 4) if cpu else None
    return Figure(name, median, round(min(seconds), 4), round(max(seconds), 4), limit, ok, used)


def must(root: Path, *words: str) -> None:
    """Run a command that has to succeed."""
    run(argv(*words), cwd=root, env=environment(), timeout=300)


@contextmanager
def sample_repository(root: Path) -> Generator[Path]:
    """The demo's sample with a pool of four slots, each with a database; given back afterwards."""
    from coordinator.demo.desk import make_sample, write_config

    make_sample(root)
    write_config(root, 4)
    try:
        ask(root, "agent-coord", "init", "--slots", "4")
        yield root
    finally:
        command(root, "agent-coord", "cleanup", "--yes")


def lease_times(root: Path) -> list[float]:
    """Seconds of each `Pool.acquire`; between two of them the slot is given back, which prepares it for the next."""
    from coordinator.bootstrap import open_project

    project = open_project(root)
    base, seconds = git(root, "rev-parse", "HEAD"), []
    try:
        for cycle in range(CYCLES):
            began = time.perf_counter()
            held = project.pool.acquire(f"desk-{cycle}", "agent-1", base=base)
            seconds.append(time.perf_counter() - began)
            project.pool.release(held.lease)
    finally:
        project.close()
    return seconds


def guard_call(root: Path) -> Callable[[], object]:
    """A tool call of an agent that the guard of its slot lets pass; the path is reserved already."""
    issue = ask(root, "track-analyzer", "recommend")["ready"][0]
    slot = Path(ask(root, "agent-coord", "assign", "ann", issue)["path"])
    call = {"hook_event_name": "PreToolUse", "cwd": str(slot), "session_id": "s-1", "tool_name": "Write"}
    text = json.dumps({**call, "tool_input": {"file_path": "of-its-own.txt"}}).encode()

    def once() -> None:
        run(tool_hook(), cwd=slot, env=environment(), stdin=text)

    once()
    return once


def history_repository(root: Path) -> Path:
    """A repository whose 1,000 commits name its issues; half of the issues are closed, the rest depend on each other.

    The draws are seeded: every machine measures the same repository.
    """
    draw = random.Random(7)
    files = [f"src/{area}/part{number}.py" for area in ("api", "core", "store", "web", "jobs") for number in range(120)]
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "fast-import", "--quiet", stdin="".join(_commits(draw, files)).encode())
    git(root, "reset", "--quiet", "--hard", "main")
    tracker = root / ".beads" / "issues.jsonl"
    tracker.parent.mkdir()
    tracker.write_text("".join(json.dumps(issue) + "\n" for issue in _issues(draw, files)))
    return root


def _commits(draw: random.Random, files: Sequence[str]) -> Iterator[str]:
    first = "".join(f"M 100644 inline {path}\ndata 6\nx = 0\n\n" for path in files)
    yield f"commit refs/heads/main\ncommitter A <a@localhost> 1700000000 +0000\ndata 5\nfirst\n{first}"
    for number in range(1, COUNT + 1):
        message = f"big-{number % (COUNT // 2)}: change number {number}"
        yield f"commit refs/heads/main\ncommitter A <a@localhost> {1700000000 + number * 600} +0000\n"
        yield f"data {len(message)}\n{message}\n"
        for path in draw.sample(files, draw.randint(1, 5)):
            text = f"x = {number}\n"
            yield f"M 100644 inline {path}\ndata {len(text)}\n{text}\n"


def _issues(draw: random.Random, files: Sequence[str]) -> Iterator[dict[str, object]]:
    for number in range(COUNT):
        name, created = f"big-{number}", 1700000000 + number * 500
        closed = number < COUNT // 2
        places = draw.sample(files, 2)
        waits = [] if closed or draw.random() > 0.3 else [f"big-{draw.randrange(number)}"]
        yield {
            "id": name,
            "title": f"Mend the {draw.choice(['parser', 'cache', 'queue', 'login', 'report'])} number {number}",
            "description": f"The fault shows in `{places[0]}`; {places[1]} may be concerned as well.",
            "status": "closed" if closed else "open",
            "priority": draw.randrange(5),
            "issue_type": draw.choice(["task", "bug", "feature"]),
            "created_at": iso(created),
            "updated_at": iso(created + 400),
            **({"closed_at": iso(created + 400)} if closed else {}),
            "dependencies": [{"issue_id": name, "depends_on_id": other, "type": "blocks"} for other in waits],
        }


def table(figures: Sequence[Figure]) -> str:
    """The figures for people."""
    lines = [f"{'':30} {'median':>8} {'min':>8} {'max':>8} {'cpu':>8} {'limit':>8}"]
    for one in figures:
        if one.skipped:
            lines.append(f"{one.name:30} skipped: {one.skipped}")
            continue
        values = (one.median_s, one.min_s, one.max_s, one.cpu_s, one.limit_s)
        cells = " ".join(f"{'' if value is None else f'{value:.3f} s':>8}" for value in values)
        lines.append(f"{one.name:30} {cells}" + ("" if one.ok else "  too slow"))
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        sys.exit(failure.render())
