"""mail …: letters between agents, people and the coordinator."""

from __future__ import annotations

import sys
from typing import Any

import typer

from coordinator.entrypoints.terminal import TERMINAL
from coordinator.mail import alarm, letters
from coordinator.mail.letters import IMPORTANCE, Draft, Letter, Reader
from coordinator.wherein import here
from resources.system.clock import iso
from resources.system.errors import Failure, Misuse

mail = typer.Typer(help="Letters between agents, people and the coordinator.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(mail, name="mail")


def _reader() -> Reader:
    caller = here()
    return Reader(caller.agent, caller.issue)


@mail.command("register")
def register_(
    name: str = typer.Argument("", help="The name (default: your own)."),
    about: str = typer.Option("", help="Who it is, for those who write."),
) -> int:
    """Make a name one that letters can be addressed to; agents at work are known without it."""
    project = TERMINAL.open()
    name = name or here().agent
    with project.ledger.write() as tx:
        letters.register(tx, name, about)
    TERMINAL.answer({"name": name, "about": about}, f"{name} can be written to")
    return 0


@mail.command()
def send(
    to: list[str] = typer.Option(..., help="An agent, an issue (whoever works on it), or `people`; repeat for more."),
    subject: str = typer.Option(..., help="One line."),
    body: str = typer.Option("", help="The text; - reads it from standard input."),
    thread: str = typer.Option("", help="What it belongs to (default: the issue)."),
    importance: str = typer.Option("normal", help=", ".join(IMPORTANCE) + "."),
    ack: bool = typer.Option(False, "--ack", help="Ask for an acknowledgement."),
) -> int:
    """Send a letter. An urgent one is told to its agent at its next tool call."""
    if importance not in IMPORTANCE:
        raise Misuse("bad-importance", f"there is no importance {importance!r}", mend=f"one of {', '.join(IMPORTANCE)}")
    project = TERMINAL.open()
    text = sys.stdin.read() if body == "-" else body
    draft = Draft(tuple(to), subject, text, thread or here().issue, importance, ack)
    with project.ledger.write() as tx:
        number = alarm.send(tx, project.repository.state, here().agent, draft)
    TERMINAL.answer({"letter": number, "to": to}, f"letter {number} is on its way to {', '.join(to)}")
    return 0


@mail.command()
def inbox(
    everything: bool = typer.Option(False, "--all", help="Also what was read and acknowledged."),
    peek: bool = typer.Option(False, "--peek", help="Do not mark as read."),
) -> int:
    """Your letters: inside a slot its agent's, else yours and those to `people`."""
    project = TERMINAL.open()
    with project.ledger.read() as snapshot:
        found = letters.inbox(snapshot, _reader(), everything=everything)
    text = "\n\n".join(map(_text, found)) or "no new letters"
    TERMINAL.answer({"letters": [_json(letter) for letter in found]}, text)
    if found and not peek:
        with project.ledger.write() as tx:
            letters.mark_read(tx, _reader(), found)
    return 0


@mail.command()
def ack(number: int = typer.Argument(..., metavar="ID")) -> int:
    """Acknowledge a letter."""
    project = TERMINAL.open()
    with project.ledger.write() as tx:
        letter = letters.acknowledge(tx, _reader(), number)
    TERMINAL.answer({"letter": number}, f"{letter.sender} can see that you mind letter {number}")
    return 0


@mail.command()
def thread(key: str = typer.Argument("", metavar="[ID]", help="Default: the list of all threads.")) -> int:
    """Everything said in a thread, or the list of threads."""
    project = TERMINAL.open()
    with project.ledger.read() as snapshot:
        found = letters.thread(snapshot, key) if key else []
        threads = [] if key else snapshot.all("threads")
    if key and not found:
        raise Failure("no-such-thread", f"there is no thread {key}", mend="agent-coord mail thread")
    if key:
        TERMINAL.answer({"thread": key, "letters": [_json(one) for one in found]}, "\n\n".join(map(_text, found)))
        return 0
    rows = [row | {"latest_at": iso(row["latest_at"])} for row in threads]
    lines = [f"{row['latest_at']}  {row['letters']:3}  {row['thread']}  {row['subject']}" for row in rows]
    TERMINAL.answer({"threads": rows}, "\n".join(lines) or "no letter was ever sent")
    return 0


@mail.command()
def who() -> int:
    """Every name that can be written to."""
    project = TERMINAL.open()
    with project.ledger.read() as snapshot:
        known = letters.correspondents(snapshot)
    TERMINAL.answer(
        {"names": known}, "\n".join(f"{name:16}  {about}".rstrip() for name, about in sorted(known.items()))
    )
    return 0


def _text(letter: Letter) -> str:
    mark = "" if letter.importance == "normal" else f" [{letter.importance}]"
    asks = (
        ""
        if not letter.wants_ack
        else "  (acknowledged)"
        if letter.acked_at
        else f"  (agent-coord mail ack {letter.id})"
    )
    address = " at ".join(part for part in (letter.agent, letter.issue) if part)
    head = f"{letter.id}. {iso(letter.sent_at)}  {letter.sender} to {address}, thread {letter.thread}{mark}{asks}"
    body = "".join(f"\n   {line}" for line in letter.body.splitlines())
    return f"{head}\n   {letter.subject}{body}"


def _json(letter: Letter) -> dict[str, Any]:
    names = ("id", "thread", "sender", "agent", "issue", "subject", "body", "importance", "wants_ack")
    times = {name: iso(at) if (at := getattr(letter, name)) else None for name in ("sent_at", "read_at", "acked_at")}
    return {name: getattr(letter, name) for name in names} | times
