"""What attempts begin on and stand on: the base branch, or finished work that has not landed yet.

For the choice of what starts next: what landed since an attempt failed, and on which finished work each waiting issue
may begin (`footholds`). For what is under way: whether that still stands. An agent whose work stands on work that was
bounced is told at once, and again when that is mended, with the commit to merge and whether it conflicts; its own work
waits in the queue until then. When what is below will not land as it was, the attempt ends and is begun anew.

All of it is read from ledger and git at each look; only what was told is written down, so that it is told once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from analyzer.planning.proposal import Plan
from coordinator.bootstrap import Project
from coordinator.gate.evidence import outline
from coordinator.mail import letters
from coordinator.mail.alarm import send
from coordinator.merging import stack
from coordinator.merging.stack import Support, lost
from coordinator.merging.stacks import Base, Stacks
from coordinator.running.assign import Ground
from coordinator.running.attempts import Attempt
from coordinator.running.footholds import find_footings
from coordinator.tasks.claims import Task
from resources.system.commits import changed_by_each
from resources.system.git import merge_tree

NEWS = "news"
"""What `stack.told` says while the dependency is being mended."""

AT_WORK = ("working", "bounced")
"""The states of a task whose author goes on with it."""


@dataclass(frozen=True)
class _Word:
    """What an agent is told about a dependency: `told` is what is remembered of it."""

    told: str
    offered: str
    subject: str
    body: str


class Grounds:
    """The grounds of one project's attempts."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._stacks = Stacks(project)
        self._landed: dict[tuple[str, str], list[frozenset[str]]] = {}
        self._bases: dict[str, Base] = {}

    def look(self, plan: Plan, pending: Sequence[Task], trouble: Mapping[str, Set[str]]) -> Ground:
        """What the choice among `pending` depends on."""
        base = self._project.base_tip()
        unstacked = self._stack(plan, pending, base, trouble)
        stacks = {issue: frozenset(one.issue for one in found.parents) for issue, found in self._bases.items()}
        brought = {task.issue: self._brought(task) for task in pending if task.issue in stacks}
        return Ground(base, self._since(pending, base), trouble, stacks, brought, unstacked=unstacked)

    def under(self, issue: str) -> Base | None:
        """What the issue may begin on as of the last look, None for the base branch as it is."""
        return self._bases.get(issue)

    def _since(self, pending: Sequence[Task], base: str) -> dict[str, list[frozenset[str]]]:
        """What landed since the attempts that failed began, without what these had below them already."""
        root, begun = self._project.repository.root, {task.base for task in pending if task.state == "retry"}
        for then in begun - {""}:
            if (then, base) not in self._landed:
                landings = changed_by_each(root, then, base)
                news = [paths for tip, paths in landings if not tip or not self._stacks.reaches(then, tip)]
                self._landed[then, base] = news
        self._landed = {key: paths for key, paths in self._landed.items() if key[1] == base}
        return {then: paths for (then, _), paths in self._landed.items()}

    def _brought(self, task: Task) -> list[frozenset[str]]:
        parents = self._bases[task.issue].parents
        return [one.paths for one in parents if not task.base or not self._stacks.reaches(task.base, one.tip)]

    def _stack(self, plan: Plan, pending: Sequence[Task], onto: str, trouble: Mapping[str, Set[str]]) -> dict[str, str]:
        self._bases, unstacked = {}, {}
        # In one checkout everybody sees the work of everybody: only accepted work is built on.
        most = 0 if self._project.config.shared else self._project.config.merge.stack
        with self._project.ledger.read() as snapshot:
            finished = self._stacks.finished(snapshot, onto) if most else []
        if not finished:
            return {}
        footings = find_footings(plan, self._project.policy, pending, finished, most, trouble)
        for issue, found in footings.items():
            base = self._stacks.base(onto, found.parents) if found.parents else None
            if base is not None and base.commit:
                self._bases[issue] = base
            elif base is not None:
                names = " and ".join(parent.issue for parent in found.parents)
                unstacked[issue] = f"waits until {names} landed: finished, in conflict in {outline(base.conflicts)}"
            elif found.why:
                unstacked[issue] = found.why
        return unstacked

    def shaken(self, attempts: Mapping[str, Attempt]) -> Iterator[tuple[Attempt, str]]:
        """The attempts at work that must be begun anew, with why; the others' agents are told what is new."""
        onto = self._project.base_tip()
        with self._project.ledger.read() as snapshot:
            rows = [row for row in snapshot.all("stacks") if row["state"] in AT_WORK and row["issue"] in attempts]
            if not rows:
                return
            told = {(row["issue"], row["parent"]): row["told"] for row in rows}
            tips = {row["issue"]: self._stacks.head(attempts[row["issue"]].task) or row["base"] for row in rows}
            below = self._stacks.below(snapshot, onto, tips)
        for issue, supports in below.items():
            attempt = attempts[issue]
            if why := lost(supports):
                yield attempt, why
                continue
            for support in supports:
                self._tell(attempt, support, told[issue, support.parent], tips[issue])

    def _tell(self, attempt: Attempt, support: Support, told: str, tip: str) -> None:
        word = self._word(support, told, tip)
        if word is None:
            return
        issue, place = attempt.issue.id, {"base": attempt.held.base, "parent": support.parent}
        with self._project.ledger.write() as tx:
            if not tx.change("stack-told", issue=issue, told=word.told, offered=word.offered, **place):
                return
            letter = letters.Draft((issue,), word.subject, word.body, issue, "urgent")
            send(tx, self._project.repository.state, letters.COORDINATOR, letter)
            tx.event("stack.shaken", issue=issue, agent=attempt.claim.agent, parent=support.parent, tip=word.offered)

    def _word(self, support: Support, told: str, tip: str) -> _Word | None:
        parent = support.parent
        if support.ground is stack.Ground.MENDED:
            said = "Go on with what does not depend on it; you will hear which commit mends it. Yours waits for it."
            return _Word(NEWS, "", f"{parent}, which your work stands on, did not land and is being mended", said)
        if support.ground is not stack.Ground.QUEUED or told in ("", support.tip):
            return None
        merge = merge_tree(self._project.repository.root, tip, support.tip)
        how = "it merges cleanly" if merge.clean else f"it conflicts with yours in {outline(merge.conflicts)}"
        body = f"When your work is committed: git merge {support.tip} ({how}). Otherwise the coordinator merges both."
        return _Word(support.tip, support.tip, f"{parent}, which your work stands on, has been mended", body)
