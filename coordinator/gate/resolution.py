"""Whether an issue may be closed without a change, on an agent's word: pure.

A word alone proves nothing, so each kind has evidence of its own. All of them: a reason of substance, a slot as it was
given, no commit (who has changed something wants that judged). *Already done* needs the commit that has done it, on
the base branch: the one that the agent names, else the newest that names the issue and was not taken back.
"""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.gate.evidence import names, outline
from coordinator.tasks.resolutions import Kind, Resolution

LEAST = 20
"""Letters and figures of a reason; "done", "not needed" and "n/a" tell a person nothing."""
DIFFERENT = 8
"""Different ones among them."""


@dataclass(frozen=True)
class Shown:
    """What git shows: commits made in the attempt, uncommitted paths, and for "already done" what the base has."""

    commits: int = 0
    uncommitted: tuple[str, ...] = ()
    proof: str = ""
    """The id of the commit that was named, where there is one."""
    on_base: bool = False
    """The base branch contains it."""
    naming: tuple[tuple[str, str], ...] = ()
    """Id and message of the base branch's commits that may name the issue, newest first."""


def missing(issue: str, title: str, said: Resolution, shown: Shown) -> tuple[str, ...]:
    """What the word lacks, as sentences for the agent; empty when the issue may be closed."""
    found: list[str] = []
    if not _has_substance(said.why, title):
        found.append("the reason tells too little: say what you looked at and what you found")
    if shown.commits:
        found.append("commits were made in this attempt: to have them judged, end without resolving the issue")
    if shown.uncommitted:
        found.append(f"the worktree is not as it was given: undo {outline(shown.uncommitted)}")
    if said.kind is Kind.ALREADY_DONE:
        found += _unproven(issue, said, shown)
    return tuple(found)


def _has_substance(why: str, title: str) -> bool:
    letters = [sign for sign in why.casefold() if sign.isalnum()]
    said, known = (" ".join(text.casefold().split()) for text in (why, title))
    return len(letters) >= LEAST and len(set(letters)) >= DIFFERENT and said != known


def _unproven(issue: str, said: Resolution, shown: Shown) -> list[str]:
    if said.proof:
        if not shown.proof:
            return [f"there is no commit {said.proof}"]
        return [] if shown.on_base else [f"{said.proof} is not on the base branch: what has not landed is not done"]
    commit, message = _newest(issue, shown)
    if not commit:
        return [f"no commit on the base branch names {issue}: tell the one that has done it with --commit"]
    if message.startswith('Revert "'):
        return [f"{commit[:12]} took it back: {message.splitlines()[0]}"]
    return []


def _newest(issue: str, shown: Shown) -> tuple[str, str]:
    return next(((commit, message) for commit, message in shown.naming if names(message, issue)), ("", ""))


def sentence(issue: str, said: Resolution, shown: Shown) -> str:
    """The reason with which the issue is closed."""
    match said.kind:
        case Kind.NO_CHANGE:
            return f"no change needed: {said.why}"
        case Kind.OBSOLETE:
            return f"obsolete: {said.why}"
        case Kind.ALREADY_DONE:
            return f"already done in {(shown.proof or _newest(issue, shown)[0])[:12]}: {said.why}"
