"""Which finished, unlanded work each waiting issue is to begin on: pure.

On what it depends on in the tracker, when all of that is finished. And on what it would else wait for until it has
landed although nobody works on it any more: work that is predicted to touch the same files or is of the same track, and
work that has changed a file which it is sure to touch, or on which its own last attempt failed. So in a row of issues
that build on each other in the same files each begins when the one before it is finished, and the row is a gate run
shorter for every link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from analyzer.planning.policy import Policy
from analyzer.planning.proposal import Plan
from analyzer.scopes.conflicts import corrected
from analyzer.scopes.scope import Scope
from coordinator.merging.stack import Finished, Footing, footing
from coordinator.tasks.claims import Task


def find_footings(
    plan: Plan, policy: Policy, pending: Sequence[Task], finished: Sequence[Finished], most: int,
    trouble: Mapping[str, Set[str]],
) -> dict[str, Footing]:  # fmt: skip
    """Issue -> what it may begin on, for those that should not begin without finished work below them.

    `finished` stands in landing order, `most` levels of it may lie below one another; `trouble` tells on which paths an
    issue's last attempt failed.
    """
    near, track_of = overlaps(plan, policy), tracks(plan)
    ready, found = set(plan.ready), {}
    for task in pending:
        held = plan.held.get(task.issue)
        needs = set(held.waits_for) if held is not None and not held.held else set()
        if not needs and task.issue not in ready:
            continue
        close = {*near.get(task.issue, {}), *_companions(task.issue, track_of)} if task.filter != "all" else set()
        mine = _sure(plan.scopes.get(task.issue), policy) if task.filter != "all" else set()
        mine |= trouble.get(task.issue, frozenset()) if task.state == "retry" else set()
        met = {one.issue for one in finished if one.issue in close or not mine.isdisjoint(one.paths)}
        if needs or met:
            found[task.issue] = footing(tuple(needs | met), finished, most)
    return found


def overlaps(plan: Plan, policy: Policy) -> dict[str, dict[str, str]]:
    """Issue -> the issues that are not worked on beside it, each with a path that both are predicted to touch."""
    found: dict[str, dict[str, str]] = {}
    for conflict in plan.issue_conflicts:
        if conflict.p >= policy.conflict_at and (policy.hot == "serialize" or not conflict.hot_only):
            found.setdefault(conflict.a, {})[conflict.b] = conflict.witness
            found.setdefault(conflict.b, {})[conflict.a] = conflict.witness
    return found


def _sure(scope: Scope | None, policy: Policy) -> set[str]:
    """The files that reservations keep for an issue alone: another as sure of one would be kept apart from it."""
    if scope is None:
        return set()
    hot = set(scope.hot) if policy.hot != "serialize" else set()
    return {file.path for file in scope.files if corrected(file.p**2) >= policy.conflict_at} - hot


def tracks(plan: Plan) -> dict[str, str]:
    """Issue -> its track."""
    return {issue: track.id for track in plan.tracks for issue in track.issues}


def _companions(issue: str, track_of: Mapping[str, str]) -> set[str]:
    mine = track_of.get(issue)
    return {other for other, track in track_of.items() if track == mine} if mine is not None else set()
