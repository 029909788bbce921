"""What attempts left, in words: for the next attempt's briefing and for the person who looks at the issue. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coordinator.tasks.handoffs import Handoff, Ran


def write_handoffs(issue: str, title: str, handoffs: Sequence[Handoff]) -> str:
    """The file for people: every attempt, oldest first, as Markdown."""
    return "\n\n".join([f"# {issue}: {title}", *map(write_handoff, handoffs)]) + "\n"


def write_handoff(handoff: Handoff) -> str:
    """One attempt as a section."""
    parts = [f"## Attempt {handoff.attempt} did not land", handoff.why, *write_failure(handoff)]
    if handoff.stat:
        parts += ["It changed, against its base:", _fenced(handoff.stat)]
    if handoff.log:
        parts.append(f"Its agent's output: `{handoff.log}`, bytes {handoff.log_from} to {handoff.log_to}.")
    if handoff.saved:
        parts.append(f"Its work is kept under `{handoff.saved}`; look at it with `git show {handoff.saved}`.")
    return "\n\n".join(parts)


def write_failure(handoff: Handoff) -> list[str]:
    """The commands that judged it and what the red one said, as paragraphs."""
    ran = "\n".join(["What judged it:", "", *map(_line, handoff.ran)])
    return [*([ran] if handoff.ran else []), *([_fenced(handoff.evidence)] if handoff.evidence else [])]


def _line(ran: Ran) -> str:
    how = "passed" if ran.passed else "failed"
    return f"- `{ran.command}` {how} with exit code {ran.code}" + (f"; output: `{ran.log}`" if ran.log else "")


def _fenced(text: str) -> str:
    """The text as a block; its fence is longer than any in the text, so that output cannot end it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{text.strip()}\n{fence}"
