"""The wall: what is about to land is held against the scope once more, by the coordinator itself.

Nothing that an agent could have touched is believed here: the paths come from the commits, the rule from the
coordinator's own configuration, the holds from the ledger. Both diffs are looked at, the branch's own (from where it
left the base branch to its tip) and the one that the landing would make. It is asked before the gate, so that no gate
runs for nothing, and again at the moment of landing, because a reservation may have come between.
"""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.guard.grants import take
from coordinator.guard.posts import rule_for
from coordinator.guard.rule import GRANT, REFUSED, Hold, Ruling, advice, judge
from coordinator.guard.settings import ScopeSettings
from coordinator.mail import reservations
from coordinator.tasks.claims import find_task
from resources.state.leases import owner_is_dead
from resources.state.store import Ledger, Snapshot
from resources.system.commits import paths_between
from resources.system.crossing import own_fork
from resources.system.git import folds_case
from resources.system.repository import Repository

TOLD = 8
"""Paths that are told one by one."""


@dataclass(frozen=True)
class Landing:
    """A change that would land: whose (`fence` 0: nobody claims it), and the commits that say what it changes."""

    issue: str
    fence: int
    tip: str
    base: str
    merged: str


@dataclass(frozen=True)
class Trespass:
    """What a change may not write: the paths, whether others only hold them for now, sentences for the author."""

    paths: tuple[str, ...]
    held: bool
    why: str
    advice: str


def check_landing(repository: Repository, ledger: Ledger, settings: ScopeSettings, landing: Landing) -> Trespass | None:
    """What stands against the landing, None when nothing does; then every path of it is held by its attempt."""
    if settings.enforce == "off":
        return None
    paths, folds = _paths(repository, landing), folds_case(repository.root)
    with ledger.read() as snapshot:
        rulings, scope = _judge(snapshot, settings, landing, paths, folds)
    refused = {path: ruling for path, ruling in rulings.items() if ruling.verdict == REFUSED}
    free = [path for path, ruling in rulings.items() if ruling.verdict == GRANT]
    if not refused and free and landing.fence:
        with ledger.write() as tx:
            # Once more in the transaction that reserves: somebody may have been faster.
            rulings, scope = _judge(tx, settings, landing, paths, folds)
            refused = {path: ruling for path, ruling in rulings.items() if ruling.verdict == REFUSED}
            if not refused:
                take(tx, scope, free, why="found in the work that is to land")
    return _trespass(str(scope["slot"]), refused) if refused else None


def _paths(repository: Repository, landing: Landing) -> list[str]:
    root = repository.root
    fork = own_fork(root, landing.base, landing.tip).commit or landing.base
    return sorted({*paths_between(root, fork, landing.tip), *paths_between(root, landing.base, landing.merged)})


def _judge(
    snapshot: Snapshot, settings: ScopeSettings, landing: Landing, paths: list[str], folds: bool
) -> tuple[dict[str, Ruling], dict[str, object]]:
    task = find_task(snapshot, landing.issue)
    rule = rule_for(settings, task.agent if task else "", landing.issue, folds=folds)
    if not landing.fence and rule.mode == "strict":
        # A person queues a branch that no attempt stands for: it has no scope, but others have theirs.
        rule = rule._replace(mode="reserved-by-others")
    holds = live_holds(snapshot, landing.issue)
    slot = task.slot if task else landing.issue
    scope = {"agent": rule.agent, "issue": landing.issue, "slot": slot, "fence": landing.fence, "mode": rule.mode}
    return {path: judge(rule, holds, path) for path in paths}, scope


def live_holds(snapshot: Snapshot, issue: str) -> list[Hold]:
    """What is held now by whoever still lives, and for `issue` until it is given back (see `places.read_holds`)."""
    held = [one for one in reservations.live(snapshot) if one.issue == issue or not owner_is_dead(one.owner)]
    return [Hold(one.pattern, one.agent, one.issue, one.shared, one.predicted, one.expires_at) for one in held]


def _trespass(slot: str, refused: dict[str, Ruling]) -> Trespass:
    lines = [advice(slot, path, ruling) for path, ruling in refused.items()]
    rest = len(lines) - TOLD
    told = lines[:TOLD] + ([f"and {rest} more paths"] if rest > 0 else [])
    names = ", ".join(list(refused)[:3]) + (f" and {len(refused) - 3} more" if len(refused) > 3 else "")
    held = all(ruling.hold is not None for ruling in refused.values())
    return Trespass(tuple(refused), held, f"is out of scope in {names}", "\n".join(told))
