"""What attempts that did not land leave behind, in the ledger: the next one is told, whoever coordinates it.

A handoff is written before the slot is given back, so that a coordinator which dies in between loses none; the ref
that holds the work is added when it is known. Attempts are numbered anew when a person takes an issue up again, the
earlier handoffs stay. They go when the issue is done.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from resources.state.store import Row, Snapshot, Transaction
from resources.system.clock import wall


@dataclass(frozen=True)
class Ran:
    """A command that judged the work: its exit code, whether it passed, and the file with its output."""

    command: str
    code: int
    passed: bool
    log: str = ""


@dataclass(frozen=True)
class Handoff:
    """What an earlier attempt left: how it ended and the evidence."""

    attempt: int
    why: str
    evidence: str = ""
    """The last lines of what was red."""
    saved: str = ""
    """The ref that holds its work."""
    tree: str = ""
    """The tree of its last commit, "" when that is not known."""
    log: str = ""
    """The file with the agent's output, which is its bytes `log_from` to `log_to`."""
    log_from: int = 0
    log_to: int = 0
    stat: str = ""
    """What it changed against its base, as git sums it up."""
    ran: tuple[Ran, ...] = ()

    @classmethod
    def of(cls, row: Row) -> Handoff:
        """From a row of the ledger."""
        values: Row = {**row, "ran": tuple(Ran(**one) for one in json.loads(row["ran"]))}
        return cls(**values)


def handoffs_of(snapshot: Snapshot, issue: str) -> tuple[Handoff, ...]:
    """What the attempts at an issue left, oldest first."""
    return tuple(map(Handoff.of, snapshot.all("handoffs-of", issue=issue)))


def leave(tx: Transaction, issue: str, handoff: Handoff) -> None:
    """Write down what an attempt leaves."""
    values = asdict(handoff) | {"ran": json.dumps([asdict(one) for one in handoff.ran])}
    tx.change("handoff-insert", issue=issue, now_at=wall(), **values)


def add_saved(tx: Transaction, issue: str, saved: str, stat: str) -> None:
    """The work of the newest handoff is kept under the ref `saved`; `stat` sums it up."""
    tx.change("handoff-saved", issue=issue, saved=saved, stat=stat)


def forget(tx: Transaction, issue: str) -> None:
    """The issue is done: nobody has to be told."""
    tx.change("handoffs-forget", issue=issue)
