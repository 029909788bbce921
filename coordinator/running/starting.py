"""What starts next: the newest plan, the tasks that wait, the free seats and slots, and an attempt for each that may.

`tasks` and `plan` are looked at afresh at every tick. What cannot be started keeps the reason, in the ledger, for
`status`. The attempts under way are the loop's; what is begun here is put among them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from analyzer.planning.proposal import Epic, Plan
from coordinator.bootstrap import Project
from coordinator.crowd import Room, crowd_of, free, room
from coordinator.merging import queue
from coordinator.merging.lane import PATIENCE
from coordinator.merging.own import begun_at
from coordinator.running import attempts
from coordinator.running.assign import Choice, choose, on_last
from coordinator.running.attempts import Attempt, Job
from coordinator.running.byhand import free_closed
from coordinator.running.grounds import Grounds
from coordinator.running.outcomes import give_up
from coordinator.running.pauses import Pauses
from coordinator.running.planning import Planning
from coordinator.tasks import claims
from coordinator.tasks.claims import ACTIVE, PENDING, Task, Wish
from coordinator.tasks.lifecycle import Setback
from coordinator.tasks.tracker import Tracker
from resources.monitor.sample import current_levels
from resources.system.clock import wall
from resources.system.errors import Failure, NotNow

WishFor = Callable[[Plan], list[Wish]]
"""What else is to be taken up, given the newest plan."""


def _close_epics(epics: Iterable[Epic], tracker: Tracker) -> None:
    for epic in epics:
        if epic.closable:
            tracker.close(epic.id, "all children are closed")


class Starting:
    """Begins attempts of one project, among those `under_way` (issue -> attempt)."""

    def __init__(
        self, project: Project, under_way: dict[str, Attempt], pauses: Pauses, wish_for: WishFor, *,
        most: int | None = None, ahead: bool = True,
    ) -> None:  # fmt: skip
        """`most` is how many issues are begun at the most; `ahead` as `crowd.free` means it."""
        self.planning = Planning(project)
        self.grounds = Grounds(project)
        self.setbacks: dict[str, Setback] = {}
        """On what the last attempt at an issue failed, as far as this coordinator has heard of it."""
        self.throttled = False
        """Whether something other than the work keeps everybody from starting."""
        self._project = project
        self._under_way = under_way
        self._pauses = pauses
        self._wish_for = wish_for
        self._left = most
        self._ahead = ahead
        self._not_before: dict[str, float] = {}

    def plan(self, seats: int) -> Plan:
        """The plan as it is now; what it wishes for is taken up."""
        is_new = self.planning.renew(seats, self._under_way)
        plan = self.planning.plan
        assert plan is not None
        if is_new:
            project = self._project
            with project.ledger.write() as tx:
                claims.enlist(tx, self._wish_for(plan), again=False)
            if project.config.tracker.close_epics:
                project.mirror(partial(_close_epics, plan.epics))
            for line in free_closed(project, self.planning.issues, self._under_way):
                project.say(line)
        return plan

    def tick(self, plan: Plan, seats: int) -> None:
        """Begin whatever may begin."""
        pending, self.throttled = self._pending(), False
        if not pending:
            return
        levels = current_levels(self._project.repository)
        critical = [reading.resource for reading in levels if reading.level == "critical"]
        choice = self._choose(plan, pending, Room(0) if critical else self._room(seats))
        self.throttled = bool(critical or self._pauses.why)
        waits = dict(choice.waits)
        by_issue = {task.issue: task for task in pending}
        for issue in choice.start:
            refusal = self._begin(by_issue[issue], plan)
            if refusal:
                waits[issue] = refusal
        if choice.vain and not self._may_come():
            for issue in choice.vain:
                give_up(self._project, by_issue[issue], sorted(self.setbacks[issue].paths))
        over = " and ".join(f"{resource} is over its critical limit" for resource in critical) or self._pauses.why
        self._explain(plan, pending, {issue: over or why for issue, why in waits.items()})

    def _choose(self, plan: Plan, pending: list[Task], places: Room) -> Choice:
        trouble = {issue: setback.paths for issue, setback in self.setbacks.items()}
        stated = frozenset(issue for issue, setback in self.setbacks.items() if setback.stated)
        last = on_last(pending, self._project.config.agents.attempts)
        ground = replace(self.grounds.look(plan, pending, trouble), stated=stated, last=last)
        return choose(plan, self._project.policy, pending, set(self._under_way), room=places, ground=ground)

    def _may_come(self) -> bool:
        """Whether something may still land that no attempt of ours stands for, or start when the machine lets it."""
        with self._project.ledger.read() as snapshot:
            tasks = claims.all_tasks(snapshot)
            return bool(queue.waiting(snapshot)) or any(
                task.state in ACTIVE or (task.state in PENDING and task.issue in self._not_before) for task in tasks
            )

    def _room(self, seats: int) -> Room:
        crowd = crowd_of(attempt.state for attempt in self._under_way.values())
        if self._project.config.shared:
            # In one checkout a place need not be made, and what is finished keeps its own.
            found = free(seats, crowd, ahead=False)
        else:
            idle = sum(slot.state == "idle" for slot in self._project.pool.slots())
            found = room(seats, crowd, idle, ahead=self._ahead)
        return found.at_most(self._left).at_most(self._pauses.room(self._under_way))

    def _pending(self) -> list[Task]:
        with self._project.ledger.read() as snapshot:
            tasks = [task for task in claims.all_tasks(snapshot) if task.state in PENDING]
        closed = [task for task in tasks if self.planning.is_closed(task.issue)]
        if closed:
            with self._project.ledger.write() as tx:
                for task in closed:
                    claims.move(tx, task, "released", "the issue was closed in the tracker")
        now = time.monotonic()
        return [task for task in tasks if task not in closed and self._not_before.get(task.issue, 0.0) <= now]

    def _begin(self, task: Task, plan: Plan) -> str:
        project = self._project
        issue, scope = self.planning.issues[task.issue], plan.scopes.get(task.issue)
        stack = self.grounds.under(task.issue)
        base = stack.commit if stack else self._base(task)
        job = Job(task, issue, scope, self._agent_name(), base, stack)
        try:
            attempt = attempts.begin(project, job)
        except NotNow as refusal:
            return refusal.what
        except Failure as failure:
            # The machine's trouble, not the issue's: no attempt is used up, and the others go on.
            self._not_before[task.issue] = time.monotonic() + PATIENCE
            project.say(f"{task.issue} could not be started: {failure.render()}")
            return failure.what
        self._under_way[task.issue] = attempt
        if self._left is not None and task.attempt == 0:
            self._left -= 1
        project.say(f"{task.issue}: {job.agent} starts attempt {attempt.task.attempt} in {attempt.held.slot.name}")
        return ""

    def _base(self, task: Task) -> str:
        tip = self._project.base_tip()
        if not self._project.config.shared:
            return tip
        with self._project.ledger.read() as snapshot:
            return begun_at(self._project.repository.root, snapshot, task, tip)

    def _agent_name(self) -> str:
        taken = {attempt.claim.agent for attempt in self._under_way.values()}
        return next(name for number in range(1, len(taken) + 2) if (name := f"agent-{number}") not in taken)

    def _explain(self, plan: Plan, pending: list[Task], waits: Mapping[str, str]) -> None:
        tracks = {issue: track.id for track in plan.tracks for issue in track.issues}
        changed = [task for task in pending if task.issue in waits and waits[task.issue] != task.why]
        if not changed:
            return
        with self._project.ledger.write() as tx:
            for task in changed:
                track = tracks.get(task.issue, task.track)
                tx.change("task-why", issue=task.issue, why=waits[task.issue], track=track, changed_at=wall())
