"""Berths: places for agents in one checkout, for a repository where worktrees cannot be used.

A berth is lent and taken back through the same door as a slot (`Pool`), so that attempts, the gate and the ledger know
no difference; but it is only a lease, a folder of its own among our state (guard, hooks, the program's room), and an
environment. It has no row in the ledger: nothing that repairs, cleans or removes slots can ever take the user's own
checkout for one. Benches are worktrees as always.

When a berth is given back, what its agent had locked and not committed is saved under a ref, as everywhere, and these
files are put back as the branch has them, for whoever locks them next. Files that were changed before the attempt
began and have not been touched since are not its own and stay; so do all commits.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from analyzer.casing import pattern_key
from analyzer.globs import PatternSet
from coordinator.guard.posts import SCOPE_FILE
from coordinator.guard.rule import same
from coordinator.mail.reservations import folds_case
from resources.state import leases
from resources.state.leases import Lease, owner_is_dead
from resources.state.store import Snapshot
from resources.system.errors import Failure, NotNow
from resources.system.files import file_lock
from resources.system.git import current_branch, dirty_files
from resources.system.process import ProcessId, is_alive
from resources.system.repository import Repository
from resources.worktrees.pool import Held, Pool, Released, Slot
from resources.worktrees.saving import Work, put_away
from resources.worktrees.view import View

PREFIX = "berth-"
FULL = {"mode": "full"}


@contextmanager
def index_lock(repository: Repository, *, wait: float = 60.0) -> Generator[None]:
    """Whoever changes the index of the shared checkout holds this; git's own lock makes the second one fail at once."""
    with file_lock(repository.state / "index.lock", what="the index of the checkout", wait=wait, inherited=True):
        yield


class Berths(Pool):
    """The pool of a shared checkout: its work slots are berths, its gate slots are worktrees."""

    def slots(self, purpose: str = "work") -> list[Slot]:
        """The berths that are taken, or the benches."""
        if purpose != "work":
            return super().slots(purpose)
        return [self._berth(lease.resource) for lease in self._leases()]

    def grow(self, count: int, purpose: str = "work") -> list[Slot]:
        """Berths need not be made."""
        return super().grow(count, purpose) if purpose != "work" else []

    def acquire(
        self, issue: str, agent: str, *, base: str, view: View | None = None, purpose: str = "work", prefer: str = ""
    ) -> Held:
        """Lease a berth; `base` is where the work on the issue began.

        Raises NotNow("pool-full"), Failure("other-branch") when the checkout does not stand on the base branch.
        """
        if purpose != "work":
            return super().acquire(issue, agent, base=base, view=view, purpose=purpose, prefer=prefer)
        branch = self._yard.base_branch()
        if current_branch(self._yard.repository.root) != branch:
            raise Failure(
                "other-branch", f"the checkout does not stand on {branch}, on which all agents commit",
                mend=f"git switch {branch}",
            )  # fmt: skip
        with self._yard.records.ledger.write() as tx:
            taken = {lease.resource: lease for lease in _seated(tx)}
            if len(taken) >= self._yard.settings.maximum:
                held = "; ".join(f"{name}: {lease.agent} for {lease.issue}" for name, lease in taken.items())
                raise NotNow("pool-full", "no berth is free", why=held, mend="wait, or raise [pool] maximum")
            name = next(name for one in range(1, len(taken) + 2) if (name := f"{PREFIX}{one}") not in taken)
            lease = leases.take(tx, "slot", name, agent=agent, issue=issue)
        berth = self._berth(name)
        return Held(berth, lease, branch, base, self.environment(berth, lease, issue, agent))

    def environment(self, slot: Slot, lease: Lease, issue: str, agent: str) -> dict[str, str]:
        """As of a slot, without ports and a database; git finds the berth's hooks by it, and no other program's."""
        found = super().environment(slot, lease, issue, agent)
        if slot.is_berth:
            found = {name: value for name, value in found.items() if "PORT" not in name}
            hooks = str(slot.admin / "hooks").replace("'", "'\\''")
            # One variable and not the three of GIT_CONFIG_COUNT: programs filter names that look like a key.
            found["GIT_CONFIG_PARAMETERS"] = f"'core.hooksPath={hooks}'"
        return found

    def release(self, lease: Lease, *, keep: bool = False) -> Released:
        """Take a berth back; with `keep` uncommitted files stay as they are. Raises Failure("stale-lease")."""
        if not lease.resource.startswith(PREFIX):
            return super().release(lease, keep=keep)
        if not self._yard.records.holds(lease):
            raise Failure("stale-lease", f"lease {lease.fence} on {lease.resource} has ended; nothing was changed")
        refs: list[str] = []
        why = ""
        try:
            if not keep and (left := self._left(lease)):
                with index_lock(self._yard.repository):
                    refs = put_away(self._work(lease), self._yard.repository.root, left)
        except (Failure, OSError) as error:
            why = f"its uncommitted files stay in the checkout: {error}"
            self._yard.log(f"{lease.resource}: {why}")
        self._yard.records.end(lease)
        for ref in refs:
            self._yard.log(f"work of {lease.agent} for {lease.issue} is saved: {ref}")
        return Released(refs[0] if refs else None, why or None)

    def uncommitted(self, slot: Slot) -> list[str]:
        """The files that the agent of a berth has locked, changed and not committed; of a bench, all changed ones."""
        lease = next((one for one in self._leases() if one.resource == slot.name), None)
        return self._left(lease) if lease else [] if slot.is_berth else super().uncommitted(slot)

    def _left(self, lease: Lease) -> list[str]:
        root = self._yard.repository.root
        with self._yard.records.ledger.read() as snapshot:
            rows = [row for row in snapshot.all("reservations-ever") if row["issue"] == lease.issue]
            folds = folds_case(snapshot)
        rows = [row for row in rows if not (row["shared"] or row["predicted"]) and row["taken_at"] >= lease.taken_at]
        alone = [pattern_key(row["pattern"]) if folds else row["pattern"] for row in rows]
        locked, before = PatternSet(alone), self._before(lease.resource)
        dirty = (path for path in dirty_files(root) if not path.endswith("/"))
        return [path for path in dirty if locked.match(same(path, folds)) and _time(root / path) != before.get(path)]

    def collect(self, slot: Slot) -> None:
        """The branch of a berth is in the main repository."""

    def refresh(self, base: str) -> None:
        """Nothing waits ahead of its use."""

    def repair(self) -> list[str]:
        """Take back berths whose owner is gone and whose agent runs no more, then put the benches in order."""
        gone = [lease for lease in self._leases() if owner_is_dead(lease.owner) and not self._runs(lease)]
        lines = []
        for lease in gone:
            done = self.release(lease)
            saved = f", its uncommitted work is saved in {done.saved_ref}" if done.saved_ref else ""
            lines.append(f"{lease.resource} was taken back from {lease.agent}, whose process is gone{saved}")
        return lines + super().repair()

    def wanted_change(self, waiting: int, *, over: bool) -> int:
        """Berths follow the agents by themselves."""
        return 0

    def _leases(self) -> list[Lease]:
        with self._yard.records.ledger.read() as snapshot:
            return _seated(snapshot)

    def _runs(self, lease: Lease) -> bool:
        process = self._yard.records.agent_of(lease)
        pid, start = process.get("pid"), process.get("start")
        return isinstance(pid, int) and isinstance(start, str) and is_alive(ProcessId(pid, start))

    def _berth(self, name: str) -> Slot:
        repository, number = self._yard.repository, int(name.removeprefix(PREFIX))
        home = repository.state / "berths" / name
        return Slot(name, number, "work", repository.root, "leased", "", FULL, "", (0, 0), "", home)

    def _work(self, lease: Lease) -> Work:
        return Work(self._yard.repository, lease.resource, lease.issue, "", self._yard.base_branch())

    def _before(self, name: str) -> Mapping[str, int]:
        try:
            return json.loads((self._berth(name).admin / SCOPE_FILE).read_text()).get("main", {})
        except (OSError, ValueError):
            return {}


def _seated(snapshot: Snapshot) -> list[Lease]:
    return [lease for lease in leases.live(snapshot, "slot") if lease.resource.startswith(PREFIX)]


def _time(file: Path) -> int:
    try:
        return file.lstat().st_mtime_ns
    except OSError:
        return 0
