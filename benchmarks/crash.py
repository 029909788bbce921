"""kill -9 at random moments of every command, and what the next `doctor --fix` finds and leaves.

    python benchmarks/crash.py [--kills 300] [--seed 1] [--database] [--json]

One repository with a small pool lives through all of it. Each round starts a command (init, assign, scope apply,
scope widen, reset of a database, release, enqueue with its landing, pool, run), kills its process after a random time
(every second time its whole group, so that git and Postgres commands die too), runs `doctor --fix`, and asks: is
every commit that was ever made reachable, does each resource have one lease, is the ledger whole, does anything leak?
Exit code 1 when one answer is no; the rounds that failed are named.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.building import git
from benchmarks.commands import argv, ask, command, environment
from resources.system.process import run

SLOTS, ISSUES = 3, 400
CONFIG = (
    f'[pool]\nsize = {SLOTS}\nminimum = 1\nmaximum = {SLOTS + 1}\n[agents]\ndefault = "none"\n'
    '[agents.programs.none]\nkind = "command"\nargv = ["true"]\n'
    '[[gate.checks]]\nname = "there"\nrun = ["test", "-f", "README.md"]\n'
)


class Round:
    """The repository, and what was done to it so far."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.random = random.Random(seed)
        self.made: set[str] = set()
        """Commits that must never be lost."""
        self.files = 0
        self._next = 0
        self.longest: dict[str, float] = {}

    def slots(self) -> list[dict[str, Any]]:
        """The leased work slots as `status` tells them."""
        return [slot for slot in ask(self.root, "agent-coord", "status")["slots"] if slot["issue"]]

    def work(self) -> None:
        """Somebody commits in a leased slot, and leaves an uncommitted file beside it."""
        leased = self.slots()
        if leased:
            slot = self.random.choice(leased)
            folder = self.root / slot["path"]
            self.files += 1
            name = f"file{self.files}.txt"
            (folder / name).write_text(f"{name}\n")
            git(folder, "add", "--sparse", name)
            message = f"{slot['issue']}: {name}"
            # What was queued may land meanwhile; then the slot is nobody's, and its guard refuses the commit.
            if run(["git", "commit", "--quiet", "--message", message], cwd=folder, check=False).code == 0:
                self.made.add(git(folder, "rev-parse", "HEAD"))
            (folder / "unsaved.txt").write_text("unsaved\n")

    def words(self) -> tuple[str, ...]:
        """The command of this round."""
        leased = self.slots()
        choices: list[tuple[str, ...]] = [
            ("init",),
            ("pool", "scale-up"),
            ("pool", "scale-down"),
            # One issue by name: what a killed `run` had queued besides would keep the next coordinator busy for ever.
            ("run", "--only", f"c-{self.random.randrange(ISSUES // 2, ISSUES)}"),
        ]
        if len(leased) < SLOTS:
            self._next += 1
            choices += [("assign", f"hand-{self._next}", f"c-{self._next}")] * 6
        for slot in leased:
            name = slot["slot"]
            choices += [("release", name), ("scope", "apply", name, "src/**"), ("merge", "enqueue", slot["branch"])]
            choices += [("scope", "widen", name, f"docs/{self._next}/**", "--why", "it needs them")]
            choices += [("db", "reset", name)] if slot["database"] else []
        return self.random.choice(choices)

    def killed(self, words: Sequence[str]) -> bool:
        """Run a command and kill it at a random moment; False when it was faster."""
        usual = self.longest.get(called(words))
        started = time.monotonic()
        process = subprocess.Popen(
            argv("agent-coord", *words), cwd=self.root, env=dict(environment()), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            # The first of its kind is let alone, and so is every third: work has to be there to be lost.
            alone = usual is None or self.random.random() < 0.33
            process.wait(None if alone else self.random.uniform(0.02, usual))
        except subprocess.TimeoutExpired:
            if self.random.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            return True
        self.longest[called(words)] = time.monotonic() - started
        return False

    def coordinator_too(self) -> None:
        """Every third time the background coordinator dies as well."""
        if self.random.random() < 0.33:
            lock = self.root / ".git" / "agent-coord" / "coordinator.lock"
            holder = lock.read_text().split() if lock.exists() else []
            if ask(self.root, "agent-coord", "status")["coordinator"] and holder[-1:] and holder[-1].isdigit():
                with suppress(ProcessLookupError):
                    os.kill(int(holder[-1]), signal.SIGKILL)

    def wrong(self) -> Iterator[str]:
        """What must not be, after the repair."""
        reachable = set(git(self.root, "rev-list", "--all").split())
        for path in (self.root / ".agent-worktrees").glob("pool-wt-*"):
            reachable |= set(git(path, "rev-list", "HEAD").split()) if (path / ".git").exists() else set()
        yield from (f"commit {sha[:10]} is lost" for sha in sorted(self.made - reachable))
        with closing(sqlite3.connect(self.root / ".git" / "agent-coord" / "ledger.sqlite3")) as ledger:
            yield from (f"the ledger: {row[0]}" for row in ledger.execute("PRAGMA integrity_check") if row[0] != "ok")
            live = "SELECT kind, resource FROM lease WHERE released_at IS NULL"
            doubles = Counter(ledger.execute(live).fetchall())
        yield from (f"{name} has {count} leases" for name, count in doubles.items() if count > 1)
        found = ask(self.root, "resource-monitor", "detect-leaks", may_fail=True)
        if not found.get("complete", False):
            yield "the inventory of leaks is incomplete"
        yield from (f"leak: {leak['kind']} {leak['name']} ({leak['why']})" for leak in found.get("leaks", []))


def called(words: Sequence[str]) -> str:
    """What a command is called: `release`, `scope widen`."""
    return " ".join(words[: 2 if words[0] in {"pool", "scope", "merge", "db"} else 1])


def main(arguments: Sequence[str]) -> int:
    """Kill and look; returns the exit code."""
    parser = argparse.ArgumentParser(description="kill -9 at random moments of every command.")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", action="store_true", help="give each slot a database")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    failures: list[str] = []
    hit: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="crash-", ignore_cleanup_errors=True) as folder:
        rounds = Round(make(Path(folder) / "repository", database=options.database), options.seed)
        # Interrupted, it says what it has seen so far.
        with suppress(KeyboardInterrupt):
            while hit.total() < options.kills and len(failures) <= 20:
                rounds.work()
                words = rounds.words()
                if not rounds.killed(words):
                    continue
                hit[called(words)] += 1
                rounds.coordinator_too()
                failures += [f"kill {hit.total()} ({' '.join(words)}): {one}" for one in repaired(rounds)]
        command(rounds.root, "agent-coord", "cleanup", "--yes")
    value = {
        "schema": 1, "seed": options.seed, "kills": hit.total(), "by_command": dict(hit), "commits": len(rounds.made),
        "failures": failures, "ok": not failures,
    }  # fmt: skip
    print(json.dumps(value) if options.json else "\n".join(f"{name:10}  {one}" for name, one in value.items()))
    return 0 if not failures else 1


def repaired(rounds: Round) -> list[str]:
    """Run `doctor --fix` and look; what a dying background process still had in its hands may need a second look."""
    wrong: list[str] = []
    for _ in range(3):
        done = command(rounds.root, "agent-coord", "doctor", "--fix")
        wrong = [f"doctor: {done.complaint}"] if done.code not in (0, 1) else list(rounds.wrong())
        if not wrong:
            return []
        time.sleep(0.5)
    return wrong


def make(root: Path, *, database: bool) -> Path:
    """The repository: a few folders, many issues, a small pool."""
    for number in range(60):
        file = root / f"src/part{number % 6}/file{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"number = {number}\n")
    (root / "README.md").write_text("crash\n")
    (root / ".beads").mkdir()
    issues = ({"id": f"c-{number}", "title": f"Issue {number}", "status": "open"} for number in range(1, ISSUES))
    (root / ".beads" / "issues.jsonl").write_text("".join(json.dumps(issue) + "\n" for issue in issues))
    git(root, "init", "--quiet", "--initial-branch=main")
    for key, value in (("user.name", "Crash"), ("user.email", "crash@localhost"), ("gc.auto", "0")):
        git(root, "config", key, value)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "files")
    (root / ".agent-worktrees").mkdir()
    provider = "" if database else '[database]\nprovider = "none"\n'
    (root / ".agent-worktrees" / "config.toml").write_text(CONFIG + provider)
    ask(root, "agent-coord", "init")
    return root


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
