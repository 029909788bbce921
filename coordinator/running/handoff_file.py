"""`.agent-worktrees/handoff/ISSUE.md`: what was tried on an issue, for the person who looks at it.

The ledger is the truth; the file is written anew from it after each attempt that did not land, and goes when the issue
is done.
"""

from __future__ import annotations

from pathlib import Path

from coordinator.agents.handoff_text import write_handoffs
from coordinator.bootstrap import Project
from coordinator.tasks.handoffs import forget, handoffs_of
from resources.system.files import replace_file


def handoff_file(project: Project, issue: str) -> Path:
    """Where the handoffs of an issue are to be read."""
    return project.repository.root / project.config.pool.folder / "handoff" / f"{issue.replace('/', '_')}.md"


def write_handoff_file(project: Project, issue: str, title: str) -> None:
    """Bring the file to what the ledger says; nothing is written when no attempt has left anything."""
    with project.ledger.read() as snapshot:
        handoffs = handoffs_of(snapshot, issue)
    if handoffs:
        replace_file(handoff_file(project, issue), write_handoffs(issue, title, handoffs))


def forget_handoffs(project: Project, issue: str) -> None:
    """The issue is done: nobody has to be told what went wrong on the way."""
    with project.ledger.write() as tx:
        forget(tx, issue)
    handoff_file(project, issue).unlink(missing_ok=True)
