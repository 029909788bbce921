"""One tick: watch the agents, move the landing lane, start what may start.

The loop owns every attempt of this project while it runs; a lock makes it the only one. What it knows
stands in the ledger, so that after `kill -9` the next loop (or `doctor --fix`) finds what was going on:
leases whose owner is dead, agents whose output goes on into a file, entries that were being checked.
A tick never waits for an agent or a gate; whoever drives the loop only repeats it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from analyzer.proposal import Epic, Plan
from coordinator import attempts
from coordinator.assign import choose
from coordinator.attempts import Attempt, Job
from coordinator.bootstrap import Project
from coordinator.byhand import free_closed, settle_alone
from coordinator.grounds import Grounds
from coordinator.mail import reservations
from coordinator.merging import queue
from coordinator.merging.lane import PATIENCE, Lane, Ruling
from coordinator.merging.one_branch import OneBranch
from coordinator.merging.own import begun_at
from coordinator.outcomes import refused, settle
from coordinator.pauses import Pauses
from coordinator.planning import Planning
from coordinator.tasks import claims
from coordinator.tasks.claims import PENDING, Task, Wish
from coordinator.tasks.lifecycle import Next, Outcome, Setback, Step, after_failure, decide
from coordinator.tasks.tracker import Tracker
from coordinator.transcripts.activity import Ending
from coordinator.watching import finished, watch
from resources.monitor.sample import current_levels
from resources.state import leases
from resources.system.clock import wall
from resources.system.errors import Failure, NotNow

RENEW_EVERY = 10.0
"""Seconds between renewals of leases that live 60 s."""

WishFor = Callable[[Plan], list[Wish]]
"""What else is to be taken up, given the newest plan."""


def _close_epics(epics: Iterable[Epic], tracker: Tracker) -> None:
    for epic in epics:
        if epic.closable:
            tracker.close(epic.id, "all children are closed")


class Loop:
    """The coordinator of one project: `seats` agents at once, taking up what `wish_for` names."""

    def __init__(self, project: Project, *, seats: int, wish_for: WishFor, most: int | None = None) -> None:
        """`most` is how many issues are begun at the most."""
        self.project = project
        self.seats = seats
        self.landed = 0
        self._left = most
        self._throttled = False
        self._wish_for = wish_for
        self._attempts: dict[str, Attempt] = {}
        self._planning = Planning(project)
        self._renewed = 0.0
        self._not_before: dict[str, float] = {}
        self._setbacks: dict[str, Setback] = {}
        self.draining = False
        self._lane = (OneBranch if project.config.shared else Lane)(project, self._title)
        self._grounds = Grounds(project)
        self._pauses = Pauses(project)

    def tick(self) -> bool:
        """One pass; False when nothing is under way and nothing more can start."""
        self._renew()
        for attempt in list(self._attempts.values()):
            self._watch(attempt)
        for ruling in self._lane.tick():
            self._apply(ruling)
        for attempt, why in list(self._grounds.shaken(self._attempts)):
            self._conclude(attempt, Outcome.UNFOUNDED, why)
        self._resume()
        if not self.draining:
            self._start_more()
        return bool(self._attempts) or self._lane.busy or self._throttled

    @property
    def at_work(self) -> int:
        """How many agents run now."""
        return sum(attempt.running is not None for attempt in self._attempts.values())

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
        if issue in self._planning.issues:
            return self._planning.issues[issue].title
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
                now = Setback(attempt.held.base, frozenset(seen.files))
                self._conclude(attempt, after_failure(self._setbacks.get(attempt.issue.id), now), seen.why)
                self._setbacks[attempt.issue.id] = now

    def _resume(self) -> None:
        for attempt in [one for one in self._attempts.values() if one.paused]:
            self._stop_if(attempt, attempt.paused if self.draining else self._pauses.resume(attempt, self._attempts))

    def _stop_if(self, attempt: Attempt, why: str) -> None:
        if why:
            self._conclude(attempt, Outcome.STOPPED, why)

    def _queue(self, attempt: Attempt, tip: str) -> None:
        with self.project.ledger.write() as tx:
            claims.move(tx, attempt.task, "judging")
            queue.enqueue(tx, finished(attempt, tip))

    def _apply(self, ruling: Ruling) -> None:
        self._setbacks[ruling.issue] = Setback("", frozenset(ruling.paths))
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
        if attempt.running is not None:
            return
        del self._attempts[issue]
        self.landed += step.next is Next.FINISH
        if step.next is Next.FINISH:
            self.project.pool.refresh(self.project.base_tip())

    # -- what starts next -------------------------------------------------------------------------------

    def _start_more(self) -> None:
        plan = self._replan()
        for attempt in [one for issue, one in self._attempts.items() if self._planning.is_closed(issue)]:
            self._conclude(attempt, Outcome.CLOSED, "the issue was closed in the tracker")
        pending = self._pending()
        self._throttled = False
        if not pending:
            return
        free = self.seats - len(self._attempts)
        for most in (self._left, self._pauses.room(self._attempts)):
            free = free if most is None else min(free, most)
        critical = [
            reading.resource for reading in current_levels(self.project.repository) if reading.level == "critical"
        ]
        choice = choose(
            plan, self.project.policy, pending, set(self._attempts), seats=0 if critical else free,
            ground=self._grounds.look(
                plan, pending, {issue: setback.paths for issue, setback in self._setbacks.items()}
            ),
        )  # fmt: skip
        self._throttled = bool(critical or self._pauses.why)
        waits = dict(choice.waits)
        by_issue = {task.issue: task for task in pending}
        for issue in choice.start:
            refusal = self._begin(by_issue[issue], plan)
            if refusal:
                waits[issue] = refusal
        over = " and ".join(f"{resource} is over its critical limit" for resource in critical) or self._pauses.why
        self._explain(plan, pending, {issue: over or why for issue, why in waits.items()})

    def _pending(self) -> list[Task]:
        with self.project.ledger.read() as snapshot:
            tasks = [task for task in claims.all_tasks(snapshot) if task.state in PENDING]
        closed = [task for task in tasks if self._planning.is_closed(task.issue)]
        if closed:
            with self.project.ledger.write() as tx:
                for task in closed:
                    claims.move(tx, task, "released", "the issue was closed in the tracker")
        now = time.monotonic()
        return [task for task in tasks if task not in closed and self._not_before.get(task.issue, 0.0) <= now]

    def _begin(self, task: Task, plan: Plan) -> str:
        issue, scope = self._planning.issues[task.issue], plan.scopes.get(task.issue)
        stack = self._grounds.under(task.issue)
        base = stack.commit if stack else self._base(task)
        job = Job(task, issue, scope, self._agent_name(), base, stack)
        try:
            attempt = attempts.begin(self.project, job)
        except NotNow as refusal:
            return refusal.what
        except Failure as failure:
            # The machine's trouble, not the issue's: no attempt is used up, and the others go on.
            self._not_before[task.issue] = time.monotonic() + PATIENCE
            self.project.say(f"{task.issue} could not be started: {failure.render()}")
            return failure.what
        self._attempts[task.issue] = attempt
        if self._left is not None and task.attempt == 0:
            self._left -= 1
        self.project.say(f"{task.issue}: {job.agent} starts attempt {attempt.task.attempt} in {attempt.held.slot.name}")
        return ""

    def _base(self, task: Task) -> str:
        tip = self.project.base_tip()
        if not self.project.config.shared:
            return tip
        with self.project.ledger.read() as snapshot:
            return begun_at(self.project.repository.root, snapshot, task, tip)

    def _agent_name(self) -> str:
        taken = {attempt.claim.agent for attempt in self._attempts.values()}
        return next(name for number in range(1, len(taken) + 2) if (name := f"agent-{number}") not in taken)

    def _replan(self) -> Plan:
        is_new = self._planning.renew(self.seats, self._attempts)
        plan = self._planning.plan
        assert plan is not None
        if is_new:
            with self.project.ledger.write() as tx:
                claims.enlist(tx, self._wish_for(plan), again=False)
            if self.project.config.tracker.close_epics:
                self.project.mirror(partial(_close_epics, plan.epics))
            for line in free_closed(self.project, self._planning.issues, self._attempts):
                self.project.say(line)
        return plan

    def _explain(self, plan: Plan, pending: list[Task], waits: Mapping[str, str]) -> None:
        tracks = {issue: track.id for track in plan.tracks for issue in track.issues}
        changed = [task for task in pending if task.issue in waits and waits[task.issue] != task.why]
        if not changed:
            return
        with self.project.ledger.write() as tx:
            for task in changed:
                track = tracks.get(task.issue, task.track)
                tx.change("task-why", issue=task.issue, why=waits[task.issue], track=track, changed_at=wall())
