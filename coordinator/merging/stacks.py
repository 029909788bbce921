"""Stacked work in ledger and git: its base is made, recorded, and looked at.

The base of a stacked attempt is a merge made in memory under a fixed name and the date of the newest commit in it, so
that the same inputs give the same commit. The ledger keeps, for each attempt, which tips it stands on; all else is read
from git each time, so that nothing has to be told to anybody when a dependency lands, is bounced, or when the
coordinator dies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.bootstrap import Project
from coordinator.merging import queue
from coordinator.merging.order import Entry
from coordinator.merging.stack import Finished, Ground, Support, depth, lands_after, parents_first
from coordinator.tasks.claims import ACTIVE, Task, find_task
from resources.state.store import Row, Snapshot, Transaction
from resources.system.commits import fork_of, make_commit, paths_between, reaches
from resources.system.git import git, merge_tree, resolve
from resources.system.repository import branch_tip


@dataclass(frozen=True)
class Base:
    """The commit that a stacked attempt begins from; "" when what it would stand on conflicts in `conflicts`."""

    commit: str
    parents: tuple[Finished, ...]
    conflicts: tuple[str, ...] = ()


def share(tx: Transaction, issue: str, base: Base) -> None:
    """Record what the next attempt at `issue` stands on, and let it write where its finished parents have written."""
    for parent in base.parents:
        tx.change("stack-put", issue=issue, base=base.commit, parent=parent.issue, tip=parent.tip)
        tx.change("reservations-share", issue=parent.issue)


def bases(snapshot: Snapshot) -> dict[str, str]:
    """Issue -> the base of its last attempt, for stacked ones."""
    return {row["issue"]: row["base"] for row in snapshot.all("stacks")}


def _dates(root: Path, parents: Sequence[str]) -> dict[str, str]:
    # A merge that is older than what it merges would make git's walks through the history end too early.
    times = git(root, "log", "--no-walk", "--format=%ct", "--end-of-options", *parents, read=True).lines
    newest = f"@{max(map(int, times))} +0000"
    return {"GIT_AUTHOR_DATE": newest, "GIT_COMMITTER_DATE": newest}


@dataclass
class Stacks:
    """Looks at what stacked work stands on."""

    project: Project
    _made: dict[tuple[str, ...], Base] = field(default_factory=dict)

    def base(self, onto: str, parents: tuple[Finished, ...]) -> Base:
        """The base branch at `onto` with the tips of `parents` merged on top, in that order."""
        key = (onto, *(one.tip for one in parents))
        if key not in self._made:
            self._made = {known: base for known, base in self._made.items() if known[0] == onto}
            self._made[key] = self._make(onto, parents)
        return self._made[key]

    def _make(self, onto: str, parents: tuple[Finished, ...]) -> Base:
        root, commit = self.project.repository.root, onto
        for parent in parents:
            if self.reaches(commit, parent.tip):
                continue
            merge = merge_tree(root, commit, parent.tip)
            if not merge.clean:
                return Base("", parents, merge.conflicts)
            above = [commit, parent.tip]
            commit = make_commit(root, merge.tree, above, f"Stack on {parent.issue}", _dates(root, above))
        return Base(commit, parents)

    def finished(self, snapshot: Snapshot, onto: str) -> list[Finished]:
        """The work that waits to land and may be built on, in landing order."""
        entries, stacked = queue.waiting(snapshot), bases(snapshot)
        on = {number: lands_after(found) for number, found in self.on(snapshot, onto, entries).items()}
        return [
            Finished(
                entry.issue, entry.tip, depth(entry.id, on), self._changed(stacked.get(entry.issue, onto), entry.tip)
            )
            for entry in parents_first(entries, on)
            if entry.state != "look"
        ]

    def _changed(self, base: str, tip: str) -> frozenset[str]:
        root = self.project.repository.root
        fork = fork_of(root, base, tip)
        return frozenset(paths_between(root, fork, tip)) if fork else frozenset()

    def on(self, snapshot: Snapshot, onto: str, entries: Sequence[Entry]) -> dict[int, tuple[Support, ...]]:
        """Entry -> what it stands on, for those that stand on anything."""
        supports = self.below(snapshot, onto, {entry.issue: entry.tip for entry in entries})
        return {entry.id: supports[entry.issue] for entry in entries if entry.issue in supports}

    def below(self, snapshot: Snapshot, onto: str, tips: Mapping[str, str]) -> dict[str, tuple[Support, ...]]:
        """What the stacked ones among these issues, whose work ends at these tips, stand on."""
        rows = [row for row in snapshot.all("stacks") if row["issue"] in tips]
        entries = {entry.issue: entry for entry in queue.waiting(snapshot)} if rows else {}
        found: dict[str, tuple[Support, ...]] = {}
        for row in rows:
            tip = tips[row["issue"]]
            # A person may have queued another branch for the same issue.
            if self.reaches(tip, row["base"]):
                support = self._support(snapshot, row, tip, onto, entries.get(row["parent"]))
                found[row["issue"]] = (*found.get(row["issue"], ()), support)
        return found

    def _support(self, snapshot: Snapshot, row: Row, tip: str, onto: str, entry: Entry | None) -> Support:
        offered = row["offered"]
        wanted = [row["tip"], *([offered] if offered and self.reaches(tip, offered) else [])]
        wanted = [one for one in wanted if not self.reaches(onto, one)]
        if not wanted:
            return Support(row["parent"], Ground.LANDED)
        if entry is not None and all(self.reaches(entry.tip, one) for one in wanted):
            ground = Ground.SHOWN if entry.state == "look" else Ground.QUEUED
            return Support(row["parent"], ground, entry.id, entry.tip)
        task = find_task(snapshot, row["parent"])
        # Without a process of ours nobody knows whether it is ever mended.
        head = self.head(task) if task and task.state in ACTIVE and task.worker else ""
        stands = bool(head) and all(self.reaches(head, one) for one in wanted)
        return Support(row["parent"], Ground.MENDED if stands else Ground.GONE)

    def head(self, task: Task) -> str:
        """Where the branch of a task stands in the main repository, "" when it has none there."""
        repository = self.project.repository
        tip = branch_tip(repository, task.branch) or resolve(repository.root, f"refs/heads/{task.branch}")
        return tip or ""

    def reaches(self, commit: str, other: str) -> bool:
        """Whether `other` is `commit` or among its ancestors."""
        return reaches(self.project.repository.root, commit, other)
