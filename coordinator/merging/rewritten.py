"""What people have taken off the base branch (a reset, a force-push) does not come back by itself.

A branch that began on such a commit, or has merged one, would bring it in again when it lands. So the newest commit of
the base branch is remembered whenever it has moved or work begins on it. When the branch does not contain it any more,
it is kept in mind as dropped: work whose history meets it above the base branch carries something of it. In the ledger,
because a coordinator that starts later must know; the newest `MOST` are enough, what was dropped before is hardly in
use.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from coordinator.bootstrap import Project
from resources.state.store import Snapshot, Transaction
from resources.system.commits import fork_of, reaches

SEEN, DROPPED = "base_seen", "base_dropped"
"""Keys of the ledger: the newest commit of the base branch; a JSON list of commits that it stood on, newest first."""

MOST = 20


@dataclass
class Dropped:
    """The commits that a project's base branch stood on once and does not contain any more."""

    project: Project
    _tips: tuple[str, ...] = ()

    def see(self, base: str) -> None:
        """The base branch stands on the commit `base` now."""
        with self.project.ledger.read() as snapshot:
            before, self._tips = _known(snapshot)
        if before != base:
            with self.project.ledger.write() as tx:
                self._move(tx, base)

    def _move(self, tx: Transaction, base: str) -> None:
        before, tips = _known(tx)
        if before and not reaches(self.project.repository.root, base, before):
            tips = tuple(dict.fromkeys((before, *tips)))[:MOST]
            tx.change("meta-put", key=DROPPED, value=json.dumps(tips))
            tx.event("base.rewritten", before=before, now=base)
            name = self.project.base
            self.project.say(f"{name} was moved from {before[:10]} to {base[:10]}, which does not contain it")
        tx.change("meta-put", key=SEEN, value=base)
        self._tips = tips

    def carried(self, base: str, tip: str) -> str:
        """A dropped commit that `tip` would bring back to the base branch at `base`, "" when it brings none."""
        root = self.project.repository.root
        forks = (fork_of(root, dropped, tip) for dropped in self._tips)
        return next((fork for fork in forks if fork and not reaches(root, base, fork)), "")


def _known(snapshot: Snapshot) -> tuple[str, tuple[str, ...]]:
    seen, dropped = (snapshot.one("meta-get", key=key) for key in (SEEN, DROPPED))
    return str(seen["value"]) if seen else "", tuple(json.loads(dropped["value"])) if dropped else ()
