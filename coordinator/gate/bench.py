"""The place where the gate judges: one worktree and database that hold exactly the commit in question.

A bench works in a thread of its own, so that agents are watched while checks run; it therefore touches
neither the ledger nor the pool, only the folder, the database and the verdict that it returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from coordinator.gate.checks import SET_UP, CheckResult, Conduct, Verdict, run_checks
from coordinator.gate.choice import Choice
from coordinator.gate.review import Reviewed, ask
from resources.databases.databases import Databases
from resources.system.errors import Failure
from resources.system.files import replace_file
from resources.system.repository import Repository
from resources.worktrees.checkout import slot_git
from resources.worktrees.own_config import regain
from resources.worktrees.pool import Slot

AUTHORS_FAULT = ("migrate-failed", "extension-missing")
"""What a database refuses because of the change itself; anything else is trouble of the machine."""


@dataclass(frozen=True)
class Subject:
    """What is judged: `commit`, made of `base` and the work on an issue, by `choice`; `label` names its logs."""

    commit: str
    base: str
    issue: str
    title: str
    label: str
    choice: Choice
    whole: bool = False
    """Whether each check has a word, whatever the ones before it said."""


@dataclass(frozen=True)
class Bench:
    """A gate slot ready for use, and what its checks see."""

    slot: Slot
    environment: Mapping[str, str]
    logs: Path
    repository: Repository

    def judge(self, subject: Subject, databases: Databases | None, conduct: Conduct | None = None) -> Verdict:
        """Bring the bench to the subject's commit, run the checks, and ask the reviewer when they have passed.

        Raises Failure when the machine could not judge (no server, no disk); that says nothing about the change.
        """
        place, logs = self.slot.path, self.logs / subject.label
        regain(self.repository, place)  # the checks of the last subject were its author's to write
        slot_git(place, "checkout", "--quiet", "--force", "--detach", subject.commit)
        slot_git(place, "clean", "-ffdxq")
        environment = dict(self.environment) | {"CI": "true", "PYTHONDONTWRITEBYTECODE": "1"}
        if databases is not None:
            try:
                environment |= databases.reset(self.slot.name, place).environment
            except Failure as failure:
                if failure.reference not in AUTHORS_FAULT:
                    raise
                return _red_set_up(failure)
        conduct = replace(conduct or Conduct(), whole=subject.whole)
        verdict = run_checks(subject.choice.checks, place, environment, logs, conduct)
        if not verdict.passed or not subject.choice.review.run:
            return verdict
        diff = logs / "change.diff"
        replace_file(diff, slot_git(place, "diff", "--no-ext-diff", subject.base, subject.commit).out)
        said = ask(subject.choice.review, Reviewed(subject.issue, subject.title, diff), place, environment, logs)
        return Verdict(said.passed, (*verdict.results, said))


def _red_set_up(failure: Failure) -> Verdict:
    # Migrations that do not run: the author gets the message, not the operator.
    tail = "\n".join(part for part in (failure.what, failure.why) if part)
    return Verdict(False, (CheckResult(SET_UP, False, 1, 0.0, "", tail),))
