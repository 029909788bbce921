"""Runs the configured checks on one exact tree.

The bench is a slot of its own kind (`gate-1`): a detached worktree with its own database, ports and
cache folders, brought to the commit under judgement before each run, so that nothing of an agent's
worktree (ignored files, a warm cache, a left-over row) can turn a red change green. Checks run in the
configured order and stop at the first red one. A check that runs into its time limit is red with that
reason, and its whole process group is killed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from coordinator.config import Check
from resources.databases.environment import MISLEADING
from resources.system.files import replace_file
from resources.system.process import clean_environment, run

OUTPUT_KEPT = 200_000
"""Bytes of a check's output that are kept, its end."""


@dataclass(frozen=True)
class CheckResult:
    """What one check said. `log` is the file with its output, `tail` the last lines."""

    name: str
    passed: bool
    code: int
    seconds: float
    log: str
    tail: str


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
    def why(self) -> str:
        """One sentence."""
        red = self.failed
        return f"check {red.name} failed with code {red.code}" if red else "all checks passed"

    def to_json(self) -> str:
        """As kept in the ledger."""
        return json.dumps([asdict(result) for result in self.results])

    @classmethod
    def of(cls, passed: bool, evidence: str) -> Verdict:
        """From the ledger."""
        return cls(passed, tuple(CheckResult(**record) for record in json.loads(evidence)))


def gate_key(checks: Sequence[Check]) -> str:
    """Identifies a definition of the gate: a verdict holds for a tree under exactly these checks."""
    return hashlib.sha256(json.dumps([asdict(check) for check in checks]).encode()).hexdigest()[:16]


def run_checks(checks: Sequence[Check], tree: Path, environment: Mapping[str, str], logs: Path) -> Verdict:
    """Run every check in `tree` until one is red; output goes to `logs`/NAME.log."""
    results: list[CheckResult] = []
    for check in checks:
        result = _run(check, tree, environment, logs)
        results.append(result)
        if not result.passed:
            break
    return Verdict(all(result.passed for result in results), tuple(results))


def _run(check: Check, tree: Path, environment: Mapping[str, str], logs: Path) -> CheckResult:
    inherited = {key: value for key, value in clean_environment().items() if key not in MISLEADING}
    done = run(check.run, cwd=tree, env=inherited | dict(environment), timeout=check.timeout, check=False)
    log = logs / f"{check.name.replace('/', '_')}.log"
    output = (done.out + done.err)[-OUTPUT_KEPT:]
    replace_file(log, b"$ " + " ".join(check.run).encode() + b"\n" + output)
    tail = done.complaint + (f"\n(stopped after {check.timeout:g} s)" if done.timed_out else "")
    passed = done.code == 0 and not done.timed_out
    return CheckResult(check.name, passed, done.code, round(done.seconds, 3), str(log), tail)
