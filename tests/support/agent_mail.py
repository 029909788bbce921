"""An MCP Agent Mail server as far as a mirror needs one; both families of the real program, told apart by `tokens`.

With tokens (upstream, 0.3): an agent gets one at registration, has to show it, and hears only from those it agreed to
hear from. Without (the package on PyPI, 0.1): an argument that it does not know is refused. Both give names of their
own, refuse letters to those they do not know, grant conflicting reservations, and answer errors with HTTP 200.
"""

from __future__ import annotations

import json
import re
import secrets
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

TOKEN = "of the test"


@dataclass
class Agent:
    name: str
    token: str
    policy: str = "auto"
    inbox: list[dict] = field(default_factory=list)


class Server(ThreadingHTTPServer):
    """`tokens`: which family it is of; `stalls`: it accepts calls and never answers; `calls`: every tool asked for."""

    daemon_threads = True

    def __init__(self, *, tokens: bool, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.tokens, self.stalls, self.calls = tokens, False, []
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.projects: set[str] = set()
        self.agents: dict[str, Agent] = {}
        self.held: dict[int, dict[str, Any]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/mcp/"

    # -- the tools: their parameters are the arguments that the real ones take

    def ensure_project(self, human_key):
        self.projects.add(human_key)
        return {"slug": slug_of(human_key), "human_key": human_key}

    def register_agent(self, project_key, program, model, name=None, task_description="", registration_token=None):
        self._project(project_key)
        given = re.sub(r"[^A-Za-z0-9]", "", name or "") or f"Agent{len(self.agents) + 1}"
        known = self.agents.get(given)
        if known is None:
            known = self.agents[given] = Agent(given, secrets.token_hex(8) if self.tokens else "")
        elif known.token != (registration_token or ""):
            raise ValueError(f"{given} is registered; its registration_token is needed")
        return {"name": given, "program": program} | ({"registration_token": known.token} if self.tokens else {})

    def set_contact_policy(self, project_key, agent_name, policy, registration_token=None):
        self._agent(project_key, agent_name, registration_token).policy = policy
        return {"policy": policy}

    def send_message(self, project_key, sender_name, to, subject, body_md, importance="normal", ack_required=False,
                     thread_id=None, sender_token=None):  # fmt: skip
        sender = self._agent(project_key, sender_name, sender_token)
        if thread_id is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", thread_id):
            raise ValueError("bad thread_id")
        strangers = [name for name in to if name not in self.agents]
        if strangers or not to:
            raise ValueError(f"local recipients {strangers} are not registered")
        for name in to:
            if self.tokens and self.agents[name].policy != "open" and name != sender.name:
                raise ValueError("Contact approval required")
        letter = {"from": sender.name, "subject": subject, "body_md": body_md, "importance": importance,
                  "ack_required": ack_required, "thread_id": thread_id}  # fmt: skip
        for name in to:
            self.agents[name].inbox.append(letter)
        return {"count": len(to)}

    def fetch_inbox(self, project_key, agent_name, limit=20, include_bodies=False, registration_token=None):
        return {"result": self._agent(project_key, agent_name, None, shown=False).inbox[:limit]}

    def file_reservation_paths(self, project_key, agent_name, paths, ttl_seconds=3600, exclusive=True, reason="",
                               registration_token=None):  # fmt: skip
        agent, granted, conflicts = self._agent(project_key, agent_name, registration_token), [], []
        for path in paths:
            rivals = [one for one in self.held.values() if one["path_pattern"] == path]
            conflicts += (
                [{"path": path, "holders": rivals}] if any(one["agent"] != agent.name for one in rivals) else []
            )
            own = next((one["id"] for one in rivals if one["agent"] == agent.name), max(self.held, default=0) + 1)
            self.held[own] = {"id": own, "agent": agent.name, "path_pattern": path, "exclusive": exclusive,
                              "reason": reason}  # fmt: skip
            granted.append(self.held[own])
        return {"granted": granted, "conflicts": conflicts}

    def release_file_reservations(self, project_key, agent_name, file_reservation_ids=None, registration_token=None):
        agent = self._agent(project_key, agent_name, registration_token)
        gone = [one for one in file_reservation_ids or () if self.held.get(one, {}).get("agent") == agent.name]
        for one in gone:
            del self.held[one]
        return {"released": len(gone)}

    # -- what they share

    @staticmethod
    def _refuse(strange: set[str]) -> None:
        if strange:
            raise ValueError(f"Unexpected keyword argument {strange}")

    def _project(self, key: str) -> None:
        if key not in self.projects:
            raise ValueError(f"project {key} not found")

    def _agent(self, project: str, name: str, token: str | None, *, shown: bool = True) -> Agent:
        self._project(project)
        if name not in self.agents:
            raise ValueError(f"Agent {name!r} not registered for project {project!r}")
        if shown and self.agents[name].token != (token or ""):
            raise ValueError("registration_token required")
        return self.agents[name]

    def answer(self, call: dict) -> dict:
        if call["method"] == "resources/read":
            text = json.dumps(list(self.held.values()))
            return {"contents": [{"uri": call["params"]["uri"], "text": text}]}
        name, arguments = call["params"]["name"], call["params"]["arguments"]
        self.calls.append(name)
        strange = {"registration_token", "sender_token"} & set(arguments) if not self.tokens else set()
        try:
            with self.lock:
                self._refuse(strange)
                return {"structuredContent": getattr(self, name)(**arguments), "isError": False}
        except (ValueError, TypeError, AttributeError) as error:
            return {"content": [{"type": "text", "text": f"Error calling tool '{name}': {error}"}], "isError": True}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        if self.server.stalls:
            threading.Event().wait(60)
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._send(401, {"detail": "Unauthorized"})
        else:
            self._send(200, {"jsonrpc": "2.0", "id": call["id"], "result": self.server.answer(call)})

    def _send(self, status: int, value: dict) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Nothing: the tests say what matters."""


@contextmanager
def serving(*, tokens: bool, port: int = 0) -> Generator[Server]:
    server = Server(tokens=tokens, port=port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def slug_of(key: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")


@dataclass(frozen=True)
class Viewer:
    """What anybody can see on a server, asked for over the wire as any client does."""

    url: str
    project: str

    def inbox(self, name: str) -> list[dict]:
        arguments = {"project_key": self.project, "agent_name": name, "include_bodies": True}
        result = self._ask("tools/call", {"name": "fetch_inbox", "arguments": arguments})
        assert not result["isError"], result
        return sorted(result["structuredContent"]["result"], key=lambda letter: letter["subject"])

    def held(self) -> list[tuple[str, str, bool]]:
        uri = f"resource://file_reservations/{slug_of(self.project)}?active_only=true"
        (content,) = self._ask("resources/read", {"uri": uri})["contents"]
        rows = json.loads(content["text"])
        # The real one shows what was given back too, whatever it is asked for.
        active = [row for row in rows if row.get("released_ts") is None]
        return sorted((row["agent"], row["path_pattern"], row["exclusive"]) for row in active)

    def _ask(self, method: str, params: dict) -> dict:
        where = urlsplit(self.url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=30)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json",
                   "Accept": "application/json, text/event-stream"}  # fmt: skip
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        connection.request("POST", where.path, body, headers)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["result"]
