"""The place where the gate judges: one worktree and database that hold exactly the commit in question.

A bench works in a thread of its own, so that agents are watched while checks run; it therefore touches
neither the ledger nor the pool, only the folder, the database and the verdict that it returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coordinator.config import Check
from coordinator.gate.checks import CheckResult, Verdict, run_checks
from resources.databases.databases import Databases
from resources.system.errors import Failure
from resources.worktrees.checkout import slot_git
from resources.worktrees.pool import Slot

AUTHORS_FAULT = ("migrate-failed", "extension-missing")
"""What a database refuses because of the change itself; anything else is trouble of the machine."""


@dataclass(frozen=True)
class Bench:
    """A gate slot ready for use, and what its checks see."""

    slot: Slot
    environment: Mapping[str, str]
    checks: Sequence[Check]
    logs: Path

    def judge(self, commit: str, databases: Databases | None, label: str) -> Verdict:
        """Bring the bench to `commit` and run the checks; `label` names the folder of their output.

        Raises Failure when the machine could not judge (no server, no disk); that says nothing about the change.
        """
        place = self.slot.path
        slot_git(place, "checkout", "--quiet", "--force", "--detach", commit)
        slot_git(place, "clean", "-ffdxq")
        environment = dict(self.environment) | {"CI": "true", "PYTHONDONTWRITEBYTECODE": "1"}
        if databases is not None:
            try:
                environment |= databases.reset(self.slot.name, place).environment
            except Failure as failure:
                if failure.reference not in AUTHORS_FAULT:
                    raise
                return _red_set_up(failure)
        return run_checks(self.checks, place, environment, self.logs / label)


def _red_set_up(failure: Failure) -> Verdict:
    # Migrations that do not run: the author gets the message, not the operator.
    tail = "\n".join(part for part in (failure.what, failure.why) if part)
    return Verdict(False, (CheckResult("database", False, 1, 0.0, "", tail),))
