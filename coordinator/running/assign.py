"""Which of the waiting tasks start now, and why the others wait: pure.

The order is the plan's rank: urgency, longest chain, age; whoever waits passes its place on to those for whom it is
likely to wait (`tasks/elders`). The plan's timetable is not followed to the letter, because
estimates are rough and people write issues in the order in which they build on each other: taken in that
order, 120 issues of a real history landed with 135 attempts, in the timetable's order 91 of them with 274.
A task starts when it is ready (all that it depends on has landed, or is finished and can be built on), when no
issue of its track is under way, when no issue under way is predicted to touch its files (under the filter
`all` landing settles such overlaps instead), when no older one that touches them goes first (`tasks/elders`), when
another attempt makes sense, and when a seat is free.
Each of the others gets one sentence: the first of these that is not met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from analyzer.globs import escape
from analyzer.planning.policy import Policy
from analyzer.planning.proposal import Plan
from analyzer.scopes.conflicts import corrected
from analyzer.scopes.scope import Scope
from coordinator.crowd import Room
from coordinator.running.footholds import overlaps, tracks
from coordinator.tasks.claims import Task
from coordinator.tasks.elders import Candidate, find_elders, gives_way, places
from coordinator.tasks.lifecycle import may_retry


@dataclass(frozen=True)
class Choice:
    """The issues to start, in order, and why each other waiting issue waits.

    `vain` are those that wait for a landing where they failed although nothing is under way that could bring it.
    """

    start: tuple[str, ...]
    waits: Mapping[str, str] = field(default_factory=dict)
    vain: tuple[str, ...] = ()


FIRM_AT = 0.8
"""The probability from which a guess is as good as a statement."""


@dataclass(frozen=True)
class Claims:
    """The paths that an attempt reserves: `firm` and `exclusive` for itself, `shared` beside others who do the same."""

    firm: tuple[str, ...] = ()
    """Exclusive, and so sure that nobody else may write there meanwhile; the other exclusive ones are guesses."""
    exclusive: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.firm, *self.exclusive, *self.shared)


def paths_to_reserve(scope: Scope | None, policy: Policy, *, share: bool) -> Claims:
    """What to reserve for a scope, so that reservations refuse only what the plan keeps apart.

    A file is reserved exclusively when two issues as sure of it as this one would be kept apart (what p * p says
    reaches `conflict_at`), and so are patterns and new files. Hot files are shared unless the policy serialises them;
    files that are merely possible are not reserved. With `share` everything is. What is declared or nearly certain is
    firm: it refuses others' writes too, not only their start.
    """
    if scope is None:
        return Claims()
    hot = frozenset(scope.hot) if policy.hot != "serialize" else frozenset()
    chance = {escape(file.path): file.p for file in scope.files}
    sure = [path for path in scope.write if corrected(chance.get(path, 1.0) ** 2) >= policy.conflict_at]
    alone = [path for path in sure if path not in hot and not share]
    certain = chance | dict(scope.new)
    firm = tuple(path for path in alone if certain.get(path, 1.0) >= FIRM_AT)
    return Claims(
        firm, tuple(path for path in alone if path not in firm), tuple(path for path in sure if path not in alone)
    )


@dataclass(frozen=True)
class Ground:
    """What the base branch is and what happened to it.

    `landed` maps the commit that an attempt started from to the paths of each landing since, `trouble` an issue to
    the paths that its last attempt failed on (where that is known).
    """

    base: str
    landed: Mapping[str, Sequence[Set[str]]] = field(default_factory=dict)
    trouble: Mapping[str, Set[str]] = field(default_factory=dict)
    stacks: Mapping[str, Set[str]] = field(default_factory=dict)
    """Issue -> the finished issues that it may begin on before they have landed."""
    brought: Mapping[str, Sequence[Set[str]]] = field(default_factory=dict)
    """Issue -> the paths of each of these that its last attempt did not have below it."""
    stated: Set[str] = frozenset()
    """The issues whose last attempt itself said where it failed: on the same ground it would fail there again."""
    last: Set[str] = frozenset()
    """The issues that have one attempt left."""
    unstacked: Mapping[str, str] = field(default_factory=dict)
    """Issue -> why it may not, though all that it depends on is finished."""


def on_last(pending: Sequence[Task], attempts: int) -> frozenset[str]:
    """The issues that have failed and may have one attempt more, of `attempts`."""
    return frozenset(task.issue for task in pending if task.state == "retry" and task.attempt + 1 >= attempts)


def choose(
    plan: Plan, policy: Policy, pending: Sequence[Task], under_way: Set[str], *, room: Room, ground: Ground
) -> Choice:
    """Choose among `pending`; `under_way` are the issues that hold a slot, `room` says how many more may start.

    When nothing is under way and nothing can start, what failed is tried again although nothing has changed, unless its
    agent said on which files it failed. What was tried in vain on this very base goes last, so
    that at such a standstill each gets its turn.
    """
    found = _choose(plan, policy, pending, under_way, room, ground)
    if found.start or under_way or not room.agents:
        return found
    found = _choose(plan, policy, pending, None, room, ground)
    if found.start:
        return found
    ready = {*plan.ready, *ground.stacks}
    failed = [task.issue for task in pending if task.state == "retry" and task.issue in ready]
    return replace(found, vain=tuple(issue for issue in failed if issue in ground.stated))


def _choose(
    plan: Plan, policy: Policy, pending: Sequence[Task], under_way: Set[str] | None, room: Room, ground: Ground
) -> Choice:
    """Without `under_way` the work stands still."""
    track_of, near = tracks(plan), overlaps(plan, policy)
    last = ground.last if under_way is not None else frozenset()
    candidates, age = _candidates(plan, policy, pending, ground, last), _ages(plan, pending)
    elders = find_elders(candidates, _apart(pending, near))
    held = {one.issue for one in candidates if not one.able}
    order = places({issue: place for place, issue in enumerate(plan.ready)}, elders, [*age], held)
    blocked = {one.id: one.why for one in plan.blocked} | dict(ground.unstacked)
    ready = {*plan.ready, *ground.stacks}
    started: list[str] = []
    waits: dict[str, str] = {}
    stale = {task.issue: task.attempt if task.state == "retry" and task.base == ground.base else 0 for task in pending}
    for task in sorted(
        pending, key=lambda task: (stale[task.issue], order.get(task.issue, len(order)), age[task.issue])
    ):
        active = ((under_way or set()) | set(started)) - ground.stacks.get(task.issue, frozenset())
        why = (
            _not_ready(task, ready, blocked)
            or _same_track(task, track_of, active)
            or _overlap(task, near.get(task.issue, {}), active)
            or _resolver(task, ground, active)
            or _elder(elders.get(task.issue, ""), task.issue in last)
            or (_older(plan, task.issue, active) if task.issue in last else "")
            or _no_retry(task, plan.scopes.get(task.issue), ground, under_way is not None)
            or (room.why if len(started) >= room.agents else "")
        )
        if why:
            waits[task.issue] = why
        else:
            started.append(task.issue)
    return Choice(tuple(started), waits)


def _not_ready(task: Task, ready: Set[str], blocked: Mapping[str, str]) -> str:
    return "" if task.issue in ready else blocked.get(task.issue, "is not ready in the tracker")


def _same_track(task: Task, track_of: Mapping[str, str], active: Set[str]) -> str:
    mine = track_of.get(task.issue)
    other = next((issue for issue in sorted(active) if mine is not None and track_of.get(issue) == mine), None)
    return f"{other} of the same track {mine} is under way" if other and task.filter != "all" else ""


def _overlap(task: Task, overlaps: Mapping[str, str], active: Set[str]) -> str:
    other = next((issue for issue in sorted(active) if issue in overlaps), None)
    return f"{other} is predicted to touch {overlaps[other]} too" if other and task.filter != "all" else ""


def _resolver(task: Task, ground: Ground, active: Set[str]) -> str:
    """Two who mend a conflict in one file at the same time make the next one."""
    mine = ground.trouble.get(task.issue, frozenset()) if task.state == "retry" else frozenset()
    other = next((issue for issue in sorted(active) if mine & ground.trouble.get(issue, frozenset())), None)
    return f"{other} is mending a conflict in the same files" if other else ""


def _apart(pending: Sequence[Task], overlaps: Mapping[str, Mapping[str, str]]) -> dict[str, Set[str]]:
    """What is predicted to meet each issue, where that keeps it from starting."""
    return {task.issue: overlaps.get(task.issue, {}).keys() for task in pending if task.filter != "all"}


def _ages(plan: Plan, pending: Sequence[Task]) -> dict[str, int]:
    """Pending issue -> how many are older, the oldest first."""
    issues = plan.backlog.issues
    written = {task.issue: issues[task.issue].created if task.issue in issues else None for task in pending}
    oldest = sorted(written, key=lambda issue: (written[issue] is None, written[issue] or 0.0, issue))
    return {issue: place for place, issue in enumerate(oldest)}


def _candidates(plan: Plan, policy: Policy, pending: Sequence[Task], ground: Ground, last: Set[str]) -> list[Candidate]:
    ready, found = set(plan.ready), []
    for task in pending:
        if task.issue not in ready:
            continue
        issue, scope = plan.backlog.issues[task.issue], plan.scopes.get(task.issue)
        likely = {file.path for file in scope.files if file.p >= policy.scope.reserve_at} if scope else set()
        failed = ground.trouble.get(task.issue, frozenset()) if task.state == "retry" else frozenset()
        able = not _no_retry(task, scope, ground, others=True)
        created = float("inf") if issue.created is None else issue.created
        paths = frozenset(likely | failed), frozenset(failed)
        found.append(Candidate(created, task.issue, issue.priority, able, task.issue in last, *paths))
    return found


def _elder(other: str, last: bool) -> str:
    if not other:
        return ""
    return (
        f"one attempt is left: {other} is older and goes first"
        if last
        else f"{other} is older and touches the same files: it goes first"
    )


def _older(plan: Plan, issue: str, active: Set[str]) -> str:
    """Who has one attempt left waits for older ones that are under way, too."""
    issues = plan.backlog.issues
    mine, urgency = issues[issue].created, issues[issue].priority
    waited = (issues[other] for other in active if other in issues and gives_way(urgency, issues[other].priority))
    older = [other.id for other in waited if other.created is not None and (mine is None or other.created < mine)]
    return f"one attempt is left: {min(older)} is older and under way" if older else ""


def _no_retry(task: Task, scope: Scope | None, ground: Ground, others: bool) -> str:
    if task.state != "retry":
        return ""
    predicted = {file.path for file in scope.files} if scope else set()
    trouble = ground.trouble.get(task.issue) or predicted
    news = [*ground.landed.get(task.base, ()), *ground.brought.get(task.issue, ())]
    if may_retry(news, trouble, others, stated=task.issue in ground.stated):
        return ""
    # Not the sentence that the task bears now: it is replaced by this one, and would grow with every look.
    return f"attempt {task.attempt} did not land; tries again when more has landed where it failed"
