"""`scope check`: whether paths would be refused, said beforehand and by the rule of the landing check.

Holds come from the ledger and the rule from the coordinator's own configuration, so the answer is what the landing
would find now; nothing is reserved by asking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coordinator.guard.landing import live_holds
from coordinator.guard.posts import rule_for
from coordinator.guard.rule import REFUSED, advice, judge
from coordinator.guard.settings import ScopeSettings
from resources.state.leases import Lease
from resources.state.store import Ledger
from resources.system.git import changed_files, dirty_files, folds_case
from resources.system.repository import Repository
from resources.worktrees.checkout import slot_git
from resources.worktrees.slots import Slot


@dataclass(frozen=True)
class Foreseen:
    """A path, what the rule says of it ("free", "grant": writing reserves it, "refused"), and why it refuses."""

    path: str
    verdict: str
    why: str


def foresee(
    repository: Repository, ledger: Ledger, settings: ScopeSettings, lease: Lease, paths: Sequence[str]
) -> list[Foreseen]:
    """The rule on each path for the attempt that a slot's lease stands for."""
    rule = rule_for(settings, lease.agent, lease.issue, folds=folds_case(repository.root))
    with ledger.read() as snapshot:
        holds = live_holds(snapshot, lease.issue)
    rulings = [(path, judge(rule, holds, path)) for path in paths]
    return [
        Foreseen(path, ruling.verdict, advice(lease.resource, path, ruling) if ruling.verdict == REFUSED else "")
        for path, ruling in rulings
    ]


def changed_in(slot: Slot, revisions: str, *, staged: bool) -> list[str]:
    """What differs in a slot: in the index (`staged`), between `revisions` (A..B of `git diff`), or since its base.

    Raises Failure("git-failed") when the revisions name no commits.
    """
    shape = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff")
    if staged:
        return slot_git(slot.path, *shape, "--cached", read=True).records
    if revisions:
        return slot_git(slot.path, *shape, "--end-of-options", revisions, "--", read=True).records
    return sorted({*changed_files(slot.path, slot.base, "HEAD"), *dirty_files(slot.path)})
