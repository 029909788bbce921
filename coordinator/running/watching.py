"""What a look at a working agent shows, and what its end means.

An agent's end is read from git, not from its exit code; `outcomes` does the reading. Here its end is
written down with what it cost, and an agent that has long been silent is named once.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from coordinator.agents.supervisor import Ended, Running, look
from coordinator.bootstrap import Project
from coordinator.gate.evidence import Work, complaints
from coordinator.gate.resolution import missing, sentence
from coordinator.merging.queue import Finished
from coordinator.running.attempts import Attempt
from coordinator.running.outcomes import inspect
from coordinator.running.resolving import look as look_for_proof
from coordinator.tasks.resolutions import said_in
from coordinator.transcripts.activity import Ending

QUIET_SHARE = 0.5
"""An agent that was silent for this share of the idle limit is named."""


@dataclass(frozen=True)
class Seen:
    """An agent that is gone: how, a sentence why, the tip of its branch where its work may be judged.

    `why` is empty when the work may go to the gate.
    """

    ending: Ending
    why: str
    tip: str = ""
    files: tuple[str, ...] = ()
    until: float = 0.0
    """Until when the model refuses (seconds since 1970), 0 when that is not known."""
    resolved: str = ""
    """Why the issue needs no change, where the agent has said and shown so."""


def watch(project: Project, attempt: Attempt) -> Seen | None:
    """Look at the attempt's agent; None while it works."""
    running = attempt.running
    if running is None:
        return None
    limits = project.config.agents
    idle = limits.idle_minutes * 60
    ended = look(running, idle=idle, timeout=limits.timeout_minutes * 60)
    attempt.session = running.session or attempt.session
    if ended is None:
        _name_if_quiet(project, attempt, running, idle * QUIET_SHARE)
        return None
    attempt.running = None
    return _judge(project, attempt, running, ended)


def _judge(project: Project, attempt: Attempt, running: Running, ended: Ended) -> Seen:
    why, ending = ended.why, ended.ending
    if ending is Ending.LOST and not running.assignment.session:
        ending = Ending.FAILED
    work, tip = inspect(project, attempt)
    if attempt.strays:
        project.say(f"{attempt.issue.id}: {attempt.strays}")
    resolved = ""
    if ending is Ending.DONE:
        why, resolved = _weigh(project, attempt, work)
    usage = asdict(running.usage) if running.usage else {}
    facts = {"session": attempt.session, "denials": running.denials, "usage": usage, "strays": attempt.strays}
    _tell(project, attempt, "attempt.ended", ending=ending.value, why=why, **facts)
    return Seen(ending, why, tip, ended.files, running.until, resolved)


def _weigh(project: Project, attempt: Attempt, work: Work) -> tuple[str, str]:
    """Why the work of an agent that ended well cannot be judged, and why its issue is to be closed without any."""
    with project.ledger.read() as snapshot:
        said = said_in(snapshot, attempt.task)
    if said is None or not attempt.held.slot.path.is_dir():
        return "; ".join(complaints(work, commit_names_issue=project.config.gate.commit_names_issue)), ""
    issue, held = attempt.issue, attempt.held
    shown = look_for_proof(project, held.slot, held.base, issue.id, said)
    lacks = missing(issue.id, issue.title, said, shown)
    if lacks:
        return f"it cannot be closed as {said.kind}: {'; '.join(lacks)}", ""
    return "", sentence(issue.id, said, shown)


def _name_if_quiet(project: Project, attempt: Attempt, running: Running, limit: float) -> None:
    silent = time.monotonic() - running.heard
    if silent < limit:
        running.named = False
    elif not running.named:
        running.named = True
        last = running.said[:300] or "nothing yet"
        project.say(f"{attempt.issue.id}: {attempt.claim.agent} gives no sign of life for {silent:.0f} s; last: {last}")
        _tell(project, attempt, "attempt.quiet", seconds=round(silent, 1), last=last)


def finished(attempt: Attempt, tip: str) -> Finished:
    """The attempt's work, to be queued: its branch stands at `tip`."""
    held, issue = attempt.held, attempt.issue
    return Finished(
        issue.id, held.branch, tip, attempt.task.fence, issue.priority, held.slot.name, attempt.claim.agent
    )  # fmt: skip


def _tell(project: Project, attempt: Attempt, kind: str, **data: object) -> None:
    with project.ledger.write() as tx:
        tx.event(
            kind, issue=attempt.issue.id, slot=attempt.held.slot.name, agent=attempt.claim.agent,
            attempt=attempt.task.attempt, **data,
        )  # fmt: skip
