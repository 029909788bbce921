"""Looks at all unlanded work at once and tells early what will not merge.

Each slot at work is taken as it stands, uncommitted edits included (`captures`), and nothing of it is touched; queued
branches as they are. Pieces that share a changed path are merged in memory, pairwise and with the base branch, by one
`git merge-tree` process. What is new is told to the later of the two by a letter, and once. The paths of every piece
are remembered for the planner (`planning`): where work has gone says more than any guess.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from coordinator.bootstrap import Project
from coordinator.mail import letters
from coordinator.mail.alarm import send
from coordinator.merging import queue
from coordinator.merging.collisions import BASE, Collision, Piece, news, worth_a_merge
from coordinator.merging.stacks import bases
from coordinator.tasks import claims
from coordinator.tasks.claims import Task
from resources.state.store import Snapshot, Transaction
from resources.system.clock import wall
from resources.system.commits import changed_since_fork
from resources.system.git import merge_trees
from resources.system.repository import Repository
from resources.worktrees.captures import Capture, capture

MOST_PATHS = 1000
"""Paths of one piece that are remembered: a reformatting of everything keeps nobody away by the rest."""


@dataclass(frozen=True)
class Look:
    """What one look saw: the pieces of unlanded work, what collides, and what of that is new."""

    pieces: tuple[Piece, ...]
    collisions: tuple[Collision, ...]
    new: tuple[Collision, ...]


class Lookout:
    """What the looks so far have seen in the slots, for one who looks again and again.

    A slot in which two looks saw the same rests at the next one, which takes what they saw: what changes in it
    meanwhile is seen one look later. Work that moves on in the ledger is another task, and is looked at.
    """

    def __init__(self) -> None:
        self._last: dict[Task, Capture] = {}
        self._resting: set[Task] = set()

    def captures(self, repository: Repository, places: Mapping[Task, Path]) -> Mapping[Task, Capture]:
        """Capture the slots of these tasks, but for those that rest."""
        rested = {task: self._last[task] for task in self._resting & places.keys()}
        awake = {task: slot for task, slot in places.items() if task not in rested}
        found = capture(repository, {slot: task.base for task, slot in awake.items()})
        fresh = {task: found[slot] for task, slot in awake.items() if slot in found}
        self._resting = {task for task, one in fresh.items() if self._last.get(task) == one}
        self._last = rested | fresh
        return self._last


def look(project: Project, lookout: Lookout | None = None) -> Look:
    """Look at everything once, remember it, and tell those who should know; in every slot, or as `lookout` has it."""
    base = project.base_tip()
    pieces = _pieces(project, base, lookout or Lookout())
    found = tuple(_collisions(project.repository.root, base, pieces))
    with project.ledger.write() as tx:
        fresh = news(known(tx), found)
        _remember(tx, found)
        _remember_pieces(tx, pieces)
        for one in fresh:
            _tell(tx, project, one)
    return Look(tuple(pieces), found, tuple(fresh))


def _pieces(project: Project, base: str, lookout: Lookout) -> list[Piece]:
    with project.ledger.read() as view:
        working = [task for task in claims.all_tasks(view) if task.state in ("working", "bounced")]
        paths = {row["name"]: Path(row["path"]) for row in view.all("slots")}
        queued = queue.waiting(view)
        stacked = bases(view)
    root = project.repository.root
    places = {task: paths[task.slot] for task in working if task.slot in paths and paths[task.slot].is_dir()}
    captures = lookout.captures(project.repository, places)
    own = (_piece(root, task, stacked.get(task.issue, base), captures[task]) for task in places if task in captures)
    pieces = [piece for piece in own if piece is not None]
    for entry in queued:
        changed = changed_since_fork(root, stacked.get(entry.issue, base), entry.tip)
        pieces.append(Piece(entry.issue, entry.tip, changed, entry.queued_at, True))
    return pieces


def _piece(root: Path, task: Task, base: str, stands: Capture) -> Piece | None:
    """What stands in a slot, None when nothing does."""
    committed = changed_since_fork(root, base, stands.head) if stands.head != base else frozenset()
    paths = stands.dirty | committed
    return Piece(task.issue, stands.commit, paths, task.changed_at) if paths else None


def _collisions(root: Path, base: str, pieces: list[Piece]) -> Iterable[Collision]:
    mine = [piece for piece in pieces if not piece.queued]
    with_base = merge_trees(root, [(base, piece.commit) for piece in mine])
    stale = {piece.issue: merge for piece, merge in zip(mine, with_base, strict=True) if not merge.clean}
    yield from (Collision(issue, BASE, merge.conflicts) for issue, merge in stale.items())
    pairs = [pair for pair in worth_a_merge(pieces) if pair[0].issue not in stale and pair[1].issue not in stale]
    merges = merge_trees(root, [(told.commit, other.commit) for told, other in pairs])
    for (told, other), merge in zip(pairs, merges, strict=True):
        if not merge.clean:
            yield Collision(told.issue, other.issue, merge.conflicts)


def known(view: Snapshot) -> list[Collision]:
    """What the last look found."""
    return [Collision(row["a"], row["b"], tuple(json.loads(row["paths"]))) for row in view.all("collisions")]


def _remember(tx: Transaction, found: Iterable[Collision]) -> None:
    now = {(one.a, one.b): one for one in found}
    for one in known(tx):
        if (one.a, one.b) not in now:
            tx.change("collision-over", a=one.a, b=one.b)
    for one in now.values():
        tx.change("collision-put", a=one.a, b=one.b, paths=json.dumps(one.paths), now_at=wall())


def _remember_pieces(tx: Transaction, pieces: Iterable[Piece]) -> None:
    tx.change("pieces-over")
    now = wall()
    for piece in pieces:
        paths = json.dumps(sorted(piece.paths)[:MOST_PATHS])
        tx.change("piece-put", issue=piece.issue, paths=paths, finished=int(piece.queued), now_at=now)


def _tell(tx: Transaction, project: Project, one: Collision) -> None:
    tx.event("radar.collision", issue=one.a, other=one.b, paths=list(one.paths))
    advice = (
        "Merge the base branch into your branch when it suits you, and settle it there."
        if one.is_stale
        else f"It began earlier. Leave those lines to it, or settle it with {one.b} by mail."
    )
    draft = letters.Draft((one.a,), one.sentence, advice, one.a, "urgent")
    send(tx, project.repository.state, letters.COORDINATOR, draft)
