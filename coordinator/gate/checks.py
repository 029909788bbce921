"""Runs the chosen checks on one exact tree.

The bench is a slot of its own kind (`gate-1`): a detached worktree with its own database, ports and
cache folders, brought to the commit under judgement before each run, so that nothing of an agent's
worktree (ignored files, a warm cache, a left-over row) can turn a red change green. Checks run in the
configured order, neighbours that say so side by side, and stop after the first red one (on the base branch itself they
go on, because what it passes is held against others). A check that runs into its
time limit is red with that reason, and its whole process group is killed; so is one whose report shows less coverage
than it asks for, or none.

A red check is run again, and only that one: when it passes then, it passed, and is recorded as flaky. A whole gate is
never repeated, which would cost everybody behind it more than a flake does.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from coordinator.gate.choice import batches
from coordinator.gate.coverage import covered
from coordinator.gate_settings import Check
from resources.databases.environment import MISLEADING
from resources.system.files import replace_file
from resources.system.process import clean_environment, run_bounded

SET_UP = "database"
"""What stands for a check where the database for all of them could not be made; when it could, it is not told of."""


@dataclass(frozen=True)
class CheckResult:
    """What one check said. `log` is the file with its output, `tail` the end; `flaky`: it passed when repeated."""

    name: str
    passed: bool
    code: int
    seconds: float
    log: str
    tail: str
    flaky: bool = False


@dataclass(frozen=True)
class Verdict:
    """The gate's word on a tree: passed, or the first red check."""

    passed: bool
    results: tuple[CheckResult, ...]

    @property
    def failed(self) -> CheckResult | None:
        """The red check, None when all passed."""
        return next((result for result in self.results if not result.passed), None)

    @property
    def flaky(self) -> tuple[str, ...]:
        """The checks that passed only when they were repeated."""
        return tuple(result.name for result in self.results if result.flaky)

    @property
    def why(self) -> str:
        """One sentence."""
        red = self.failed
        if red is None:
            return "all checks passed"
        return f"check {red.name} failed with code {red.code}" if red.code else f"check {red.name} failed"

    @property
    def seconds(self) -> float:
        """How long the checks ran, those side by side counted each."""
        return sum(result.seconds for result in self.results)

    def to_json(self) -> str:
        """As kept in the ledger."""
        return json.dumps([asdict(result) for result in self.results])

    @classmethod
    def of(cls, passed: bool, evidence: str) -> Verdict:
        """From the ledger."""
        return cls(passed, tuple(CheckResult(**record) for record in json.loads(evidence)))


@dataclass(frozen=True)
class Conduct:
    """How checks are run: how often a red one is repeated, who may call it off, and whether all run whatever is red."""

    reruns: int = 1
    cancelled: Callable[[], bool] = lambda: False
    whole: bool = False


def run_checks(
    checks: Sequence[Check], tree: Path, environment: Mapping[str, str], logs: Path, conduct: Conduct | None = None
) -> Verdict:
    """Run the checks in `tree` until one is red, or all of them (`Conduct.whole`); output goes to `logs`/NAME.log."""
    conduct = conduct or Conduct()
    results: list[CheckResult] = []
    for batch in batches(checks):
        with ThreadPoolExecutor(len(batch), "check") as threads:
            results += threads.map(lambda check: _repeated(check, tree, environment, logs, conduct), batch)
        if not conduct.whole and not all(result.passed for result in results):
            break
    return Verdict(all(result.passed for result in results), tuple(results))


def _repeated(check: Check, tree: Path, environment: Mapping[str, str], logs: Path, conduct: Conduct) -> CheckResult:
    result = _run(check, tree, environment, logs, conduct)
    for _ in range(conduct.reruns):
        if result.passed or conduct.cancelled():
            break
        again = _run(check, tree, environment, logs / "again", conduct)
        result = replace(again, flaky=again.passed, seconds=round(result.seconds + again.seconds, 3))
    return result


def _run(check: Check, tree: Path, environment: Mapping[str, str], logs: Path, conduct: Conduct) -> CheckResult:
    environment = seen_by_checks(environment)
    done = run_bounded(check.run, cwd=tree, env=environment, timeout=check.timeout, cancelled=conduct.cancelled)
    log = logs / f"{check.name.replace('/', '_')}.log"
    output = done.out + done.err
    replace_file(log, b"$ " + " ".join(check.run).encode() + b"\n" + output)
    tail = done.complaint + (f"\n(stopped after {check.timeout:g} s)" if done.timed_out else "")
    tail += f"\n(it printed so much that {done.left_out} bytes are not in {log})" if done.left_out else ""
    passed = done.code == 0 and not done.timed_out
    if passed and check.min_coverage:
        short = _too_little(check, tree, output)
        passed, tail = not short, short or tail
    return CheckResult(check.name, passed, done.code, round(done.seconds, 3), str(log), tail)


def _too_little(check: Check, tree: Path, output: bytes) -> str:
    """What is wrong with the coverage of a check that passed, "" when it is enough."""
    where = check.coverage_report or "its output"
    try:
        text = (
            (tree / check.coverage_report).read_text(errors="replace")
            if check.coverage_report
            else output.decode(errors="replace")
        )
    except OSError as error:
        return f"{check.name} left no coverage report: {error}"
    percent = covered(text)
    if percent is None:
        return f"{check.name}: no coverage figure is to be found in {where}"
    if percent < check.min_coverage:
        return f"coverage is {percent:.1f} %, at least {check.min_coverage:g} % is asked for ({where})"
    return ""


def seen_by_checks(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that the gate starts."""
    inherited = {key: value for key, value in clean_environment().items() if key not in MISLEADING}
    return inherited | dict(environment)


def tool_chain(commands: Iterable[Sequence[str]]) -> str:
    """What decides a verdict besides the tree: the system, and the programs that these commands name.

    A program is known by its path, size and time of change, and looked for behind every word (`uv run pytest` names
    two); what they start in turn is not seen.
    """
    known = [platform.platform()]
    for word in sorted({word for command in commands for word in command if _may_be_program(word)}):
        found = shutil.which(word)
        if found is not None:
            stat = Path(found).stat()
            known.append(f"{found} {stat.st_size} {stat.st_mtime_ns}")
    return "\n".join(known)


def _may_be_program(word: str) -> bool:
    # What lies in the repository is part of the tree.
    return bool(word) and not any(sign.isspace() for sign in word) and ("/" not in word or word.startswith("/"))
