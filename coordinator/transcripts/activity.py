"""What one line of a program's output tells, whichever program printed it.

Programs retry, warn and give up in words of their own. What the coordinator must know is small: did it do
something, was it refused something, is this its last word, and if it ends badly, whose fault is that? A quota or an
outage is nobody's fault here and meets every agent alike; a session that is not known any more is begun anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 2000
"""Characters of a line that are kept as its text."""


class Ending(StrEnum):
    """How a program ended, as far as it can tell; only the gate tells whether the work is good."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    UNAVAILABLE = "unavailable"
    """The model cannot be had now (quota, rate limit, outage, login): every other agent would meet the same."""
    LOST = "lost"
    """The session that was to be resumed is not known."""
    UNGUARDED = "unguarded"
    """The program used a tool although its guard had not answered; it was stopped."""


@dataclass(frozen=True)
class Usage:
    """Tokens read, tokens of these that came from a cache, tokens written; dollars where the program says so."""

    read: int = 0
    cached: int = 0
    written: int = 0
    dollars: float | None = None


@dataclass(frozen=True)
class Activity:
    """What one line tells."""

    text: str = ""
    """For people, "" when the line is not for them."""
    session: str = ""
    files: tuple[str, ...] = ()
    acts: bool = False
    """The program is using a tool."""
    denial: str = ""
    """Why a tool was refused."""
    usage: Usage | None = None
    final: bool = False
    """The program's last word."""
    trouble: Ending | None = None
    """How the program would end badly if it ended now."""
    waits: bool = False
    """It only waits for its model: no sign of life."""
    until: float = 0.0
    """Seconds since 1970 until which the model refuses, 0 when that is not known."""

    @property
    def failed(self) -> bool:
        """The program itself says that it failed."""
        return self.trouble is not None


_UNAVAILABLE = re.compile(
    r"too many requests|rate.?limit|usage limit|hit your limit|quota exceeded|exceeded your .*quota|insufficient.?quota"
    r"|billing (details|error)|payment required|credit balance|overloaded|experiencing high demand"
    r"|(status:?|api error:?|http) (401|402|403|429|5\d\d)\b|failed to authenticate|invalid api key|not logged in",
    re.IGNORECASE,
)
_LOST = re.compile(
    r"no conversation found with session id|no rollout found for thread|session not found", re.IGNORECASE
)


def trouble_of(text: str) -> Ending:
    """What a program's own words for a failure mean."""
    if _LOST.search(text):
        return Ending.LOST
    return Ending.UNAVAILABLE if _UNAVAILABLE.search(text) else Ending.FAILED


def ending(code: int, last: Activity, *, must_say: bool = False) -> Ending:
    """How a program ended: from its exit code (negative: a signal; a shell's 128 + n likewise) and its last word.

    With `must_say` an exit code of 0 is worth nothing without a last word.
    """
    if code < 0 or code in (130, 137, 143):
        return Ending.STOPPED
    if code == 0 and last.trouble is None and (last.final or not must_say):
        return Ending.DONE
    return last.trouble or trouble_of(last.text)
