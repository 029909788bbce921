"""What stands between finished work and the base branch, as one picture for people: `merge status` and `monitor`.

Each entry of the queue with the reason why it waits, the sets that the gates try now with the chance that the verdict
is used (by the planner's own code), the work that stands on unlanded work, and what the radar has told. It is read
from ledger and git by whoever asks; clashes that only the lane has met are not known here, so that a chance may be
told a little too high. The head of the queue is never said to wait without a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coordinator.bootstrap import Project
from coordinator.merging import queue, radar, trials
from coordinator.merging.benches import measured_workers
from coordinator.merging.changes import Mode
from coordinator.merging.gates import Gates
from coordinator.merging.order import Entry
from coordinator.merging.picture import Line, Seen
from coordinator.merging.plan import needed
from coordinator.merging.stack import Ground, Support, lands_after, parents_first
from coordinator.merging.stacks import Stacks
from coordinator.merging.trials import Run
from coordinator.tasks import claims
from coordinator.tasks.claims import ACTIVE, Task
from resources.state.store import Snapshot
from resources.system.clock import wall

GROUNDS = {
    Ground.QUEUED: "waits to land",
    Ground.SHOWN: "waits for a person",
    Ground.MENDED: "is being mended",
    Ground.GONE: "will not land",
}
"""What became of unlanded work that other work stands on, in words."""


@dataclass(frozen=True)
class Trying:
    """A set of entries that a gate tries on the base branch: `issues` in landing order, begun for the last `about`.

    `without` are those before them that are assumed not to land. `needed` is the chance that the verdict is used (0 to
    1), `since` when it began, in wall-clock seconds. `passed` sets wait for others.
    """

    issues: tuple[str, ...]
    about: int
    without: tuple[str, ...]
    needed: float
    since: float
    passed: bool
    whole: bool


@dataclass(frozen=True)
class Standing:
    """Work that stands on unlanded work: who is at it ("" when it is finished), and each of these with its state."""

    issue: str
    agent: str
    on: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Collided:
    """Work on `issue` will not merge with `other` (None: with the base branch); its agent was told."""

    issue: str
    other: str | None
    agent: str
    paths: tuple[str, ...]
    since: float


@dataclass(frozen=True)
class Outlook:
    """All of it at one moment (`at`, wall-clock seconds). `why` is by entry, `tip` the base branch's commit."""

    at: float
    base: str
    tip: str
    waiting: tuple[Entry, ...]
    paused: bool
    mode: str
    workers: int
    why: Mapping[int, str]
    tried: tuple[Trying, ...] = ()
    standing: tuple[Standing, ...] = ()
    collided: tuple[Collided, ...] = ()
    looked: tuple[float, int] | None = None
    """When the radar looked last, and how many pieces of unlanded work it saw."""
    bare: float | None = None
    """Since when a gate judges the base branch itself, None when none does."""


class Onlooker:
    """Looks again and again; what git says about commits is asked once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gates = Gates(project.config)
        self._stacks = Stacks(project)
        self._line = Line(project.repository, Mode(project.config.merge.mode), project.config.merge.targets)

    def look(self) -> Outlook:
        """The picture now."""
        project, tip = self._project, self._project.base_tip()
        merge = project.config.merge
        with project.ledger.read() as snapshot:
            entries = queue.waiting(snapshot)
            stacked = self._stacks.on(snapshot, tip, entries)
            on = {number: lands_after(found) for number, found in stacked.items()}
            waiting = tuple(parents_first(entries, on))
            paused = queue.is_paused(snapshot)
            runs = trials.telling(snapshot, self._gates.keys, {entry.id for entry in waiting})
            workers = merge.workers or measured_workers(snapshot, self._gates.keys)
            free = [entry for entry in waiting if entry.state != "look"]
            chances = self._chances(snapshot, Seen(free, on, runs), tip, workers)
            tasks = {task.issue: task for task in claims.all_tasks(snapshot)}
            tried = tries(runs, free, chances, merge.mode == Mode.EXACT)
            standing, collided = self._standing(snapshot, tasks, waiting, tip), _collided(snapshot, tasks)
            looked, bare = _looked(snapshot), _bare(snapshot, tip)
        why = {
            entry.id: _not_there(stacked.get(entry.id, ())) or why_waits(entry, waiting, runs, paused)
            for entry in waiting
        }
        return Outlook(
            wall(), project.base, tip, waiting, paused, merge.mode, workers, why,
            tuple(tried), tuple(standing), tuple(collided), looked, bare,
        )  # fmt: skip

    def _chances(self, snapshot: Snapshot, seen: Seen, tip: str, workers: int) -> dict[int, float]:
        if not seen.runs or not tip:
            return {}
        self._line.read(tip)
        return needed(self._line.queue(snapshot, seen, frozenset(), workers))

    def _standing(
        self, snapshot: Snapshot, tasks: Mapping[str, Task], waiting: Sequence[Entry], tip: str
    ) -> list[Standing]:
        rows = {row["issue"]: row["base"] for row in snapshot.all("stacks") if row["state"] in ACTIVE}
        queued = {entry.issue: entry.tip for entry in waiting}
        tips = {issue: queued.get(issue) or self._stacks.head(tasks[issue]) or base for issue, base in rows.items()}
        found = []
        for issue, supports in self._stacks.below(snapshot, tip, tips).items():
            on = tuple((one.parent, GROUNDS[one.ground]) for one in supports if one.ground is not Ground.LANDED)
            if on:
                found.append(Standing(issue, "" if issue in queued else tasks[issue].agent, on))
        return found


def tries(runs: Sequence[Run], waiting: Sequence[Entry], chances: Mapping[int, float], exact: bool) -> list[Trying]:
    """The sets that are tried now, and those that have passed and wait for others, in landing order."""
    issues = {entry.id: entry.issue for entry in waiting}
    found = []
    for run in runs:
        members = [number for number in issues if number in run.members]
        if not members or (run.state != "running" and run.id not in chances):
            continue
        order = list(issues)
        ahead = order[: order.index(members[-1])] if exact else ()
        without = tuple(issues[number] for number in ahead if number not in members)
        names, passed = tuple(issues[number] for number in members), run.state == "green"
        found.append(Trying(names, run.about, without, chances.get(run.id, 0.0), run.began_at, passed, run.whole))
    place = {issue: where for where, issue in enumerate(issues.values())}
    return sorted(found, key=lambda one: ([place[issue] for issue in one.issues], one.since))


def _collided(snapshot: Snapshot, tasks: Mapping[str, Task]) -> list[Collided]:
    since = {(row["a"], row["b"]): row["since_at"] for row in snapshot.all("collisions")}
    return [
        Collided(
            one.a, None if one.is_stale else one.b, tasks[one.a].agent if one.a in tasks else "", one.paths,
            since[one.a, one.b],
        )
        for one in radar.known(snapshot)
    ]  # fmt: skip


def _looked(snapshot: Snapshot) -> tuple[float, int] | None:
    row = snapshot.one("pieces-looked")
    return (row["at"], row["count"]) if row else None


def _bare(snapshot: Snapshot, tip: str) -> float | None:
    runs = (Run.of(row) for row in snapshot.all("trials-running"))
    return next((run.began_at for run in runs if run.tip == tip and not run.members), None)


def _not_there(supports: Sequence[Support]) -> str:
    missing = [one.parent for one in supports if one.ground is Ground.MENDED]
    return f"stands on {' and '.join(missing)}, whose author is mending it" if missing else ""


def why_waits(entry: Entry, waiting: Sequence[Entry], runs: Sequence[Run], paused: bool) -> str:
    """Why `entry` has not landed yet."""
    if entry.state == "look":
        return f"a person must look: {entry.why}; then: agent-coord merge approve {entry.id}"
    if entry.state == "held":
        return f"held: {entry.why}"
    issues = {one.id: one.issue for one in waiting}
    trial = next((run for run in runs if entry.id in run.members[-run.about :] and run.state == "running"), None)
    if trial is not None:
        others = [issues[one] for one in trial.members if one in issues and one != entry.id]
        return "its checks run now" + (f", together with {', '.join(others)}" if others else "")
    if paused:
        return "waits until landing is resumed"
    if entry.why:
        return entry.why
    told = next((run for run in reversed(runs) if entry.id in run.members and run.state != "running"), None)
    return _after(entry, told, issues) or _before(entry, waiting)


def _after(entry: Entry, told: Run | None, issues: Mapping[int, str]) -> str:
    if told is None:
        return ""
    others = ", ".join(issues[one] for one in told.members if one in issues and one != entry.id)
    if told.state == "green":
        return f"passed; waits for {others or 'its turn to land'}"
    return f"was red together with {others}: who is to blame is being found out" if others else ""


def _before(entry: Entry, waiting: Sequence[Entry]) -> str:
    ahead = [one for one in waiting if one.state != "look"]
    place = next(where for where, one in enumerate(ahead) if one.id == entry.id)
    return "is next, waits for a free bench" if place == 0 else f"waits for {ahead[place - 1].issue} before it"
