"""Mail: letters between agents, people and the coordinator, kept in the ledger.

A letter is addressed to a name, or to an issue: then whoever works on it reads it, today's agent or tomorrow's. A
letter to the name of an agent at work is bound to its issue too, because names come back (`agent-2` is a seat) and it
must not reach the next holder of the name. `people` is everybody who is no agent: the coordinator writes there what a
person must know. A thread is a key of the writer's choice, by default the issue.

Every change appends its event in the same transaction, so that `report` and audits see who told whom what.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from resources.state.store import Row, Snapshot, Transaction
from resources.system.clock import wall
from resources.system.errors import Failure

COORDINATOR = "coordinator"
PEOPLE = "people"
IMPORTANCE = ("low", "normal", "high", "urgent")


@dataclass(frozen=True)
class Reader:
    """Who opens the mail: an agent at an issue, or a person (`issue` is "" and the mail of `people` is theirs too)."""

    name: str
    issue: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name under which letters reach this reader."""
        return (self.name,) if self.issue else (self.name, PEOPLE)

    @property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """Every (agent, issue) under which a letter is this reader's."""
        own = tuple((name, "") for name in self.names)
        return (*own, (self.name, self.issue), ("", self.issue)) if self.issue else own


@dataclass(frozen=True)
class Draft:
    """A letter to be sent. `to` are names and issues; `thread` "" means the issue, else the subject."""

    to: tuple[str, ...]
    subject: str
    body: str = ""
    thread: str = ""
    importance: str = "normal"
    wants_ack: bool = False


@dataclass(frozen=True)
class Letter:
    """One delivery of a letter: `agent` and `issue` are its address. Times are wall-clock seconds, None: not yet."""

    id: int
    thread: str
    sender: str
    subject: str
    body: str
    importance: str
    wants_ack: bool
    sent_at: float
    agent: str
    issue: str
    told_at: float | None = field(default=None, compare=False)
    read_at: float | None = field(default=None, compare=False)
    acked_at: float | None = field(default=None, compare=False)

    @classmethod
    def of(cls, row: Row) -> Letter:
        """From a row of the ledger."""
        values: Row = {**row, "wants_ack": bool(row["wants_ack"])}
        return cls(**values)

    @property
    def is_pending(self) -> bool:
        """Unread, or read and still to be acknowledged."""
        return self.read_at is None or (self.wants_ack and self.acked_at is None)


def register(tx: Transaction, name: str, about: str) -> None:
    """Make a name one that letters can be addressed to."""
    tx.change("correspondent-put", name=name, about=about, now_at=wall())
    tx.event("mail.registered", agent=name, about=about)


def correspondents(snapshot: Snapshot) -> dict[str, str]:
    """Every name that can be written to -> what is known about it."""
    known = {COORDINATOR: "reads nothing, writes what happened", PEOPLE: "everybody who is no agent"}
    return known | {row["name"]: row["about"] for row in snapshot.all("correspondents")}


def send(tx: Transaction, sender: str, draft: Draft) -> int:
    """Send a letter; returns its number. Raises Failure("unknown-recipient") naming the nearest known name."""
    addresses = [_address(tx, one) for one in dict.fromkeys(draft.to)]
    thread = draft.thread or next((issue for _, issue in addresses if issue), draft.subject)
    tx.change(
        "letter-insert", thread=thread, sender=sender, subject=draft.subject, body=draft.body,
        importance=draft.importance, wants_ack=int(draft.wants_ack), sent_at=wall(),
    )  # fmt: skip
    row = tx.one("letter-newest")
    number = int(row["id"]) if row else 0
    for agent, issue in addresses:
        tx.change("delivery-insert", letter=number, agent=agent, issue=issue)
        tx.event(
            "mail.sent", issue=issue, agent=agent,
            letter=number, sender=sender, subject=draft.subject, importance=draft.importance,
        )  # fmt: skip
    return number


def _address(snapshot: Snapshot, to: str) -> tuple[str, str]:
    """The agent and the issue that a recipient means."""
    tasks = snapshot.all("tasks")
    if any(row["issue"] == to for row in tasks):
        return "", to
    at_work = next((row["issue"] for row in tasks if row["agent"] == to and row["fence"]), "")
    known = correspondents(snapshot)
    if not at_work and to not in known:
        names = [*known, *(row["issue"] for row in tasks)]
        near = difflib.get_close_matches(to, names, n=1)
        raise Failure(
            "unknown-recipient", f"nobody here is called {to}" + (f"; did you mean {near[0]}?" if near else ""),
            mend=f"agent-coord mail register {to} --about 'who it is', or one of: {', '.join(sorted(names)[:8])}",
        )  # fmt: skip
    return to, at_work


def inbox(snapshot: Snapshot, reader: Reader, *, everything: bool = False) -> list[Letter]:
    """The letters that are still to be read or acknowledged, or all of them; oldest first."""
    rows = [row for name in reader.names for row in snapshot.all("letters-for", agent=name, issue=reader.issue)]
    found = {letter.id: letter for letter in map(Letter.of, rows) if everything or letter.is_pending}
    return [found[number] for number in sorted(found)]


def mark_read(tx: Transaction, reader: Reader, letters: Sequence[Letter]) -> None:
    """Remember that these were shown to their reader, under whichever address they came."""
    for number in [letter.id for letter in letters]:
        for agent, issue in reader.addresses:
            tx.change("delivery-read", letter=number, agent=agent, issue=issue, now_at=wall())


def acknowledge(tx: Transaction, reader: Reader, number: int) -> Letter:
    """Acknowledge a letter of one's own. Raises Failure("no-such-letter")."""
    mine = [letter for letter in inbox(tx, reader, everything=True) if letter.id == number]
    if not mine:
        raise Failure("no-such-letter", f"{reader.name} has no letter {number}", mend="agent-coord mail inbox --all")
    for letter in mine:
        if tx.change("delivery-ack", letter=number, agent=letter.agent, issue=letter.issue, now_at=wall()):
            tx.event("mail.acknowledged", issue=letter.issue, agent=reader.name, letter=number)
    return mine[0]


def tell(tx: Transaction, reader: Reader, least: str = "urgent") -> list[Letter]:
    """The unread letters of at least this importance that the reader has not been told of; it is told now."""
    wanted = IMPORTANCE[IMPORTANCE.index(least) :]
    fresh = [one for one in inbox(tx, reader) if one.told_at is None and one.importance in wanted]
    for letter in fresh:
        tx.change("delivery-told", letter=letter.id, agent=letter.agent, issue=letter.issue, now_at=wall())
    return fresh


def thread(snapshot: Snapshot, key: str) -> list[Letter]:
    """Everything said in a thread, one item per address, oldest first."""
    return [Letter.of(row) for row in snapshot.all("letters-of-thread", thread=key)]
