"""What an agent is told: pure.

The briefing says what to do, where, how its work will be judged, and what earlier attempts left behind.
It never asks the agent to claim, close, merge or clean up: those are the coordinator's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.backlog.issues import Issue
from coordinator.agents.handoff_text import write_failure, write_handoff
from coordinator.tasks.handoffs import Handoff

ASKING = "What somebody else holds you may not write; `agent-coord scope widen PATTERN --why TEXT` asks for it."

TOLD = 5
"""How many earlier attempts are told, the newest; the file of the handoff has all."""


@dataclass(frozen=True)
class Place:
    """Where the agent works."""

    slot: str
    path: str
    branch: str
    database: str
    ports: tuple[int, int]
    view: str
    shared: bool = False
    """Whether it works beside others in one checkout; then a tool waits `lock_seconds` for a file of theirs."""
    lock_seconds: float = 0.0


def write_briefing(
    issue: Issue, place: Place, write: Sequence[str], checks: Sequence[str], handoffs: Sequence[Handoff] = ()
) -> str:
    """The briefing for one attempt as Markdown."""
    alone = (_place(place), _scope(write), _judgement(issue.id, checks))
    shared = (_shared_place(place), _locks(place, write), _shared_judgement(issue.id, place.branch, checks))
    parts = [
        f"# {issue.id}: {issue.title}",
        *_text(issue),
        *(shared if place.shared else alone),
        *map(write_handoff, handoffs[-TOLD:]),
    ]
    return "\n\n".join(parts) + "\n"


def write_reentry(issue: str, handoff: Handoff, attempts: int, briefing: str) -> str:
    """What a resumed session is told because its work did not land. `briefing` is the file of the whole text."""
    return (
        "\n\n".join(
            [
                f"# {issue}: attempt {handoff.attempt + 1} of {attempts}",
                f"Your work did not land: {handoff.why}",
                *write_failure(handoff),
                "Find the cause and mend it in the same worktree; skip and weaken nothing. Then commit, with "
                f"`{issue}` in the message, and end. All that you were told at first still holds: `{briefing}`.",
            ]
        )
        + "\n"
    )


def write_continuation(issue: str, why: str, briefing: str) -> str:
    """What a session is told that was interrupted by no fault of its own."""
    return (
        f"# {issue}: go on\n\nYou were interrupted: {why}\n\n"
        f"Go on where you stopped. All that you were told at first still holds: `{briefing}`.\n"
    )


def _text(issue: Issue) -> list[str]:
    named = (
        ("", issue.description),
        ("Design", issue.design),
        ("Acceptance criteria", issue.acceptance),
        ("Notes", issue.notes),
    )
    return [f"## {name}\n\n{text}" if name else text for name, text in named if text]


def _place(place: Place) -> str:
    lines = [
        "## Where you work",
        "",
        f"You are alone in the git worktree `{place.path}` (slot {place.slot}), on branch `{place.branch}`.",
        "Any failure that you see here is caused by your changes.",
    ]
    if place.view != "full":
        lines.append(
            f"The worktree shows a part of the repository (view `{place.view}`); the rest is in git, hidden on disk."
        )
    if place.database:
        lines.append(
            f"Your own Postgres database is `{place.database}`; DATABASE_URL and PG* point at it. Nobody else uses it."
        )
    if place.ports[0]:
        lines.append(f"Ports {place.ports[0]} to {place.ports[1]} are yours.")
    return "\n".join(lines)


def _shared_place(place: Place) -> str:
    return (
        "## Where you work\n\n"
        f"You work in `{place.path}` on branch `{place.branch}`, at the same time as other agents: you see their files "
        "as they write them. A failure in files that you have not touched may be somebody's unfinished work: leave it "
        "as it is and go on with yours.\n"
        "Tests, servers and databases are shared too. Run your tests alone: `agent-coord mutex run -- COMMAND`."
    )


def _locks(place: Place, write: Sequence[str]) -> str:
    expected = "".join(f"- `{pattern}`\n" for pattern in write)
    where = f"\n\nExpected to be written for this issue:\n\n{expected}".rstrip() if write else ""
    return (
        "## Files are locked\n\n"
        "A file is yours alone from your first edit of it (or `agent-coord reserve add FILE --why TEXT`) until your "
        "work has been judged. What another agent has, you may not write: the call waits up to "
        f"{place.lock_seconds:g} s and is then refused with the holder's name. Then do what needs no file of others, "
        f"and try again later; when nothing else is left, end and say whom you wait for.{where}"
    )


def _shared_judgement(issue: str, branch: str, checks: Sequence[str]) -> str:
    return (
        "## How your work is judged\n\n"
        "Commit your own files, and nothing else, with `agent-coord commit -m TEXT FILE…`, then end. `git commit`, "
        "`git add --all`, stash, reset, switching branches, merge and rebase are refused: they would take the work "
        "of others along.\nDo not close the issue: that would end your attempt.\n"
        f"The coordinator takes `{branch}` without what others have not finished and runs, in a clean tree:\n\n"
        f"{_listed(checks)}\n\n{_closing(issue, 'leave all files as they are')}"
    )


def _scope(write: Sequence[str]) -> str:
    if not write:
        return "## Scope\n\nNo paths could be predicted for this issue. Keep the change as small as it can be."
    listed = "\n".join(f"- `{pattern}`" for pattern in write)
    return f"## Scope\n\nThese paths are reserved for you while you work:\n\n{listed}\n\n{ASKING}"


def _judgement(issue: str, checks: Sequence[str]) -> str:
    return (
        "## How your work is judged\n\n"
        f"Commit your work on this branch, with `{issue}` in the message, then end. "
        "Do not merge, push, stash or switch branches.\n"
        "Do not close the issue: that would end your attempt.\n"
        f"The coordinator merges it with the newest base branch and runs, in a clean tree:\n\n"
        f"{_listed(checks)}\n\n{_closing(issue, 'leave the worktree as it is')}"
    )


def _listed(checks: Sequence[str]) -> str:
    return "\n".join(f"- {check}" for check in checks) or "- (no checks are configured)"


def _closing(issue: str, leave: str) -> str:
    return (
        "All of them must pass; none may be skipped or weakened.\n\n"
        f"If nothing has to be changed, commit nothing and {leave}. Say so, then end:\n"
        f"`agent-coord task resolve {issue} --as no-change|obsolete|already-done --why TEXT [--commit SHA]`"
    )
