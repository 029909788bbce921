"""The validation workers: gate benches, each with a worktree, a database and a thread of its own.

A bench is made when the first trial needs it and kept until the coordinator stops. The thread touches neither ledger
nor pool; what it finds is fetched by `ended`. A trial that is stopped has its checks killed; its bench is free again
as soon as its thread has noticed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from coordinator.bootstrap import Project
from coordinator.gate.bench import Bench, Subject
from coordinator.gate.checks import Conduct, Verdict
from coordinator.merging.parallelism import useful_workers
from resources.databases.databases import Databases
from resources.state.leases import Lease
from resources.state.store import Snapshot
from resources.system.errors import Failure
from resources.worktrees.checkout import slot_git
from resources.worktrees.pool import Held

GATE = "gate"
"""The purpose of the benches' slots, and the name under which they are leased."""

MOST_WORKERS = 8
"""No more gates at once than this, unless the configuration says so."""


@dataclass
class _Job:
    """A trial on its bench; `few` and `many` are the least and the most that ran beside it so far."""

    trial: int
    verdict: Future[Verdict]
    stopped: threading.Event
    few: int
    many: int


@dataclass
class _Place:
    held: Held
    bench: Bench
    databases: Databases | None
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, GATE))
    job: _Job | None = None


@dataclass(frozen=True)
class Ended:
    """A trial whose gate has ended. `beside` is how many ran beside it all the while, -1 when that changed."""

    trial: int
    verdict: Verdict | None
    beside: int
    failure: Failure | None = None


class Workers(Protocol):
    """Whoever judges trials."""

    @property
    def running(self) -> int:
        """How many trials are being judged."""
        ...

    @property
    def leases(self) -> list[Lease]:
        """What must be renewed meanwhile."""
        ...

    def judge(self, trial: int, subject: Subject) -> None:
        """Begin to judge. Raises Failure when that is not possible."""
        ...

    def stop(self, trial: int) -> None:
        """Nobody waits for this trial any more."""
        ...

    def ended(self) -> Iterator[Ended]:
        """The trials that have ended since the last call, those that were stopped included."""
        ...

    def close(self) -> None:
        """Stop everything and give everything back."""
        ...


class Benches:
    """Up to as many benches as are asked for; `Workers` on this machine."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._places: list[_Place] = []

    @property
    def running(self) -> int:
        """How many trials have a bench."""
        return sum(place.job is not None for place in self._places)

    @property
    def leases(self) -> list[Lease]:
        """What must be renewed."""
        return [place.held.lease for place in self._places]

    def judge(self, trial: int, subject: Subject) -> None:
        """Begin to judge. Raises Failure when no bench can be had."""
        place = next((one for one in self._places if one.job is None), None) or self._make(subject.base)
        stopped = threading.Event()
        conduct = Conduct(self._project.config.gate.reruns, stopped.is_set)
        verdict = place.thread.submit(place.bench.judge, subject, place.databases, conduct)
        place.job = _Job(trial, verdict, stopped, self.running, self.running)
        self._count()

    def stop(self, trial: int) -> None:
        """Have the checks of a trial killed; nothing when it has no bench."""
        for place in self._places:
            if place.job is not None and place.job.trial == trial:
                place.job.stopped.set()

    def ended(self) -> Iterator[Ended]:
        """The trials whose gate has ended since the last call, those that were stopped included."""
        for place in self._places:
            job = place.job
            if job is None or not job.verdict.done():
                continue
            place.job = None
            beside = job.few if job.few == job.many else -1
            self._count()
            try:
                yield Ended(job.trial, job.verdict.result(), beside)
            except Failure as failure:
                yield Ended(job.trial, None, -1, failure)

    def close(self) -> None:
        """Stop what runs, wait for it, and give the benches back."""
        for place in self._places:
            if place.job is not None:
                place.job.stopped.set()
        for place in self._places:
            place.thread.shutdown(wait=True, cancel_futures=True)
            with suppress(Failure):
                # Nothing in a bench is anybody's work: on its base again, the pool finds nothing to save in it.
                slot_git(place.bench.slot.path, "checkout", "--quiet", "--force", "--detach", place.held.base)
            self._project.pool.release(place.held.lease)
            if place.databases is not None:
                place.databases.close()
        self._places.clear()

    def _count(self) -> None:
        beside = self.running - 1
        for place in self._places:
            if place.job is not None:
                place.job.few, place.job.many = min(place.job.few, beside), max(place.job.many, beside)

    def _make(self, base: str) -> _Place:
        project = self._project
        pool = project.pool
        if not any(slot.state == "idle" for slot in pool.slots(GATE)):
            pool.grow(1, GATE)
        held = pool.acquire(GATE, GATE, base=base, purpose=GATE)
        bench = Bench(held.slot, held.environment, project.logs, project.repository)
        place = _Place(held, bench, project.more_databases())
        self._places.append(place)
        return place


def measured_workers(snapshot: Snapshot, gates: Sequence[str]) -> int:
    """How many gates at once the machine is good for, from the runs of the full one of these gates so far."""
    timed: dict[int, list[float]] = {}
    for row in snapshot.all("trials-timed", gate=gates[0]):
        timed.setdefault(row["beside"] + 1, []).append(row["seconds"])
    return useful_workers(timed, min(MOST_WORKERS, os.cpu_count() or 1))
