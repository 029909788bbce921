"""Mirrors names, letters and reservations to an MCP Agent Mail server. One way: the ledger alone is the truth.

A look reads one snapshot, compares it with what the server was told (`Told`, kept in the ledger), and makes the calls
that are missing, outside of every transaction; each is written down when it was answered. So nobody waits for the
server, a look that breaks off is gone on with by the next, and a crash between a call and its note repeats that call.
Letters are told in order; one that is refused twice is passed over and named. Reservations are told as they stand: the
server's word on a conflict is advice, and is not asked for. It forgets holders who are silent, so they are told again.

The server gives names of its own (`agent-1` may become `agent1`), and some servers a token that must be shown with one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

from coordinator.mail import reservations
from coordinator.mail.agent_mail import AgentMail, Refused
from coordinator.mail.letters import PEOPLE, correspondents
from coordinator.mail.reservations import Reservation
from resources.state.store import Ledger, Row, Snapshot
from resources.system.clock import wall

KEY = "mirror"
AT_ONCE = 50
"""Letters in one look."""
AGAIN = 600.0
"""Seconds after which what is held is told again; the server gives up holders that were silent for 900 to 1800."""
SHORTEST = 60
"""Seconds; the shortest term that the server grants."""


@dataclass
class Told:
    """What the server at `url` was told: letters up to a number, names (ours -> theirs), reservations by our id."""

    url: str
    letter: int = 0
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    held: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot, url: str) -> Told:
        """As the ledger knows it; nothing when it was another server."""
        row = snapshot.one("meta-get", key=KEY)
        told = cls(**json.loads(row["value"])) if row else cls(url)
        return told if told.url == url else cls(url)


class Mirror:
    """The server at `url` and the ledger that it is told of; `project` is what the server knows the whole by."""

    def __init__(self, ledger: Ledger, server: AgentMail, url: str, project: str) -> None:
        self._ledger, self._server, self._project = ledger, server, {"project_key": project}
        self._told = Told(url)
        self._complaints: list[str] = []

    def look(self) -> list[str]:
        """Tell what is new; returns what the server will not hear. Raises Away when it cannot be had."""
        with self._ledger.read() as snapshot:
            self._told = Told.of(snapshot, self._told.url)
            names = correspondents(snapshot)
            held = {str(one.id): one for one in reservations.live(snapshot)}
            letters = snapshot.all("letters-after", id=self._told.letter, most=AT_ONCE)
            workers = {row["issue"]: row["agent"] for row in snapshot.all("tasks") if row["fence"]}
        fresh = [name for name, about in names.items() if self._told.names.get(name, {}).get("about") != about]
        gone = [number for number in self._told.held if number not in held]
        new = [one for number, one in held.items() if wall() - self._told.held.get(number, {"at": 0})["at"] > AGAIN]
        if fresh or gone or new or letters:
            self._server.call("ensure_project", human_key=self._project["project_key"])
        self._complaints = []
        for name in fresh:
            self._register(name, names[name])
        for number in gone:
            self._release(number)
        for _, group in groupby(sorted(new, key=_kind), key=_kind):
            self._hold(list(group))
        for _, group in groupby(letters, key=lambda row: row["id"]):
            self._send(list(group), workers)
        return self._complaints

    def _register(self, name: str, about: str) -> None:
        known = self._told.names.get(name, {})
        asked = {"program": "agent-coord", "model": "unknown", "task_description": f"{name} {about}".strip()}
        try:
            answer = self._call("register_agent", known, name=known.get("name", name), **asked)
        except Refused:
            # The name is somebody else's there, or its token is lost: the server chooses another one.
            answer = self._try("register_agent", {}, **asked) or {}
        token = answer.get("registration_token") or known.get("token", "")
        self._told.names[name] = {"name": answer.get("name") or name, "token": token, "about": about}
        if token:
            # A server with tokens also asks for consent before a letter reaches anybody.
            self._try("set_contact_policy", self._told.names[name], agent_name=answer.get("name"), policy="open")
        self._note()

    def _send(self, letter: list[Row], workers: Mapping[str, str]) -> None:
        first = letter[0]
        people = [first["sender"], *sorted({row["agent"] or workers.get(row["issue"], PEOPLE) for row in letter})]
        try:
            self._deliver(letter, people)
        except Refused:
            # A server that was set up anew knows nobody.
            for name in people:
                self._register(name, self._named(name)["about"])
            try:
                self._deliver(letter, people)
            except Refused as refusal:
                self._complaints.append(f"letter {first['id']}: {refusal.what}")
        self._told.letter = first["id"]
        self._note()

    def _deliver(self, letter: list[Row], people: list[str]) -> None:
        first, sender = letter[0], self._named(people[0])
        issue = next((row["issue"] for row in letter if row["issue"]), "")
        subject = first["subject"] if issue in first["subject"] else f"[{issue}] {first['subject']}"
        thread = re.sub(r"[^A-Za-z0-9._-]+", "-", first["thread"]).strip("-._")[:100]
        self._call(
            "send_message", sender, "sender_token", sender_name=sender["name"], importance=first["importance"],
            to=[self._named(name)["name"] for name in people[1:]], subject=subject[:200], body_md=first["body"],
            ack_required=bool(first["wants_ack"]), thread_id=thread or "letters",
        )  # fmt: skip

    def _hold(self, group: list[Reservation]) -> None:
        first, agent = group[0], self._named(group[0].agent)
        term = max(SHORTEST, int(max(one.expires_at for one in group) - wall()))
        answer = self._try(
            "file_reservation_paths", agent, agent_name=agent["name"], paths=[one.pattern for one in group],
            ttl_seconds=term, exclusive=not first.shared, reason=first.issue,
        )  # fmt: skip
        ids = {grant["path_pattern"]: grant["id"] for grant in (answer or {}).get("granted", ())}
        for one in group:
            self._told.held[str(one.id)] = {"agent": one.agent, "id": ids.get(one.pattern), "at": wall()}
        self._note()

    def _release(self, number: str) -> None:
        held = self._told.held.pop(number)
        agent = self._named(held["agent"])
        if held["id"] is not None:
            self._try("release_file_reservations", agent, agent_name=agent["name"], file_reservation_ids=[held["id"]])
        self._note()

    def _named(self, name: str) -> dict[str, str]:
        if name not in self._told.names:
            self._register(name, "")
        return self._told.names[name]

    def _call(self, tool: str, who: Mapping[str, str], key: str = "registration_token", **more: Any) -> dict[str, Any]:
        # Servers without tokens refuse an argument that they do not know.
        shown = {key: who["token"]} if who.get("token") else {}
        return self._server.call(tool, **self._project, **shown, **more)

    def _try(self, tool: str, who: Mapping[str, str], **more: Any) -> dict[str, Any] | None:
        try:
            return self._call(tool, who, **more)
        except Refused as refusal:
            self._complaints.append(refusal.what)
            return None

    def _note(self) -> None:
        with self._ledger.write() as tx:
            tx.change("meta-put", key=KEY, value=json.dumps(asdict(self._told)))


def _kind(one: Reservation) -> tuple[str, str, bool]:
    return one.agent, one.issue, one.shared
