"""How planning grows with the tracker: whole processes, their memory, and how fast the patterns and the past are read.

    python benchmarks/plan_scale.py [--json] [--quick]

Measured are `recommend --json` on trackers drawn with a fixed seed (1,000 to 100,000 issues; `--quick` stops at
10,000) with the exponent of their growth, on the 18.7k real issues where the data is there, and on a repository of
1,469 issues and 2,500 commits; the past of 10,000 commits read at once and then read on; all conflicts of 5,000
issues; 10,000 reservations against one new pattern. The least of several runs is told; growth is that of the
processor's time. Exit code 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analyzer.globs import PatternSet
from analyzer.past import read_past
from analyzer.scopes.conflicts import find_conflicts
from analyzer.scopes.scope import Scope, ScopeFile
from benchmarks.building import git
from benchmarks.commands import argv, environment
from benchmarks.corpus import DATA
from resources.system.clock import iso
from resources.system.repository import find_repository

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
FROM = 3_000
"""The exponent is fitted from here on: below, starting the process is most of the time."""
UNION = DATA / "beads" / "steveyegge__beads.union.jsonl"
AREAS = ("api", "core", "store", "web", "jobs", "mail", "search", "auth")
WORDS = ("parser", "cache", "queue", "login", "report", "index", "retry", "export", "session", "schema", "worker")


@dataclass(frozen=True)
class Figure:
    """Seconds (least of the runs), the memory of the process in MB where it is one, and the limits."""

    name: str
    seconds: float
    limit: float | None = None
    peak_mb: float | None = None
    limit_mb: float | None = None
    cpu_seconds: float | None = None
    """What the processor worked for it; other work on the machine does not lengthen it."""

    @property
    def ok(self) -> bool:
        return (self.limit is None or self.seconds <= self.limit) and (
            self.limit_mb is None or (self.peak_mb or 0) <= self.limit_mb
        )


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure how planning grows.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="nothing above 10,000 issues or commits")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="agent-coord-scale-") as folder:
        home = Path(folder).resolve()
        grown = {size: recommend(home, size) for size in SIZES if size <= 10_000 or not options.quick}
        figures = [*grown.values(), *others(home)]
    exponent = growth({size: figure.cpu_seconds or figure.seconds for size, figure in grown.items() if size >= FROM})
    # n log n over this range looks like a power a little above 1.
    steady = exponent <= nlogn_exponent(FROM, max(grown)) + 0.1
    if options.json:
        rows = [asdict(figure) | {"ok": figure.ok} for figure in figures]
        print(json.dumps({"schema": 1, "exponent": round(exponent, 3), "steady": steady, "figures": rows}))
    else:
        print("\n".join(line(figure) for figure in figures))
        print(f"growth: n^{exponent:.2f} from {FROM:,} issues on{'' if steady else ', more than n log n'}")
    return 0 if steady and all(figure.ok for figure in figures) else 1


def line(figure: Figure) -> str:
    """One figure for people."""
    memory = "" if figure.peak_mb is None else f"cpu {figure.cpu_seconds:6.3f} s {figure.peak_mb:5.0f} MB"
    limits = [f"{number:g} {unit}" for number, unit in ((figure.limit, "s"), (figure.limit_mb, "MB")) if number]
    limit = f"  limit {', '.join(limits)}" if limits else ""
    return f"{figure.name:48} {figure.seconds:8.3f} s {memory:>22}{limit}{'' if figure.ok else '  MISSED'}"


def growth(seconds: dict[int, float]) -> float:
    """The exponent of the power of the size that fits the times best (least squares of the logarithms)."""
    points = [(math.log(size), math.log(time_)) for size, time_ in seconds.items()]
    x, y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def nlogn_exponent(low: int, high: int) -> float:
    """The power that n log n looks like between two sizes."""
    return 1 + math.log(math.log(high) / math.log(low)) / math.log(high / low)


def recommend(home: Path, size: int) -> Figure:
    """A drawn tracker of so many issues, no repository around it."""
    tracker = home / f"{size}.jsonl"
    tracker.write_text("".join(json.dumps(issue) + "\n" for issue in issues(size)))
    limits = (8.0, 1000.0) if size == SIZES[-1] else (None, None)
    runs = 1 if size > 10_000 else 3
    return process(f"recommend, {size:,} drawn issues", home, ("--issues", str(tracker)), runs, limits)


def others(home: Path) -> Iterator[Figure]:
    """All other figures."""
    if UNION.is_file():
        yield process("recommend, 18.7k real issues", home, ("--issues", str(UNION)), 3, (1.5, None))
    root = repository(home / "small", 2_500, 1_469)
    process("cold", root, (), 1)
    yield process("recommend, 1,469 issues and 2,500 commits, warm", root, (), 5, (0.3, None))
    yield from past(repository(home / "large", 10_000, 0))
    scopes = drawn_scopes(5_000)
    yield Figure("all conflicts of 5,000 issues", least(lambda: find_conflicts(scopes), 3))
    patterns = PatternSet(drawn_patterns(10_000))
    for new in ("src/api/**", "**/report*.py", "src/*/part1?.{py,pyi}", "*/*/worker/z?.{py,pyi}"):
        name = f"10,000 reservations against {new}"
        yield Figure(name, least(lambda new=new: patterns.overlaps(new), 5), 0.05)
        yield Figure(f"{name}, all that meet", least(lambda new=new: list(patterns.meeting(new)), 5))


def past(root: Path) -> Iterator[Figure]:
    """A long history read for the first time, again, and after one more commit."""
    found = find_repository(root)
    yield Figure("past of 10,000 commits, first time", least(lambda: read_past(found), 1))
    yield Figure("past of 10,000 commits, again", least(lambda: read_past(found), 5))
    git(root, "-c", "user.name=A", "-c", "user.email=a@localhost", "commit", "--quiet", "--allow-empty", "-m", "more")
    yield Figure("past of 10,000 commits, one commit later", least(lambda: read_past(found), 1))


def least(action: Callable[[], object], runs: int) -> float:
    """The least time of some runs."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times)


Limits = tuple[float | None, float | None]
"""Seconds and MB."""


def process(name: str, folder: Path, words: Sequence[str], runs: int, limits: Limits = (None, None)) -> Figure:
    """`recommend --json` in a folder, from start to exit."""
    times, works, peaks = [], [], []
    for _ in range(runs):
        began = time.perf_counter()
        command = [*argv("track-analyzer", "recommend", "--json", "--quiet"), *words]
        with subprocess.Popen(command, cwd=folder, env=dict(environment()), stdout=subprocess.DEVNULL) as child:
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"error: {' '.join(command)} ended with code {child.returncode}")
        times.append(time.perf_counter() - began)
        works.append(usage.ru_utime + usage.ru_stime)
        peaks.append(usage.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024))
    return Figure(name, min(times), limits[0], max(peaks), limits[1], min(works))


def issues(size: int) -> Iterator[dict[str, object]]:
    """Half closed, half open; one in twenty an epic, a third waits for an earlier one."""
    draw = random.Random(11)
    for number in range(size):
        name, closed, kind = f"s-{number}", draw.random() < 0.5, "epic" if number % 20 == 0 else "task"
        parent, before = f"s-{number - number % 20}", f"s-{draw.randrange(max(1, number))}"
        edges = [{"issue_id": name, "depends_on_id": parent, "type": "parent-child"}] if kind == "task" else []
        if kind == "task" and draw.random() < 0.33 and int(before[2:]) % 20:
            edges.append({"issue_id": name, "depends_on_id": before, "type": "blocks"})
        made = 1_700_000_000 + number * 60
        yield {
            "id": name,
            "title": f"Mend the {draw.choice(WORDS)} of the {draw.choice(AREAS)} number {number}",
            "description": f"It shows in `{path(draw)}` when the {draw.choice(WORDS)} is {draw.choice(WORDS)}. " * 3,
            "status": "closed" if closed else "open",
            "priority": draw.randrange(5),
            "issue_type": kind,
            "created_at": iso(made),
            "updated_at": iso(made),
            **({"closed_at": iso(made + draw.randrange(3600, 90_000))} if closed else {}),
            "dependencies": edges,
        }


def path(draw: random.Random) -> str:
    """One of some thousand paths."""
    return f"src/{draw.choice(AREAS)}/{draw.choice(WORDS)}/part{draw.randrange(60)}.py"


def repository(root: Path, commits: int, size: int) -> Path:
    """A repository whose commits name its issues."""
    draw = random.Random(7)
    parts = []
    for number in range(commits):
        message = f"s-{draw.randrange(max(1, size))}: mend the {draw.choice(WORDS)} of the {draw.choice(AREAS)}"
        parts.append(f"commit refs/heads/main\ncommitter A <a@localhost> {1_700_000_000 + number * 60} +0000\n")
        parts.append(f"data {len(message)}\n{message}\n")
        for _ in range(draw.randint(1, 5)):
            parts.append(f"M 100644 inline {path(draw)}\ndata {len(str(number))}\n{number}\n")
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "fast-import", "--quiet", stdin="".join(parts).encode())
    git(root, "reset", "--quiet", "--hard", "main")
    tracker = root / ".beads" / "issues.jsonl"
    tracker.parent.mkdir()
    # As in the repository that this stands for, nearly all of the issues are closed.
    closed = (
        {**issue, "status": "closed"} if at > 60 else {**issue, "status": "open"}
        for at, issue in enumerate(issues(size))
    )
    tracker.write_text("".join(json.dumps(issue) + "\n" for issue in closed))
    return root


def drawn_scopes(size: int) -> dict[str, Scope]:
    """Scopes of eight files each."""
    draw = random.Random(5)
    found = {}
    for number in range(size):
        files = sorted(((draw.random() ** 2, path(draw)) for _ in range(8)), reverse=True)
        found[f"s-{number}"] = Scope(f"s-{number}", tuple(ScopeFile(name, p, ("drawn",)) for p, name in files))
    return found


def drawn_patterns(size: int) -> list[str]:
    """Files mostly, then folders, then names at any depth."""
    draw = random.Random(3)
    forms: tuple[Callable[[], str], ...] = (
        lambda: path(draw),
        lambda: path(draw),
        lambda: path(draw),
        lambda: f"{path(draw).rpartition('/')[0]}/sub{draw.randrange(99)}/**",
        lambda: f"src/*/{draw.choice(WORDS)}/part{draw.randrange(60)}.{{py,pyi}}",
        lambda: f"**/{draw.choice(WORDS)}{draw.randrange(99)}*.py",
    )
    return [draw.choice(forms)() for _ in range(size)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
