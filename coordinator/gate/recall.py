"""What the gate ran, found again in the ledger: a verdict has the commands' names and exit codes."""

from __future__ import annotations

from collections.abc import Mapping

from coordinator.gate.checks import CheckResult, Verdict
from coordinator.gate_settings import GateSettings
from coordinator.tasks.handoffs import Ran
from resources.state.store import Snapshot


def ran_before(snapshot: Snapshot, settings: GateSettings, issue: str) -> tuple[Ran, ...]:
    """The commands of the verdict because of which the issue's newest entry bounced, in order; none without one."""
    row = snapshot.one("verdict-blamed", issue=issue)
    verdict = Verdict.of(False, row["evidence"]) if row else Verdict(False, ())
    commands = {check.name: " ".join(check.run) for check in settings.checks}
    return tuple(_ran(result, commands) for result in verdict.results)


def _ran(result: CheckResult, commands: Mapping[str, str]) -> Ran:
    return Ran(commands.get(result.name, result.name), result.code, result.passed, result.log)
