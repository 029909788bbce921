"""One attempt at an issue: take everything it needs, start the agent, and give everything back.

Taken in this order, given back in the reverse order when a step fails: the claim (a lease on the
issue), the reservations, the slot with its database, the tracker's mark, the process. Whatever ends an
attempt, its unlanded work is saved under a ref before the slot is used again.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.backlog.issues import Issue
from analyzer.scopes.scope import Scope
from coordinator.agents.adapter import Assignment, Launch
from coordinator.agents.briefing import Place, write_briefing, write_continuation, write_reentry
from coordinator.agents.supervisor import Running, start, stop
from coordinator.bootstrap import Project
from coordinator.guard.places import VARIABLE
from coordinator.guard.posts import SCOPE_FILE, Post, post_guard
from coordinator.guard.proof import prove, prove_wall
from coordinator.guard.strays import note_main
from coordinator.guard.walls import choose_wall, temporary_folder, walled, writable
from coordinator.mail import reservations
from coordinator.merging.stacks import Base, share
from coordinator.running.assign import paths_to_reserve
from coordinator.running.views import view_of
from coordinator.tasks import claims
from coordinator.tasks.claims import Task
from coordinator.tasks.handoffs import Handoff, handoffs_of
from resources.monitor.processes import end_marked
from resources.state import leases
from resources.state.leases import Lease
from resources.state.store import Transaction
from resources.system.errors import Failure, NotNow
from resources.system.files import replace_file
from resources.worktrees.pool import Held, Released

LONGEST_ARGUMENT = 100_000
"""Bytes of a prompt; Linux refuses a single argument above 131,072."""

ROOM = "agent"
"""Where a slot's agent has its settings and sessions, beside the slot's guard: gone with the slot."""


@dataclass
class Attempt:
    """What one agent holds while it works on an issue, until the work has landed or was given up."""

    task: Task
    issue: Issue
    claim: Lease
    held: Held
    running: Running | None = None
    write: tuple[str, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    strays: str = ""
    """What was changed in the main checkout while it ran, as a sentence."""
    session: str = ""
    """The program's session, to be gone on with."""
    paused: str = ""
    """Why nobody works on it although it is not over: the model refuses; "" when it is not paused."""
    bounced: float = 0.0
    """Since when it waits for a seat because its work came back (seconds since 1970), 0 while it does not."""

    @property
    def state(self) -> str:
        """The state of its task. What is paused has not ended: it keeps its seat."""
        if self.bounced:
            return "bounced"
        return "working" if self.running is not None or self.paused else "judging"

    @property
    def leases(self) -> tuple[Lease, Lease]:
        """What must be renewed while the attempt lives."""
        return self.claim, self.held.lease


@dataclass(frozen=True)
class Job:
    """An attempt that is to be made: on which issue, from which commit, by whom."""

    task: Task
    issue: Issue
    scope: Scope | None
    agent: str
    base: str
    stack: Base | None = None
    """What it stands on besides the base branch."""


def begin(project: Project, job: Job) -> Attempt:
    """Take everything for the attempt and start the agent. Raises NotNow when something is taken, holding nothing."""
    attempt = take(project, job)
    try:
        project.tracker.claim(job.issue.id, job.agent)
        start_agent(project, attempt)
    except BaseException:
        give_back(project, attempt, job.task.state, "could not be started")
        project.mirror(lambda tracker: tracker.unclaim(job.issue.id))
        raise
    return attempt


def take(project: Project, job: Job) -> Attempt:
    """Take claim, reservations and slot, all or nothing. Raises NotNow naming who has what."""
    issue, agent = job.issue.id, job.agent
    with _telling_refusals(project, job), project.ledger.write() as tx:
        claim, handoffs = claims.claim(tx, issue, agent), handoffs_of(tx, issue)
        if job.stack is not None:
            share(tx, issue, job.stack)
        wanted = paths_to_reserve(job.scope, project.policy, share=job.task.filter == "all" or job.stack is not None)
        for patterns, shared, guess in (
            (wanted.firm, False, False), (wanted.exclusive, False, True), (wanted.shared, True, True)
        ):  # fmt: skip
            reservations.reserve(
                tx, patterns, agent=agent, issue=issue, why=job.issue.title, shared=shared, predicted=guess
            )
    try:
        view = view_of(project, job.scope, job.base)
        held = project.pool.acquire(issue, agent, base=job.base, view=view, prefer=job.task.slot)
        wait = project.config.agents.lock_seconds
        _guard(project, Post(held, project.base, wanted.all, stacked=job.stack is not None, lock_seconds=wait))
    except BaseException:
        _unclaim(project, claim)
        raise
    return Attempt(job.task, job.issue, claim, held, write=wanted.all, handoffs=handoffs)


@contextmanager
def _telling_refusals(project: Project, job: Job) -> Generator[None]:
    """A refusal takes its own transaction back; that it happened is told in another one."""
    try:
        yield
    except NotNow as refused:
        if refused.reference == "reserved":
            with project.ledger.write() as tx:
                tx.event("paths.refused", issue=job.issue.id, agent=job.agent, why=refused.what)
        raise


def _guard(project: Project, post: Post) -> None:
    try:
        note_main(post_guard(project.repository, project.config.scope, post), project.repository.root)
        prove(post.held.slot.path, post.held.slot.admin, post.held.environment)
    except BaseException:
        project.pool.release(post.held.lease)
        raise


def record(tx: Transaction, attempt: Attempt) -> None:
    """Write into the ledger that the next attempt begins in the slot that is held."""
    held, agent, issue = attempt.held, attempt.claim.agent, attempt.issue
    program = attempt.task.program
    place = {"agent": agent, "program": program, "slot": held.slot.name, "branch": held.branch, "base": held.base}
    claims.begin(tx, attempt.task, attempt.claim, **place)
    attempt.task = claims.find_task(tx, issue.id) or attempt.task
    tx.event(
        "attempt.started", issue=issue.id, slot=held.slot.name, agent=agent, attempt=attempt.task.attempt,
        program=program, title=issue.title, track=attempt.task.track,
    )  # fmt: skip


def start_agent(project: Project, attempt: Attempt) -> None:
    """Start the agent's program for the next attempt in the slot that is held already.

    A session that the program can go on with is gone on with. Raises Failure when it cannot be started, its guard
    included; then the attempt does not count.
    """
    held, number = attempt.held, attempt.task.attempt + 1
    adapter, wall = project.adapter(attempt.task.program), choose_wall(project.config.scope.wall)
    assignment = _assign(project, attempt, number, attempt.session if adapter.resumes else "")
    assignment = replace(assignment, walled=wall != "none")
    told = {VARIABLE: str(held.slot.admin / SCOPE_FILE)}
    adapter.install_guard(assignment)
    adapter.prove_guard(assignment, {**held.environment, **told})
    launch = _behind_wall(project, wall, held.slot.path, adapter.launch(assignment))
    briefing, issue = assignment.briefing, attempt.issue
    with project.ledger.write() as tx:
        record(tx, attempt)
    told |= {"AGENT_COORD_BRIEFING": str(briefing), "AGENT_COORD_ATTEMPT": str(number)}
    log, keep = log_of(project, attempt), project.config.agents.log_bytes
    attempt.running = start(adapter, assignment, launch, dict(held.environment) | told, log, keep)
    attempt.session, attempt.paused, attempt.bounced = launch.session, "", 0.0
    with project.ledger.write() as tx:
        claims.record_process(tx, issue.id, attempt.claim.fence, attempt.running.process, attempt.running.begin)


def assign_again(project: Project, attempt: Attempt) -> tuple[Assignment, Path]:
    """What an attempt that another coordinator began was told, as far as it matters now, and its log."""
    issue, slot, number = attempt.issue, attempt.held.slot, attempt.task.attempt
    file = _folder(project, issue.id) / f"{number}.briefing.md"
    return Assignment(issue.id, issue.title, number, slot.path, "", file, slot.admin / ROOM), log_of(project, attempt)


def log_of(project: Project, attempt: Attempt) -> Path:
    """The file with the output of the attempt's agent."""
    return log_file(project, attempt.issue.id, attempt.task.attempt)


def log_file(project: Project, issue: str, attempt: int) -> Path:
    """The file with the output of the agent of an issue's attempt number `attempt`."""
    return _folder(project, issue) / f"{attempt}.log"


def _behind_wall(project: Project, kind: str, slot: Path, launch: Launch) -> Launch:
    if kind == "none":
        return launch
    for folder in launch.writes:
        folder.mkdir(parents=True, exist_ok=True)
    places = [*writable(project.repository, project.config.scope, slot), *map(str, launch.writes)]
    prove_wall(kind, slot, places)
    environment = {**launch.environment, "TMPDIR": str(temporary_folder(slot))}
    return replace(launch, argv=walled(kind, launch.argv, slot, places), environment=environment)


def again(attempt: Attempt) -> None:
    """Let the next start repeat the attempt's number: what ended it was not its own doing."""
    attempt.task = replace(attempt.task, attempt=attempt.task.attempt - 1)


def _assign(project: Project, attempt: Attempt, number: int, session: str) -> Assignment:
    file, text = _brief(project, attempt, number)
    issue, slot = attempt.issue, attempt.held.slot
    if session and attempt.paused:
        text = write_continuation(issue.id, attempt.paused, str(file))
    elif session and attempt.handoffs:
        text = write_reentry(issue.id, attempt.handoffs[-1], project.config.agents.attempts, str(file))
    if len(text.encode()) > LONGEST_ARGUMENT:
        text = f"Your briefing is too long to be given here. Read all of {file} before you begin."
    return Assignment(issue.id, issue.title, number, slot.path, text, file, slot.admin / ROOM, session)


def give_back(project: Project, attempt: Attempt, state: str, why: str, *, uncounted: bool = False) -> Released:
    """Stop the agent, save what has not landed, give slot, reservations and claim back; the task goes to `state`.

    `uncounted`: the attempt was in vain through no fault of its own.
    """
    if attempt.running is not None:
        stop(attempt.running)
        attempt.running = None
    # What it started in sessions of its own outlives its group, and would write on in the slot.
    end_marked(project.uid, attempt.held.lease.fence)
    try:
        released = project.pool.release(attempt.held.lease)
    except Failure as failure:
        # Whoever ended the lease has saved the work and taken the slot.
        if failure.reference != "stale-lease":
            raise
        released = Released(None, None)
    with project.ledger.write() as tx:
        reservations.release_issue(tx, attempt.issue.id)
        claims.move(tx, attempt.task, state, why)
        claims.give_back(tx, attempt.task)
        if uncounted:
            tx.change("task-uncount", issue=attempt.issue.id)
        if released.saved_ref:
            place = {"slot": attempt.held.slot.name, "agent": attempt.claim.agent}
            tx.event("work.saved", issue=attempt.issue.id, ref=released.saved_ref, **place)
    return released


def _unclaim(project: Project, claim: Lease) -> None:
    with project.ledger.write() as tx:
        reservations.release_issue(tx, claim.issue)
        leases.release(tx, claim)


def _brief(project: Project, attempt: Attempt, number: int) -> tuple[Path, str]:
    held = attempt.held
    place = Place(
        held.slot.name, str(held.slot.path), held.branch, held.slot.database, held.slot.ports,
        str(held.slot.view.get("mode", "full")), held.slot.is_berth, project.config.agents.lock_seconds,
    )  # fmt: skip
    gate = project.config.gate
    checks = [f"{check.name}: `{' '.join(check.run)}`" for check in gate.checks if check.name not in gate.disabled]
    text = write_briefing(attempt.issue, place, attempt.write, checks, attempt.handoffs)
    file = _folder(project, attempt.issue.id) / f"{number}.briefing.md"
    replace_file(file, text)
    return file, text


def _folder(project: Project, issue: str) -> Path:
    return project.logs / issue.replace("/", "_")
