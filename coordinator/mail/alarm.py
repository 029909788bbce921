"""An urgent letter reaches its agent at the next tool call, through the hook that guards its tools. Light.

Nearly every call finds no such letter, so that must cost nothing: a file beside the ledger is empty unless there may be
one. It is written and emptied inside write transactions of the ledger, which exclude each other, so no letter can slip
through between them; it is never removed, because behind a wall files can be written that are there, but not made.
Whoever finds something in it counts its own letters by a look into the ledger, and only then opens it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordinator.mail.letters import Draft
    from resources.state.store import Transaction

FILE = "urgent"
MOST = 2_000
"""Characters of a letter that are told; the rest is in the inbox."""


def send(tx: Transaction, state: str | os.PathLike[str], sender: str, draft: Draft) -> int:
    """Send a letter, and ring when it is urgent; returns its number. Raises Failure("unknown-recipient")."""
    from coordinator.mail import letters

    number = letters.send(tx, sender, draft)
    if draft.importance == "urgent":
        _write(state, "1")
    return number


def _write(state: str | os.PathLike[str], text: str) -> None:
    with open(os.path.join(state, FILE), "w") as stream:
        stream.write(text)


def hear(state: str, agent: str, issue: str) -> list[str]:
    """The urgent letters that the agent at `issue` has not been told of, as texts; it is told now, once.

    Mail is a courtesy of the hook: a ledger that does not answer tells nothing here.
    """
    from resources.state.peek import Error, peek

    try:
        ((count,),) = peek(state, "mail.sql", ("urgent-for",), {"agent": agent, "issue": issue})
    except (Error, OSError):
        return []
    return _told(state, agent, issue) if count["letters"] else []


def _told(state: str, agent: str, issue: str) -> list[str]:
    from pathlib import Path

    from coordinator.mail.letters import Reader, tell
    from resources.state.sqlite import SqliteLedger
    from resources.system.errors import Failure

    try:
        ledger = SqliteLedger(Path(state))
        try:
            with ledger.write() as tx:
                found = tell(tx, Reader(agent, issue))
                if tx.one("urgent-left") is None:
                    _write(state, "")
        finally:
            ledger.close()
    except Failure:
        return []
    return [f"{letter.sender} writes (letter {letter.id}): {letter.subject}\n{letter.body[:MOST]}" for letter in found]
