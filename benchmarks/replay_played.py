"""The replay against a virtual clock: the product's own decisions, with git's merges in memory and nothing to wait for.

`played` drives `make_plan`, `choose`, `decide` and the queue's `plan` as the loop does, over the same repository and
the same commits as the real run (`replay`), and counts time in *gate durations*: an attempt takes `WORK` of them
whether it succeeds or not, a trial of the gate takes one, on one bench; planning, slots and merges take none. Seats are
for agents that work, as the product has them; there is a slot for each piece that may be under way. So a makespan tells
what the decisions cost, not how busy the machine was; what git, processes, reservations and the ledger add, the real
run shows. One at a time is the same with nothing wasted but on what cannot land: `sequential_gates`.

Foresight: *predicted* is the product, its scopes predicted again every `STANDS`; *none* keeps nothing apart (nobody has
a scope); *oracle* has the true files in each issue's metadata, as a person would declare them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analyzer.backlog.beads import read_issues
from analyzer.backlog.issues import Status
from analyzer.planning.facts import Facts, Source
from analyzer.planning.plan import make_plan
from analyzer.planning.policy import Policy
from analyzer.planning.proposal import Plan, Request
from analyzer.scopes.history import Commit, History
from analyzer.scopes.scope import Scope
from benchmarks.building import TRACKER, WORK, Built, git, record
from benchmarks.corpus import Corpus
from benchmarks.replay_line import Piece, PlayedLine, changed
from benchmarks.yardsticks import pick, pose
from coordinator.crowd import Crowd, free
from coordinator.running.assign import Ground, choose, on_last
from coordinator.running.footholds import find_footings
from coordinator.running.wishes import Filter, wishes
from coordinator.tasks.claims import PENDING, Task
from coordinator.tasks.lifecycle import Next, Outcome, decide
from resources.system.git import merge_tree

STANDS = 40.0
"""Gate durations that predicted scopes stand for: they cost nine tenths of a play, and move little."""
START = 2_000_000_000.0
"""When a play begins, in seconds since 1970: after every issue was written."""
GATE_SECONDS = 450.0
"""What a gate duration is to a clock that the planner reads: an attempt takes half an hour, as it assumes."""
STACK = 1
"""Levels of unlanded work below an attempt, as the product's default is."""

POLICY = Policy()


@dataclass
class Played:
    """What came of it. `makespan` in gate durations; `left` maps what did not land to the reason."""

    landed: list[str] = field(default_factory=list)
    attempts: int = 0
    failed: int = 0
    bounced: int = 0
    stacked: int = 0
    """Attempts that began on finished, unlanded work."""
    makespan: float = 0.0
    left: dict[str, str] = field(default_factory=dict)
    foreseen: int = 0
    """Pairs of issues that the first plan keeps apart."""


@dataclass(frozen=True)
class Base:
    """What a commit that attempts begin on holds: so many landings, and finished work below it."""

    landings: int
    on: tuple[Piece, ...] = ()


class Play:
    """One corpus, so many agents, one kind of foresight."""

    def __init__(self, corpus: Corpus, built: Built, agents: int, attempts: int, foresight: str) -> None:
        self._built, self._agents, self._most = built, agents, attempts
        self._foresight, self._now = foresight, 0.0
        truth = corpus.truth if foresight == "oracle" else {}
        told = [json.dumps(record(issue, truth.get(issue["id"], ()))).encode() for issue in corpus.issues]
        self._issues = {issue.id: issue for issue in read_issues(b"\n".join(told), TRACKER).issues}
        self._tasks: dict[str, Task] = {}
        self._work: dict[str, float] = {}
        self._line = PlayedLine(built, built.base)
        self._commits: list[Commit] = []
        self._bases: dict[str, Base] = {built.base: Base(0)}
        self._trouble: dict[str, frozenset[str]] = {}
        self._stated: set[str] = set()
        self._scopes: dict[str, tuple[float, Scope]] = {}
        self.result = Played()

    def run(self) -> Played:
        """Play until nothing is under way and nothing can start."""
        first = self._plan()
        near = [one for one in first.issue_conflicts if one.p >= POLICY.conflict_at and not one.hot_only]
        self.result.foreseen = len(near)
        self._start(first)
        while self._work or self._line.ends:
            self._now = min([*self._work.values(), *self._line.ends.values()])
            for issue in sorted(name for name, end in self._work.items() if end <= self._now):
                self._finish(issue)
            self._line.end_gates(self._now)
            for issue, conflicts in self._line.settle():
                self.result.bounced += 1
                self._stated.discard(issue)
                self._give_back(issue, Outcome.CONFLICT, conflicts)
            self._learn()
            self._start(self._plan())
        self.result.makespan = self._now
        missing = [name for name in self._issues if name not in self.result.landed]
        self.result.left |= {name: self._tasks[name].why if name in self._tasks else "not ready" for name in missing}
        return self.result

    @property
    def _under_way(self) -> set[str]:
        return {*self._work, *self._line.waiting}

    # -- what is planned ---------------------------------------------------------------------------------

    def _plan(self) -> Plan:
        texts = {issue.id: issue.text for issue in self._issues.values()}
        tree = tuple(git(self._built.root, "ls-tree", "-r", "--name-only", self._line.main).splitlines())
        history = History.of(tuple(reversed(self._commits)), texts)
        facts = Facts(tuple(self._issues.values()), (), history, tree, Source("jsonl", TRACKER, len(texts)))
        known = self._known_scopes()
        request = Request(slots=self._agents, busy=tuple(self._under_way), now=START + self._now * GATE_SECONDS)
        plan = make_plan(facts, request, POLICY, known)
        self._scopes = {
            name: (self._scopes[name][0] if name in known and name in self._scopes else self._now, scope)
            for name, scope in plan.scopes.items()
        }
        for wish in wishes(plan, Filter(), "played"):
            self._tasks.setdefault(
                wish.issue,
                Task(wish.issue, "", "waiting", "", "", "", "", "", "", 0, 0, "", wish.filter, "{}", wish.rank, 0.0),
            )
        return plan

    def _known_scopes(self) -> dict[str, Scope]:
        if self._foresight == "none":
            return {name: Scope(name) for name in self._issues}
        since = self._now - STANDS if self._foresight == "predicted" else -1.0
        return {name: scope for name, (at, scope) in self._scopes.items() if at > since}

    # -- agents ------------------------------------------------------------------------------------------

    def _start(self, plan: Plan) -> None:
        pending = [task for task in self._tasks.values() if task.state in PENDING]
        stacks = self._stacks(plan, pending)
        ground = Ground(
            self._line.main,
            {task.base: self._since(task.base) for task in pending if task.base},
            self._trouble,
            stacks={issue: frozenset(piece.issue for piece in on) for issue, (_, on) in stacks.items()},
            stated=self._stated,
            last=on_last(pending, self._most),
            brought={
                task.issue: self._brought(task, stacks[task.issue][1]) for task in pending if task.issue in stacks
            },
        )
        room = free(self._agents, Crowd(len(self._work), 0, len(self._line.pieces)))
        choice = choose(plan, POLICY, pending, self._under_way, room=room, ground=ground)
        for issue, why in choice.waits.items():
            self._tasks[issue] = replace(self._tasks[issue], why=why)
        for issue in choice.vain:
            self._tasks[issue] = replace(self._tasks[issue], state="handed_off")
        for issue in choice.start:
            base, on = stacks.get(issue, (self._line.main, ()))
            self._bases.setdefault(base, Base(len(self._line.landings), on))
            task = self._tasks[issue]
            self._tasks[issue] = replace(task, state="working", attempt=task.attempt + 1, base=base)
            self._work[issue] = self._now + WORK
            self.result.attempts += 1
            self.result.stacked += bool(on)

    def _stacks(self, plan: Plan, pending: list[Task]) -> dict[str, tuple[str, tuple[Piece, ...]]]:
        pieces = {piece.issue: piece for piece in self._line.pieces.values()}
        found = {}
        for issue, footing in find_footings(plan, POLICY, pending, self._line.finished(), STACK, self._trouble).items():
            on = tuple(pieces[one.issue] for one in footing.parents)
            if on and (base := self._merged(on)):
                found[issue] = (base, on)
        return found

    def _merged(self, on: Iterable[Piece]) -> str:
        commit = self._line.main
        for piece in on:
            merge = merge_tree(self._built.root, commit, piece.tip)
            if not merge.clean:
                return ""
            commit = pose(self._built, merge.tree, commit, piece.tip)
        return commit

    def _since(self, base: str) -> list[frozenset[str]]:
        known = self._bases[base]
        had = {piece.issue for piece in known.on}
        return [one.paths for one in self._line.landings[known.landings :] if one.issue not in had]

    def _brought(self, task: Task, on: Iterable[Piece]) -> list[frozenset[str]]:
        had = self._bases[task.base].on if task.base else ()
        return [piece.paths for piece in on if piece not in had]

    def _finish(self, issue: str) -> None:
        del self._work[issue]
        base = self._tasks[issue].base
        done = pick(self._built, f"{base}^{{tree}}", issue)
        if not done.clean:
            self.result.failed += 1
            self._stated.add(issue)
            self._give_back(issue, Outcome.FAILED, done.conflicts)
            return
        tip = pose(self._built, done.tree, base)
        on = tuple(piece.issue for piece in self._bases[base].on)
        self._line.put(Piece(issue, tip, changed(self._built, base, tip), on, self._issues[issue].priority))
        self._tasks[issue] = replace(self._tasks[issue], state="judging")

    def _give_back(self, issue: str, outcome: Outcome, paths: Iterable[str]) -> None:
        self._trouble[issue] = frozenset(paths)
        task = self._tasks[issue]
        step = decide(outcome, task.attempt, self._most, "conflict in " + ", ".join(sorted(paths)))
        self._tasks[issue] = replace(task, state="retry" if step.next is Next.RETRY else "handed_off", why=step.why)
        self._unfound(issue)

    def _unfound(self, gone: str) -> None:
        """What stands on work that does not land is begun anew; no attempt is used up."""
        for issue in list(self._under_way):
            task = self._tasks[issue]
            if any(piece.issue == gone for piece in self._bases[task.base].on):
                self._work.pop(issue, None)
                self._line.drop(issue)
                self._tasks[issue] = replace(task, state="waiting", attempt=task.attempt - 1)
                self._unfound(issue)

    def _learn(self) -> None:
        at = START + self._now * GATE_SECONDS
        for one in self._line.landings[len(self._commits) :]:
            self._commits.append(Commit(one.main, at, f"{one.issue}: landed", tuple(sorted(one.paths))))
            self._bases[one.main] = Base(len(self._commits))
            self._issues[one.issue] = replace(self._issues[one.issue], status=Status.CLOSED, closed=at)
            self._tasks[one.issue] = replace(self._tasks[one.issue], state="landed")
            self.result.landed.append(one.issue)


def sequential_gates(issues: int, landed: int) -> float:
    """How long one agent takes in the true order, each issue judged before the next is begun."""
    return issues * WORK + landed


def played(corpus: Corpus, built: Built, agents: int, attempts: int, foresight: str) -> Mapping[str, Any]:
    """One play as `replay.py --played` prints it."""
    got = Play(corpus, built, agents, attempts, foresight).run()
    landed = len(got.landed)
    return {
        "agents": agents,
        "foresight": foresight,
        "landed": landed,
        "attempts": got.attempts,
        "attempts_per_landed": round(got.attempts / landed, 2) if landed else None,
        "failed_picking": got.failed,
        "stacked": got.stacked,
        "conflicts_at_landing": got.bounced,
        "conflicts_foreseen": got.foreseen,
        "gates": round(got.makespan, 1),
        "handed_off": [{"id": name, "why": why} for name, why in got.left.items()],
    }
