"""Everybody who works on issues in the model check: they begin, finish, mend, begin anew and give up as the dice say.

An author does what the coordinator's loop does with tasks, claims and branches, and what an agent does with files. Some
begin on finished, unlanded work, some merge the base branch or a mended dependency while they are at work.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field

from benchmarks.queue_trees import FILES, FOREIGN, Trees
from coordinator.bootstrap import Project
from coordinator.mail import reservations
from coordinator.merging import queue
from coordinator.merging.rewritten import Dropped
from coordinator.merging.stack import Ground, footing
from coordinator.merging.stacks import Base, Stacks, share
from coordinator.tasks import claims
from coordinator.tasks.claims import Task, Wish
from resources.state import leases
from resources.state.store import Transaction
from resources.system.git import merge_tree
from resources.system.process import identify

LEVELS = 2
"""How many levels of unlanded work there may be."""


@dataclass
class Work:
    """An attempt as its author knows it. `stack` are the issues on whose finished work it began."""

    issue: str
    branch: str
    base: str
    head: str
    stack: tuple[str, ...] = ()
    state: str = "working"
    added: set[str] = field(default_factory=set)


class Authors:
    """The authors of one world. `made` tells whose a commit is, `paths` what each issue's own commits have touched."""

    def __init__(self, dice: random.Random, trees: Trees, most: int) -> None:
        self._dice = dice
        self._trees = trees
        self._most = most
        self._number = 0
        self.works: dict[str, Work] = {}
        self.made: dict[str, str] = {}
        self.paths: defaultdict[str, set[str]] = defaultdict(set)

    # -- what they do --------------------------------------------------------------------------------------

    def begin(self, project: Project) -> None:
        """Somebody takes up an issue, unless enough is under way."""
        if len(self.works) >= self._most:
            return
        self._number += 1
        issue = f"i{self._number}"
        with project.ledger.write() as tx:
            claims.enlist(tx, [Wish(issue, issue, "", "model", "all", self._number)], again=False)
        self._start(project, issue)

    def finish(self, project: Project) -> None:
        """Somebody who works commits and queues it."""
        work = self._any("working")
        if work is None:
            return
        self._merge(project, work)
        files = self._changed(work, dict(self._trees.files(self._trees.tree(work.head))))
        self._commit(project, work, files, [work.head])
        with project.ledger.write() as tx:
            task = _task(tx, work)
            claims.move(tx, task, "judging")
            queue.enqueue(tx, queue.Finished(work.issue, work.branch, work.head, task.fence, self._dice.randrange(3)))
            if self._dice.random() < 0.2:  # the coordinator parks it, or has died: it stands for itself
                queue.stand_alone(tx, work.issue, task.fence)
                claims.give_back(tx, task)
        work.state = "judging"

    def settle(self, project: Project, *, mend: bool = True) -> None:
        """Somebody reads what became of his work: it is over, or he mends it, begins anew or gives up."""
        with project.ledger.read() as snapshot:
            entries = {entry.issue: entry for entry in reversed(queue.history(snapshot))}
            live = {entry.issue for entry in queue.waiting(snapshot)}
        told = [one for one in self.works.values() if one.state == "judging" and one.issue not in live]
        if not told:
            return
        work, luck = self._dice.choice(told), self._dice.random()
        if entries[work.issue].state != "landed" and mend and luck < 0.45:
            with project.ledger.write() as tx:
                self._claim(tx, work)
            work.state = "working"
            return
        again = entries[work.issue].state != "landed" and mend and luck < 0.75
        state = "landed" if entries[work.issue].state == "landed" else "waiting" if again else "handed_off"
        self._over(project, work, state)
        if again:
            self._start(project, work.issue)

    def stop(self, project: Project) -> None:
        """Whoever is at work gives up."""
        for work in [one for one in self.works.values() if one.state == "working"]:
            self._over(project, work, "handed_off")

    # -- how they do it ------------------------------------------------------------------------------------

    def _any(self, state: str) -> Work | None:
        found = [work for work in self.works.values() if work.state == state]
        return self._dice.choice(found) if found else None

    def _over(self, project: Project, work: Work, state: str) -> None:
        with project.ledger.write() as tx:
            task = _task(tx, work)
            claims.move(tx, task, state)
            claims.give_back(tx, task)
            reservations.release_issue(tx, work.issue)
        del self.works[work.issue]

    def _start(self, project: Project, issue: str) -> None:
        tip = project.base_tip()
        Dropped(project).see(tip)
        ground = self._ground(project, tip, issue) if self._dice.random() < 0.5 else None
        base = ground.commit if ground else self._dice.choice(self._trees.first_parents(tip)[:4])
        parents = tuple(one.issue for one in ground.parents) if ground else ()
        work = self.works[issue] = Work(issue, f"{issue}-{self._dice.randrange(10**9)}", base, base, parents)
        self.paths[issue].clear()
        with project.ledger.write() as tx:
            if ground:
                share(tx, issue, ground)
            self._claim(tx, work)
        self._point(project, work)

    def _ground(self, project: Project, tip: str, issue: str) -> Base | None:
        stacks = Stacks(project)
        with project.ledger.read() as snapshot:
            finished = stacks.finished(snapshot, tip)
        # Dependencies have no circles: each issue needs earlier ones only.
        finished = [one for one in finished if int(one.issue[1:]) < int(issue[1:])]
        wanted = self._dice.sample(finished, min(len(finished), self._dice.randint(1, 2)))
        parents = footing([one.issue for one in wanted], finished, LEVELS).parents
        base = stacks.base(tip, parents) if parents else None
        return base if base and base.commit else None

    def _claim(self, tx: Transaction, work: Work) -> None:
        held = next((one for one in leases.live(tx, "issue") if one.resource == work.issue), None)
        lease = held or leases.take(tx, "issue", work.issue, agent="a", issue=work.issue)
        place = {"agent": "a", "program": "model", "slot": "", "branch": work.branch, "base": work.base}
        claims.begin(tx, _task(tx, work), lease, **place)
        claims.record_process(tx, work.issue, lease.fence, identify(), 0)

    def _merge(self, project: Project, work: Work) -> None:
        """Sometimes the base branch is merged into the work, or what mends a dependency."""
        tip = project.base_tip()
        if self._dice.random() < 0.1:
            self._merge_in(project, work, tip)
        stacks = Stacks(project)
        with project.ledger.read() as snapshot:
            supports = stacks.below(snapshot, tip, {work.issue: work.head}).get(work.issue, ())
        for support in supports:
            if support.ground is Ground.QUEUED and not stacks.reaches(work.head, support.tip):
                with project.ledger.write() as tx:
                    place = {"issue": work.issue, "base": work.base, "parent": support.parent}
                    tx.change("stack-told", told=support.tip, offered=support.tip, **place)
                if self._dice.random() < 0.6:
                    self._merge_in(project, work, support.tip)

    def _merge_in(self, project: Project, work: Work, other: str) -> None:
        merge = merge_tree(project.repository.root, work.head, other)
        if merge.clean:
            self._commit(project, work, self._trees.files(merge.tree), [work.head, other])

    def _commit(self, project: Project, work: Work, files: dict[str, str], parents: list[str]) -> None:
        if len(parents) == 1:
            before = self._trees.files(self._trees.tree(parents[0]))
            changed = {name for name, _ in files.items() ^ before.items()}
            self.paths[work.issue] |= changed
        work.head = self._trees.commit(files, parents, f"work on {work.issue}")
        self.made[work.head] = work.issue
        self._point(project, work)

    def _point(self, project: Project, work: Work) -> None:
        (project.repository.common / "refs" / "heads" / work.branch).write_text(f"{work.head}\n")

    def _changed(self, work: Work, files: dict[str, str]) -> dict[str, str]:
        kind, place, number = self._dice.random(), self._dice.randrange(FILES), work.issue
        if self._dice.random() < 0.2:
            files = {name: content for name, content in files.items() if FOREIGN not in name}
        if work.added and self._dice.random() < 0.8:
            files = {name: content for name, content in files.items() if name not in work.added}
            kind = 1.0
        if kind < 0.15:
            work.added.add(f"bad-{place}-{number}")
        elif kind < 0.35:
            work.added.add(f"{self._dice.choice(('one', 'two'))}-{place}")
        elif kind < 0.4:
            files["Makefile"] = number
        else:
            files[f"file-{place}"] = str(self._dice.randrange(3))
        return files | dict.fromkeys(work.added if kind < 0.35 else (), "x") | {f"new-{place}-{number}": "x"}


def _task(tx: Transaction, work: Work) -> Task:
    task = claims.find_task(tx, work.issue)
    assert task is not None, "it was enlisted when it was begun"
    return task
