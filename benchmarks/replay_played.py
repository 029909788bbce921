"""The replay against a virtual clock: the product's own decisions, with git's merges in memory and nothing to wait for.

`played` drives `make_plan`, `choose`, `decide` and the queue's `plan` as the loop does, over the same repository and
the same commits as the real run (`replay`), and counts time in *gate durations*: an attempt takes `WORK` of them
whether it succeeds or not, a trial of the gate takes one, on one bench; planning, slots and merges take none. An agent
keeps its seat until the verdict. So a makespan tells what the decisions cost, not how busy the machine was; what git,
processes, reservations and the ledger add, the real run shows. One at a time is the same with nothing wasted but on
what cannot land: `sequential_gates`.

Foresight: *predicted* is the product, its scopes predicted again every `STANDS`; *none* keeps nothing apart (nobody has
a scope); *oracle* has the true files in each issue's metadata, as a person would declare them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analyzer.beads import read_issues
from analyzer.facts import Facts, Source
from analyzer.history import Commit, History
from analyzer.issues import Issue, Status
from analyzer.plan import make_plan
from analyzer.policy import Policy
from analyzer.proposal import Plan, Request
from analyzer.scope import Scope
from benchmarks.building import TRACKER, WORK, Built, git, record
from benchmarks.corpus import Corpus
from benchmarks.yardsticks import pick, pose
from coordinator.assign import Ground, choose
from coordinator.merging import plan as queue
from coordinator.merging.belief import chance
from coordinator.merging.changes import Change, Landed, Queue, Start, Trial
from coordinator.tasks.claims import Task
from coordinator.tasks.lifecycle import Next, Outcome, Setback, after_failure, decide
from coordinator.wishes import Filter, wishes
from resources.system.git import merge_tree

STANDS = 40.0
"""Gate durations that predicted scopes stand for: they cost nine tenths of a play, and move little."""
START = 2_000_000_000.0
"""When a play begins, in seconds since 1970: after every issue was written."""
GATE_SECONDS = 450.0
"""What a gate duration is to a clock that the planner reads: an attempt takes half an hour, as it assumes."""


POLICY = Policy()


@dataclass
class Played:
    """What came of it. `makespan` in gate durations; `left` maps what did not land to the reason."""

    landed: list[str] = field(default_factory=list)
    attempts: int = 0
    failed: int = 0
    bounced: int = 0
    makespan: float = 0.0
    left: dict[str, str] = field(default_factory=dict)
    foreseen: int = 0
    """Pairs of issues that the first plan keeps apart."""


class Play:
    """One corpus, so many agents, one kind of foresight."""

    def __init__(self, corpus: Corpus, built: Built, agents: int, attempts: int, foresight: str) -> None:
        self._built, self._agents, self._most = built, agents, attempts
        self._foresight, self._now, self._main = foresight, 0.0, built.base
        truth = corpus.truth if foresight == "oracle" else {}
        told = [json.dumps(record(issue, truth.get(issue["id"], ()))).encode() for issue in corpus.issues]
        self._issues = {issue.id: issue for issue in read_issues(b"\n".join(told), TRACKER).issues}
        self._tasks: dict[str, Task] = {}
        self._work: dict[str, float] = {}
        self._tips: dict[str, str] = {}
        self._queue: list[int] = []
        self._names: dict[int, str] = {}
        self._trials: dict[int, Trial] = {}
        self._ends: dict[int, float] = {}
        self._landings: list[tuple[Commit, frozenset[str]]] = []
        self._landed: list[Landed] = []
        self._bases: dict[str, int] = {built.base: 0}
        self._trouble: dict[str, frozenset[str]] = {}
        self._failed: dict[str, Setback] = {}
        self._scopes: dict[str, tuple[float, Scope]] = {}
        self._verdicts: list[bool] = []
        self._known_clashes: dict[frozenset[str], bool] = {}
        self._gates = 0
        self.result = Played()

    def run(self) -> Played:
        """Play until nothing is under way and nothing can start."""
        first = self._plan()
        near = [one for one in first.issue_conflicts if one.p >= POLICY.conflict_at and not one.hot_only]
        self.result.foreseen = len(near)
        self._start(first)
        while self._work or self._ends:
            self._now = min([*self._work.values(), *self._ends.values()])
            for issue in sorted(name for name, end in self._work.items() if end <= self._now):
                self._finish(issue)
            for number in [one for one, end in self._ends.items() if end <= self._now]:
                self._trials[number] = replace(self._trials[number], passed=True)
                del self._ends[number]
            self._settle()
            self._start(self._plan())
        self.result.makespan = self._now
        missing = [name for name in self._issues if name not in self.result.landed]
        self.result.left |= {name: self._tasks[name].why if name in self._tasks else "not ready" for name in missing}
        return self.result

    # -- agents ------------------------------------------------------------------------------------------

    @property
    def _under_way(self) -> set[str]:
        return {*self._work, *(self._names[number] for number in self._queue)}

    def _plan(self) -> Plan:
        texts = {issue.id: issue.text for issue in self._issues.values()}
        tree = tuple(git(self._built.root, "ls-tree", "-r", "--name-only", self._main).splitlines())
        history = History.of(tuple(commit for commit, _ in reversed(self._landings)), texts)
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

    def _start(self, plan: Plan) -> None:
        pending = [task for task in self._tasks.values() if task.state in ("waiting", "retry")]
        ground = Ground(self._main, {base: self._since(at) for base, at in self._bases.items()}, self._trouble)
        seats = self._agents - len(self._under_way)
        choice = choose(plan, POLICY, pending, self._under_way, seats=seats, ground=ground)
        for issue, why in choice.waits.items():
            self._tasks[issue] = replace(self._tasks[issue], why=why)
        for issue in choice.start:
            task = self._tasks[issue]
            self._tasks[issue] = replace(task, state="working", attempt=task.attempt + 1, base=self._main)
            self._work[issue] = self._now + WORK
            self.result.attempts += 1

    def _since(self, at: int) -> list[frozenset[str]]:
        return [paths for _, paths in self._landings[at:]]

    def _finish(self, issue: str) -> None:
        del self._work[issue]
        base = self._tasks[issue].base
        done = pick(self._built, f"{base}^{{tree}}", issue)
        if not done.clean:
            self.result.failed += 1
            now = Setback(base, frozenset(done.conflicts))
            outcome = after_failure(self._failed.get(issue), now)
            self._failed[issue] = now
            self._give_back(issue, outcome, done.conflicts)
            return
        number = len(self._names) + 1
        self._names[number] = issue
        self._tips[issue] = pose(self._built, done.tree, base)
        self._queue.append(number)
        self._tasks[issue] = replace(self._tasks[issue], state="judging")

    def _give_back(self, issue: str, outcome: Outcome, paths: Iterable[str]) -> None:
        self._trouble[issue] = frozenset(paths)
        task = self._tasks[issue]
        step = decide(outcome, task.attempt, self._most, "conflict in " + ", ".join(sorted(paths)))
        self._tasks[issue] = replace(task, state="retry" if step.next is Next.RETRY else "handed_off", why=step.why)

    # -- the queue ---------------------------------------------------------------------------------------

    def _settle(self) -> None:
        while True:
            self._drop_clashing()
            step = queue.plan(self._queued())
            for number in step.stop:
                self._ends.pop(number, None)
                del self._trials[number]
            for member in (one for landing in step.land for one in landing.members):
                self._land(member)
            for start in step.start:
                self._try(start)
            if not step.land:
                return

    def _drop_clashing(self) -> None:
        for number in list(self._queue):
            merge = merge_tree(self._built.root, self._main, self._tips[self._names[number]])
            if not merge.clean:
                self._queue.remove(number)
                self._verdicts.append(False)
                self.result.bounced += 1
                self._give_back(self._names[number], Outcome.CONFLICT, merge.conflicts)

    def _queued(self) -> Queue:
        order = sorted(self._queue, key=lambda number: (self._issues[self._names[number]].priority, number))
        tips = {number: self._tips[self._names[number]] for number in order}
        clashes = frozenset(
            (min(one, other), max(one, other))
            for place, one in enumerate(order)
            for other in order[:place]
            if self._clash(tips[one], tips[other])
        )
        self._trials = {
            number: trial
            for number, trial in self._trials.items()
            if number in self._ends or set(order) & {*trial.members}
        }
        return Queue(
            tuple(Change(number) for number in order), tuple(self._trials.values()), tuple(self._landed),
            len(self._landed), clashes, 1, chance=chance(self._verdicts),
        )  # fmt: skip

    def _clash(self, one: str, other: str) -> bool:
        pair = frozenset((one, other))
        if pair not in self._known_clashes:
            self._known_clashes[pair] = not merge_tree(self._built.root, one, other).clean
        return self._known_clashes[pair]

    def _try(self, start: Start) -> None:
        self._gates = number = self._gates + 1
        self._trials[number] = Trial(number, len(self._landed), start.members, None, start.about, start.whole)
        self._ends[number] = self._now + 1.0

    def _land(self, number: int) -> None:
        issue = self._names[number]
        merge = merge_tree(self._built.root, self._main, self._tips[issue])
        old, self._main = self._main, pose(self._built, merge.tree, self._main, self._tips[issue])
        paths = git(self._built.root, "diff", "--name-only", "-z", old, self._main).split("\0")
        touched = frozenset(path for path in paths if path)
        commit = Commit(self._main, START + self._now * GATE_SECONDS, f"{issue}: landed", tuple(sorted(touched)))
        self._landings.append((commit, touched))
        self._bases[self._main] = len(self._landings)
        self._queue.remove(number)
        self._landed.append(Landed(number, frozenset({"*"}), len(self._landed) + 1))
        self._verdicts.append(True)
        self._issues[issue] = _closed(self._issues[issue], START + self._now * GATE_SECONDS)
        self._tasks[issue] = replace(self._tasks[issue], state="landed")
        self.result.landed.append(issue)


def _closed(issue: Issue, at: float) -> Issue:
    return replace(issue, status=Status.CLOSED, closed=at)


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
        "conflicts_at_landing": got.bounced,
        "conflicts_foreseen": got.foreseen,
        "gates": round(got.makespan, 1),
        "handed_off": [{"id": name, "why": why} for name, why in got.left.items()],
    }
