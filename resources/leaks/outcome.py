"""What became of an attempt to take something back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """`result` is reclaimed, quarantined, kept (it changed meanwhile), reported (a person must act) or failed."""

    result: str
    note: str = ""

    @property
    def settled(self) -> bool:
        """Whether the thing is no leak any more."""
        return self.result in {"reclaimed", "quarantined"}


RECLAIMED = Outcome("reclaimed")
GONE = Outcome("reclaimed", "it had gone already")


def kept(note: str) -> Outcome:
    """Left alone, and why."""
    return Outcome("kept", note)
