"""What one look of the radar costs: processor seconds for many slots on a repository of 12,000 files.

    python benchmarks/radar.py [--slots 32] [--files 12000] [--json]

Every slot is really made by `agent-coord init` and shows all files, holds an issue by `agent-coord assign`, and has
five edited files, one of them edited by its neighbour too, and a new one. The limit is two seconds of processor time
for a whole look. Exit code 1 when it is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.building import git
from benchmarks.commands import ask, command
from coordinator.bootstrap import Project, open_project
from coordinator.merging import radar
from resources.system.process import run

LIMIT, LOOKS, PER_FOLDER = 2.0, 5, 10
CONFIG = '[pool]\nsize = {0}\nminimum = 1\nmaximum = {0}\nview = "full"\n[database]\nprovider = "none"\n'
PROGRAM = '[agents]\ndefault = "none"\n'
PROGRAM += '[agents.programs.none]\nkind = "command"\nargv = ["true"]\n'


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure a look of the radar.")
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--files", type=int, default=12_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="radar-") as folder:
        root = make(Path(folder) / "repository", options.files, options.slots)
        assigned = hand_out(root, options.slots)
        edit(root)
        value = measure(root) | {"assign_cpu_s": round(assigned, 3), "slots": options.slots, "files": options.files}
        lines = (f"{name:10}  {figure}" for name, figure in value.items())
        # Before the folder is removed, which takes longer than everything else.
        print(json.dumps({"schema": 1, **value}) if options.json else "\n".join(lines), flush=True)
    return 0 if value["ok"] else 1


def measure(root: Path) -> dict[str, Any]:
    """What some looks cost, one after the other, beside the bare start of the interpreter."""
    project = open_project(root)
    looked, started = [], []
    for _ in range(LOOKS):
        before = cpu()
        seen = radar.look(project)
        looked.append((cpu() - before, seen))
        before = cpu()
        run([sys.executable, "-c", "pass"], cwd=root)
        started.append(cpu() - before)
    still = looks_at_stillness(project)
    project.close()
    spent, seen = [one for one, _ in looked], looked[-1][1]
    return {
        "pieces": len(seen.pieces), "collisions": len(seen.collisions), "cpu_s": round(statistics.median(spent), 3),
        "first_s": round(spent[0], 3), "still_s": round(still, 3), "start_cpu_s": round(statistics.median(started), 4),
        "limit_s": LIMIT, "ok": statistics.median(spent) <= LIMIT,
    }  # fmt: skip


def looks_at_stillness(project: Project) -> float:
    """The mean of a pair of the coordinator's looks while nothing changes: every other one leaves the slots out."""
    lookout = radar.Lookout()
    for _ in range(2):
        radar.look(project, lookout)
    before = cpu()
    for _ in range(2):
        radar.look(project, lookout)
    return (cpu() - before) / 2


def cpu() -> float:
    """Processor seconds of this process and of those that it waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def make(root: Path, files: int, slots: int) -> Path:
    """A repository with so many files, and so many slots."""
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    for key, value in (("user.name", "Radar"), ("user.email", "radar@localhost"), ("gc.auto", "0")):
        git(root, "config", key, value)
    for number in range(files):
        file = root / path(number)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"line {line} of {number}\n" for line in range(20)))
    tracker = root / ".beads" / "issues.jsonl"
    tracker.parent.mkdir()
    tracker.write_text(
        "".join(json.dumps({"id": f"r-{n}", "title": f"Piece {n}", "status": "open"}) + "\n" for n in range(slots))
    )
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "files")
    (root / ".agent-worktrees").mkdir()
    (root / ".agent-worktrees" / "config.toml").write_text(CONFIG.format(slots) + PROGRAM)
    ask(root, "agent-coord", "init", "--slots", str(slots))
    return root


def hand_out(root: Path, slots: int) -> float:
    """Give each slot its issue by hand; the processor seconds of one such command (median)."""
    spent = []
    for number in range(slots):
        before = cpu()
        done = command(root, "agent-coord", "assign", f"hand-{number}", f"r-{number}")
        if done.code:
            raise SystemExit(done.complaint)
        spent.append(cpu() - before)
    return statistics.median(spent)


def path(number: int) -> str:
    """Where the file with this number lies."""
    return f"module{number // PER_FOLDER // 30}/part{number // PER_FOLDER}/file{number}.py"


def edit(root: Path) -> None:
    """Every slot changes four files of its own and one that its neighbour changes too, and writes a new one."""
    slots = [Path(one["path"]) for one in ask(root, "agent-coord", "status")["slots"] if one["issue"]]
    for place, slot in enumerate(slots):
        folder = slot if slot.is_absolute() else root / slot
        for number in (*range(100 * place, 100 * place + 4), 100 * (place // 2) + 50):
            file = folder / path(number)
            file.write_text(file.read_text().replace("line 3", f"line three of {place}"))
        (folder / f"new{place}.py").write_text(f"slot {place}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
