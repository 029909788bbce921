"""The contract of the ledger: serialised writes, consistent reads, named statements, one event log.

A `Transaction` is the only way to change anything, and at most one exists per ledger at a time, in any
process. Callers name statements from `queries/`; the statements are portable, so that a store for
several hosts can stand behind the same two verbs. Every change appends its event in the same
transaction: the log is never ahead of or behind the state.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = dict[str, Any]


class Snapshot(Protocol):
    """A consistent view for reading."""

    def all(self, statement: str, **values: Any) -> list[Row]:
        """Every row of a named statement."""
        ...

    def one(self, statement: str, **values: Any) -> Row | None:
        """The first row of a named statement, None when there is none."""
        ...


class Transaction(Snapshot, Protocol):
    """The one writer. Leaving the block commits; an exception takes everything back."""

    def change(self, statement: str, **values: Any) -> int:
        """Run a named statement; returns how many rows it changed."""
        ...

    def next_fence(self) -> int:
        """A number that was never given out before."""
        ...

    def event(self, kind: str, *, issue: str = "", slot: str = "", agent: str = "", **data: Any) -> None:
        """Append to the log what this transaction does. `kind` is noun.verb, as in `slot.leased`."""
        ...


class Ledger(Protocol):
    """A project's state."""

    def write(self) -> AbstractContextManager[Transaction]:
        """The write transaction; waits for its turn."""
        ...

    def read(self) -> AbstractContextManager[Snapshot]:
        """A consistent snapshot; never waits for a writer."""
        ...

    def close(self) -> None:
        """Give the connection back; the ledger stays."""
        ...
