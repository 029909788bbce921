"""A world of coordinators over the ledger's real SQL in memory, run by a seed.

Actors claim issues, reserve paths, move tasks, renew, give back, and act late with what they remember: a holder that
slept through its expiry is reaped by another and then wakes up. Time is not waited for: a term is ended by renewing it
to the past. After every step an independent model says what must be true; `Broken` names the first thing that is not.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from analyzer.globs import intersect
from coordinator.mail import reservations
from coordinator.tasks import claims
from coordinator.tasks.claims import Wish
from resources.state import leases
from resources.state.leases import Lease, Owner
from resources.state.queries import statements, versions
from resources.state.sqlite import Session
from resources.system.errors import NotNow

ISSUES = tuple(f"i{number}" for number in range(4))
PATTERNS = ("src/**", "src/a.py", "src/*.py", "docs/a.md", "docs/**")
ACTORS = ("ann", "bob", "cat")


class Broken(AssertionError):
    """An invariant that does not hold."""


class Faulty(Session):
    """A session in which some statements are replaced by wrong ones."""

    def __init__(self, connection: sqlite3.Connection, faults: Mapping[str, str]) -> None:
        super().__init__(connection)
        self._known = {**statements(), **faults}

    def all(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(self._known[statement], values)]

    def change(self, statement: str, **values: Any) -> int:
        return self._connection.execute(self._known[statement], values).rowcount


class World:
    """One run. `faults` replace statements, `spoil` is SQL that damages the schema."""

    def __init__(self, seed: int, faults: Mapping[str, str] | None = None, spoil: str = "") -> None:
        self._random = random.Random(seed)
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for statement in (one for version in versions() for one in version):
            self._connection.execute(statement)
        if spoil:
            self._connection.execute(spoil)
        self._session = Faulty(self._connection, faults or {})
        self._held: dict[str, Lease] = {}
        """The truth: issue -> the lease that lives."""
        self._remembered: list[tuple[str, Lease]] = []
        self._fence = 0
        self._told: set[str] = set()
        self._seq = 0
        with self._write() as tx:
            claims.enlist(tx, [Wish(issue, issue, "", "p", "all", n) for n, issue in enumerate(ISSUES)], again=False)

    @contextmanager
    def _write(self) -> Generator[Session]:
        self._connection.execute("BEGIN")
        try:
            yield self._session
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def run(self, steps: int) -> None:
        """Take so many random steps, checking everything after each."""
        moves = (self._claim, self._claim, self._act_late, self._give_back, self._sleep_and_reap, self._crash)
        for _ in range(steps):
            self._random.choice(moves)()
            self._check()
        self._connection.close()

    def _claim(self) -> None:
        issue, agent = self._random.choice(ISSUES), self._random.choice(ACTORS)
        patterns = self._random.sample(PATTERNS, self._random.randint(0, 2))
        shared = self._random.random() < 0.3
        try:
            with self._write() as tx:
                lease = claims.claim(tx, issue, agent)
                name = f"{agent}-{issue}"
                reservations.reserve(tx, patterns, agent=name, issue=issue, why="", shared=shared, owner=Owner.timed())
                task = claims.find_task(tx, issue)
                if task is None:
                    raise Broken(f"{issue} has no task")
                claims.begin(tx, task, lease, agent=agent, program="p", slot="", branch="", base="")
        except NotNow:
            return
        if issue in self._held:
            raise Broken(f"{issue} was claimed twice")
        if lease.fence <= self._fence:
            raise Broken(f"fence {lease.fence} was given out before")
        self._fence = lease.fence
        self._held[issue] = lease
        self._remembered.append((issue, lease))

    def _act_late(self) -> None:
        """Somebody acts on a lease that it remembers, living or not."""
        if not self._remembered:
            return
        issue, lease = self._random.choice(self._remembered)
        lives = self._held.get(issue) == lease
        with self._write() as tx:
            task = claims.find_task(tx, issue)
            if task is None:
                raise Broken(f"{issue} has no task")
            before = (task.state, task.fence)
            kind = self._random.choice(("renew", "release", "move"))
            if kind == "renew":
                done = leases.renew(tx, lease.fence)
            elif kind == "move":
                stale = replace(task, fence=lease.fence)
                done = claims.move(tx, stale, self._random.choice(("working", "judging")))
            else:
                done = leases.release(tx, lease)
                if lives:
                    claims.give_back(tx, replace(task, fence=lease.fence))
                    reservations.release_issue(tx, issue)
                    self._held.pop(issue)
            after = claims.find_task(tx, issue)
        if done != lives:
            raise Broken(f"{kind} under fence {lease.fence} of {issue} answered {done}, though it lives: {lives}")
        if not lives and after is not None and (after.state, after.fence) != before:
            raise Broken(f"a stale {kind} changed the task {issue}")

    def _give_back(self) -> None:
        if not self._held:
            return
        issue = self._random.choice(sorted(self._held))
        with self._write() as tx:
            task = claims.find_task(tx, issue)
            if task is None or task.fence != self._held[issue].fence:
                raise Broken(f"{issue} is held under a fence that its task does not have")
            reservations.release_issue(tx, issue)
            claims.move(tx, task, self._random.choice(("retry", "waiting")))
            claims.give_back(tx, task)
        self._held.pop(issue)

    def _sleep_and_reap(self) -> None:
        """A holder sleeps through its term; another takes the lease away. It will wake up in `_act_late`."""
        if not self._held:
            return
        issue = self._random.choice(sorted(self._held))
        with self._write() as tx:
            leases.renew(tx, self._held[issue].fence, ttl=-1)
            over = [lease for lease in leases.live(tx, "issue") if leases.is_over(lease)]
            for lease in over:
                task = claims.find_task(tx, lease.issue)
                leases.release(tx, lease)
                reservations.release_issue(tx, lease.issue)
                if task is not None and task.fence == lease.fence:
                    claims.give_back(tx, task)
        if [lease.issue for lease in over] != [issue]:
            raise Broken(f"{[lease.issue for lease in over]} were over, not {issue}")
        self._held.pop(issue)

    def _crash(self) -> None:
        """A process dies in the middle of a transaction: nothing of it may stay."""
        before = self._connection.serialize()
        with suppress(NotNow, ZeroDivisionError), self._write() as tx:
            lease = claims.claim(tx, self._random.choice(ISSUES), "dan")
            reservations.reserve(tx, ["x/**"], agent="dan", issue=lease.issue, why="", owner=Owner.timed())
            _ = 1 // 0
        if self._connection.serialize() != before:
            raise Broken("a transaction that did not end has left something")

    def _check(self) -> None:
        rows = self._connection.execute("SELECT * FROM lease WHERE released_at IS NULL").fetchall()
        living = {(row["resource"], row["fence"]) for row in rows}
        if len(living) != len({resource for resource, _ in living}):
            raise Broken("two live leases of one issue")
        if living != {(issue, lease.fence) for issue, lease in self._held.items()}:
            raise Broken(f"live are {sorted(living)}, but held are {sorted(self._held)}")
        self._check_reservations()
        self._check_log(living)

    def _check_reservations(self) -> None:
        rows = self._connection.execute("SELECT * FROM reservation WHERE released_at IS NULL").fetchall()
        for row in rows:
            if row["issue"] not in self._held:
                raise Broken(f"{row['pattern']} is still reserved for {row['issue']}, which nobody holds")
        for place, one in enumerate(rows):
            for other in rows[:place]:
                apart = one["agent"] == other["agent"] or (one["shared"] and other["shared"])
                if not apart and intersect(one["pattern"], other["pattern"]) is not None:
                    raise Broken(f"{one['agent']} and {other['agent']} hold overlapping paths")

    def _check_log(self, living: set[tuple[str, int]]) -> None:
        news = "SELECT seq, kind, issue FROM event WHERE seq > ? ORDER BY seq"
        for row in self._connection.execute(news, (self._seq,)).fetchall():
            self._seq = row["seq"]
            if row["kind"] == "issue.leased":
                self._told.add(row["issue"])
            elif row["kind"] == "issue.released":
                self._told.discard(row["issue"])
        if self._told != {resource for resource, _ in living}:
            raise Broken(f"the log tells of {sorted(self._told)}, but {sorted(living)} live")
