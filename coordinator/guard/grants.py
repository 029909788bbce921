"""What is free becomes the writer's by writing there: reserved on the spot, and told in the ledger's log.

Called from a hook when it meets a path that nobody holds, once for each path; also by `scope widen` and by the
landing check. The slot's list of paths that need no question (`allowed`) grows with it, so that the ref guard's
shell script can pass a commit without starting Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analyzer.globs import escape
from coordinator.guard.rule import LOCKED
from coordinator.mail import reservations
from resources.state import leases
from resources.state.sqlite import SqliteLedger
from resources.state.store import Transaction
from resources.system.errors import Failure

ALLOWED = "allowed"
"""The file beside the scope file: one plain path in a line."""


def grant(scope: Mapping[str, Any], paths: Sequence[str]) -> list[str]:
    """Reserve free paths for a slot's attempt; returns why not, [] when done."""
    try:
        ledger = SqliteLedger(Path(scope["state"]))
        try:
            with ledger.write() as tx:
                take(tx, scope, paths, why="written by the attempt")
        finally:
            ledger.close()
    except Failure as failure:
        return [f"{failure.what} ({failure.why})" if failure.why else failure.what]
    allow(Path(scope["admin"]), paths)
    return []


def take(tx: Transaction, scope: Mapping[str, Any], paths: Sequence[str], *, why: str) -> None:
    """Hold paths beside others for the attempt that `scope` names (agent, issue, slot, fence).

    Raises NotNow("reserved") when somebody has taken one of them for himself meanwhile.
    """
    agent, issue, owner = scope["agent"], scope["issue"], leases.owner_of(tx, scope["fence"])
    reservations.reserve(
        tx, [escape(path) for path in paths], agent=agent, issue=issue, why=why, shared=scope.get("mode") != LOCKED,
        owner=owner, over_guesses=True,
    )  # fmt: skip
    tx.event("scope.granted", issue=issue, agent=agent, slot=scope["slot"], paths=sorted(paths), why=why)


def allow(admin: Path, paths: Sequence[str]) -> None:
    """Add paths to the list that needs no question."""
    with (admin / ALLOWED).open("a") as stream:
        stream.writelines(f"{path}\n" for path in paths if "\n" not in path)
