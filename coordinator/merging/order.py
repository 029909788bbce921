"""Who lands next: one pure function.

1. Higher priority first (0 is the most urgent).
2. Then whoever has been waiting longer.
3. Then the lower entry number.

The order says who is judged before whom where two changes meet, and so who is rebuilt when somebody urgent comes.
An entry that is held (the base branch is checked out with edits in the way) keeps its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resources.state.store import Row


@dataclass(frozen=True)
class Entry:
    """A branch in the queue. Times are wall-clock seconds."""

    id: int
    issue: str
    branch: str
    tip: str
    fence: int
    priority: int
    state: str
    why: str
    queued_at: float
    merged: str = ""
    approved: int = 0
    blamed: int = 0

    @classmethod
    def of(cls, row: Row) -> Entry:
        """From a row of the ledger."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


def landing_order(entries: Sequence[Entry]) -> list[Entry]:
    """The queue, head first."""
    return sorted(entries, key=lambda entry: (entry.priority, entry.queued_at, entry.id))
