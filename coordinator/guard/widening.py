"""`scope widen`: an attempt asks for paths beyond its scope, and gets them or the holder's name.

What is asked for is held firmly, beside others who asked for the same; a guess of somebody else gives way. The answer
is in the ledger's log either way, with the reason that was given.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.globs import normalise
from coordinator.guard.grants import allow
from coordinator.guard.posts import SCOPE_FILE, admin_folder
from coordinator.guard.rule import LOCKED, is_plain
from coordinator.guard.settings import ScopeSettings
from coordinator.mail import reservations
from resources.state import leases
from resources.state.leases import Lease
from resources.state.store import Ledger
from resources.system.errors import Failure, NotNow
from resources.system.files import replace_file


@dataclass(frozen=True)
class Asked:
    """Who asks for what and why; `lease` is the slot's."""

    lease: Lease
    slot: Path
    patterns: tuple[str, ...]
    why: str


def lease_of(ledger: Ledger, name: str) -> Lease:
    """The live lease of a slot, named by itself or by the issue that it serves. Raises Failure("not-leased")."""
    with ledger.read() as snapshot:
        held = leases.live(snapshot, "slot")
    found = next((lease for lease in held if name in (lease.resource, lease.issue)), None)
    if found is None:
        raise Failure("not-leased", f"nobody works in {name}", mend="agent-coord pool status")
    return found


def widen(ledger: Ledger, settings: ScopeSettings, asked: Asked) -> list[str]:
    """Grant the patterns; returns them as they are kept.

    Raises NotNow("reserved") naming holder and expiry, Failure("protected"), Failure("bad-pattern"); nothing changes
    then.
    """
    wanted = [normalise(pattern) for pattern in asked.patterns]
    with ledger.read() as snapshot:
        folds = reservations.folds_case(snapshot)
    _refuse_protected(settings, wanted, folds)
    lease = asked.lease
    place = {"issue": lease.issue, "slot": lease.resource, "agent": lease.agent}
    try:
        with ledger.write() as tx:
            owner = leases.owner_of(tx, lease.fence)
            ttl = reservations.TTL if owner.pid else reservations.BY_HAND_TTL
            reservations.reserve(
                tx, wanted, agent=lease.agent, issue=lease.issue, why=asked.why, shared=settings.enforce != LOCKED,
                owner=owner, ttl=ttl, over_guesses=True,
            )  # fmt: skip
            tx.event("scope.widened", **place, patterns=wanted, why=asked.why)
    except NotNow as refusal:
        with ledger.write() as tx:
            tx.event("scope.refused", **place, patterns=wanted, why=asked.why, because=refusal.what)
        raise
    _tell_guard(asked.slot, wanted)
    return wanted


def _refuse_protected(settings: ScopeSettings, wanted: Sequence[str], folds: bool) -> None:
    for pattern in wanted:
        for protected in settings.protected:
            if reservations.common_path(pattern, protected, folds) is not None:
                raise Failure(
                    "protected",
                    f"{pattern} reaches into {protected}, which no attempt may write",
                    mend="leave it out; [scope] protected in .agent-worktrees/config.toml says what is protected",
                )


def _tell_guard(slot: Path, wanted: Sequence[str]) -> None:
    file = admin_folder(slot) / SCOPE_FILE
    if file.exists():
        scope = json.loads(file.read_text())
        scope["write"] = list(dict.fromkeys([*scope["write"], *wanted]))
        replace_file(file, json.dumps(scope, indent=1), mode=0o600)
        allow(file.parent, [pattern for pattern in wanted if is_plain(pattern)])
