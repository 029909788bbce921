"""One tick: watch the agents, move the landing lane, go on with what came back, start what may start.

The loop owns every attempt of this project while it runs; a lock makes it the only one. What it knows
stands in the ledger, so that after `kill -9` the next loop (or `doctor --fix`) finds what was going on:
leases whose owner is dead, agents whose output goes on into a file, entries that were being checked.
A tick never waits for an agent or a gate; whoever drives the loop only repeats it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from coordinator.bootstrap import Project
from coordinator.mail import reservations
from coordinator.merging import queue
from coordinator.merging.lane import Lane, Ruling
from coordinator.merging.one_branch import OneBranch
from coordinator.running.attempts import Attempt
from coordinator.running.byhand import settle_alone
from coordinator.running.outcomes import refused, settle
from coordinator.running.pauses import Pauses
from coordinator.running.starting import Starting, WishFor
from coordinator.running.watching import finished, watch
from coordinator.tasks import claims
from coordinator.tasks.lifecycle import Next, Outcome, Setback, Step, decide
from coordinator.transcripts.activity import Ending
from resources.state import leases

RENEW_EVERY = 10.0
"""Seconds between renewals of leases that live 60 s."""


class Loop:
    """The coordinator of one project: `seats` agents at once, taking up what `wish_for` names."""

    def __init__(
        self, project: Project, *, seats: int, wish_for: WishFor, most: int | None = None, ahead: bool = True
    ) -> None:
        """`most` is how many issues are begun at the most; without `ahead` none while another waits to land."""
        self.project = project
        self.seats = seats
        self.landed = 0
        self.draining = False
        self._renewed = 0.0
        self._attempts: dict[str, Attempt] = {}
        self._lane = (OneBranch if project.config.shared else Lane)(project, self._title)
        self._pauses = Pauses(project)
        self._starting = Starting(project, self._attempts, self._pauses, wish_for, most=most, ahead=ahead)

    def tick(self) -> bool:
        """One pass; False when nothing is under way and nothing more can start."""
        self._renew()
        for attempt in list(self._attempts.values()):
            self._watch(attempt)
        for ruling in self._lane.tick():
            self._apply(ruling)
        for attempt, why in list(self._starting.grounds.shaken(self._attempts)):
            self._conclude(attempt, Outcome.UNFOUNDED, why)
        self._resume()
        if not self.draining:
            self._start_more()
        return bool(self._attempts) or self._lane.busy or self._starting.throttled

    @property
    def at_work(self) -> int:
        """How many agents work now, those that wait for their model included."""
        return sum(attempt.state == "working" for attempt in self._attempts.values())

    def take_over(self, adopted: Iterable[Attempt]) -> None:
        """Go on with attempts that a coordinator which died had begun."""
        self._attempts.update({attempt.issue.id: attempt for attempt in adopted})

    def drain(self) -> None:
        """Start nothing more; what is under way is finished."""
        self.draining = True

    def stop(self, why: str) -> None:
        """Give everything back at once: agents stopped, work saved, slots and claims released."""
        for attempt in list(self._attempts.values()):
            settle(self.project, attempt, Step(Next.RELEASE, why))
        self._attempts.clear()
        self._lane.close()

    def _title(self, issue: str) -> str:
        attempt = self._attempts.get(issue)
        if attempt is not None:
            return attempt.issue.title
        if issue in self._starting.planning.issues:
            return self._starting.planning.issues[issue].title
        # What waited to land when another coordinator died is taken up before the first plan is made.
        with self.project.ledger.read() as snapshot:
            task = claims.find_task(snapshot, issue)
        return task.title if task else issue

    # -- what is under way ------------------------------------------------------------------------------

    def _renew(self) -> None:
        if time.monotonic() - self._renewed < RENEW_EVERY:
            return
        self._renewed = time.monotonic()
        with self.project.ledger.write() as tx:
            for attempt in self._attempts.values():
                for lease in attempt.leases:
                    leases.renew(tx, lease.fence)
                reservations.renew(tx, attempt.claim.agent, attempt.issue.id)
            for lease in self._lane.leases:
                leases.renew(tx, lease.fence)

    def _watch(self, attempt: Attempt) -> None:
        seen = watch(self.project, attempt)
        if seen is None:
            return
        match seen.ending:
            case Ending.DONE if seen.resolved:
                self._pauses.close()
                accepted = self.project.config.gate.resolutions == "accept"
                self._conclude(attempt, Outcome.RESOLVED if accepted else Outcome.DOUBTED, seen.resolved)
            case Ending.DONE if not seen.why:
                self._pauses.close()
                self._queue(attempt, seen.tip)
            case Ending.DONE:
                self._conclude(attempt, Outcome.RED, seen.why)
            case Ending.UNAVAILABLE:
                self._pauses.pause(attempt, seen.why, seen.until)
            case Ending.LOST:
                self._stop_if(attempt, self._pauses.begin_anew(attempt))
            case Ending.UNGUARDED:
                self._conclude(attempt, Outcome.STOPPED, seen.why)
            case _:
                self._starting.setbacks[attempt.issue.id] = Setback(frozenset(seen.files), stated=bool(seen.files))
                self._conclude(attempt, Outcome.FAILED, seen.why)

    def _resume(self) -> None:
        """Go on with what waits for its model, and, before anything new, with what came back, in that order."""
        for attempt in [one for one in self._attempts.values() if one.paused]:
            self._stop_if(attempt, attempt.paused if self.draining else self._pauses.resume(attempt, self._attempts))
        bounced = [one for one in self._attempts.values() if one.bounced]
        for attempt in sorted(bounced, key=lambda one: one.bounced):
            if self.draining and self._pauses.why:
                self._stop_if(attempt, self._pauses.why)
            elif self.at_work < self.seats:
                self._stop_if(attempt, self._pauses.resume(attempt, self._attempts))

    def _stop_if(self, attempt: Attempt, why: str) -> None:
        if why:
            self._conclude(attempt, Outcome.STOPPED, why)

    def _queue(self, attempt: Attempt, tip: str) -> None:
        with self.project.ledger.write() as tx:
            claims.move(tx, attempt.task, "judging")
            queue.enqueue(tx, finished(attempt, tip))

    def _apply(self, ruling: Ruling) -> None:
        self._starting.setbacks[ruling.issue] = Setback(frozenset(ruling.paths))
        if attempt := self._attempts.get(ruling.issue):
            self._conclude(attempt, ruling.outcome, ruling.why, ruling.evidence)
        else:
            settle_alone(self.project, ruling)

    def _conclude(self, attempt: Attempt, outcome: Outcome, why: str, evidence: str = "") -> None:
        if outcome is Outcome.RED:
            outcome = refused(attempt, why)
        step = decide(outcome, attempt.task.attempt, self.project.config.agents.attempts, why)
        issue = attempt.issue.id
        self.project.say(f"{issue}: {step.why}")
        settle(self.project, attempt, step, why, evidence)
        if step.next is Next.RESUME:
            return
        del self._attempts[issue]
        self.landed += step.next is Next.FINISH
        if step.next is Next.FINISH:
            self.project.pool.refresh(self.project.base_tip())

    def _start_more(self) -> None:
        plan = self._starting.plan(self.seats)
        planning = self._starting.planning
        for attempt in [one for issue, one in self._attempts.items() if planning.is_closed(issue)]:
            self._conclude(attempt, Outcome.CLOSED, "the issue was closed in the tracker")
        self._starting.tick(plan, self.seats)
