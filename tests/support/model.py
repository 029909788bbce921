"""A model on loopback that answers from a script, so that real agent programs run without a key or a network.

It speaks what Claude Code asks (Anthropic Messages, `POST /v1/messages`) and what Codex asks (OpenAI Responses,
`POST /v1/responses`), both as server-sent events, and keeps a script for each issue: which one a session works on
is read from the heading of its briefing (`# a-1: …`), and the slot from the briefing's text. Faults stand in the
script like turns.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

ISSUE = re.compile(r"# (?P<issue>[\w.-]+): ")
SLOT = re.compile(r"(git worktree|You work in) `(?P<slot>[^`]+)`")


@dataclass(frozen=True)
class Say:
    """The model's words; alone in a turn they end it."""

    text: str


@dataclass(frozen=True)
class Shell:
    """The model runs a command."""

    command: str


@dataclass(frozen=True)
class Write:
    """The model writes a file with the program's own tool; the path is relative to the slot, or absolute."""

    path: str
    text: str


@dataclass(frozen=True)
class Refuse:
    """The model's server answers with an error, as often as it is asked the same thing."""

    status: int
    kind: str = "api_error"
    message: str = "refused by the script"


@dataclass(frozen=True)
class Hang:
    """The model's server takes the question and never answers."""


Turn = Say | Shell | Write | Refuse | Hang


@dataclass
class Talk:
    """What was said about one issue: the turns that are left, and everything that the program told the model."""

    left: list[Turn]
    slot: str = ""
    told: list[str] = field(default_factory=list)
    refused: tuple[list[str], Refuse] | None = None
    """What was asked last, when it was refused."""


class Model:
    """The server; use it as a context. `scripts` maps issues to turns; who has none left is told "done"."""

    def __init__(self, scripts: Mapping[str, Sequence[Turn]]) -> None:
        self.talks = {issue: Talk(list(turns)) for issue, turns in scripts.items()}
        self._over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.model = self
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def told(self, issue: str) -> str:
        """Everything that was told about an issue, as one text."""
        return "\n".join(self.talks[issue].told)

    def answer(self, said: list[str]) -> tuple[Turn, Talk]:
        """The next turn for a conversation of which `said` are the user's and the tools' texts."""
        everything = "\n".join(said)
        issue, slot = ISSUE.search(everything), SLOT.search(everything)
        talk = self.talks.setdefault(issue["issue"] if issue else "", Talk([]))
        talk.slot = slot["slot"] if slot else talk.slot
        talk.told.append(said[-1] if said else "")
        if talk.refused and talk.refused[0] == said:
            return talk.refused[1], talk
        turn = talk.left.pop(0) if talk.left else Say("done")
        talk.refused = (said, turn) if isinstance(turn, Refuse) else None
        return turn, talk

    def wait_for_the_end(self) -> None:
        """Block until the server is closed."""
        self._over.wait()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    model: Model


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""

    def do_GET(self) -> None:
        self._send(200, {"models": [], "data": []})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        if "count_tokens" in self.path:
            self._send(200, {"input_tokens": 10})
        elif "responses" in self.path:
            self._converse(request.get("input", []), _openai)
        elif request.get("tools"):
            self._converse(request["messages"], _anthropic)
        else:
            self._stream(_anthropic(Say("a title"), Talk([]), 0))

    def _converse(self, items: Sequence[Mapping[str, Any]], speak: Any) -> None:
        assert isinstance(self.server, _Server)
        model = self.server.model
        turn, talk = model.answer([text for text in map(_words, items) if text])
        if isinstance(turn, Refuse):
            error = {"type": turn.kind, "code": turn.kind, "message": turn.message}
            self._send(turn.status, {"type": "error", "error": error})
        elif isinstance(turn, Hang):
            model.wait_for_the_end()
        else:
            self._stream(speak(turn, talk, len(talk.told)))

    def _send(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _stream(self, events: Sequence[Mapping[str, Any]]) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in events:
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())


def _words(item: Mapping[str, Any]) -> str:
    """The text of a user's message, of a tool's output or of a hook; "" for what model and program say themselves."""
    added = item.get("role") == "system" and "hook additional context" in str(item.get("content"))
    if (item.get("role") in ("assistant", "system", "developer") and not added) or item.get("type") in (
        "function_call",
        "reasoning",
    ):
        return ""
    content = item.get("content", item.get("output", ""))
    if isinstance(content, str):
        return content
    parts = [part.get("text") or part.get("content") or "" for part in content]
    return "\n".join(part if isinstance(part, str) else json.dumps(part) for part in parts)


def _anthropic(turn: Turn, talk: Talk, number: int) -> list[dict[str, Any]]:
    usage = {"input_tokens": 10, "output_tokens": 1}
    message: dict[str, Any] = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [],
    }
    message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
    if isinstance(turn, Say):
        block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": turn.text}
    else:
        name, given = ("Bash", {"command": turn.command}) if isinstance(turn, Shell) else ("Write", _file(turn, talk))
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(given)}
    why = "end_turn" if isinstance(turn, Say) else "tool_use"
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": why, "stop_sequence": None}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]


def _file(turn: Turn, talk: Talk) -> dict[str, str]:
    assert isinstance(turn, Write)
    path = turn.path if turn.path.startswith("/") else f"{talk.slot}/{turn.path}"
    return {"file_path": path, "content": turn.text}


def _openai(turn: Turn, talk: Talk, number: int) -> list[dict[str, Any]]:
    if isinstance(turn, Say):
        words = [{"type": "output_text", "text": turn.text}]
        item = {"type": "message", "id": f"m_{number}", "role": "assistant", "content": words}
    else:
        command = turn.command if isinstance(turn, Shell) else _patch(turn)
        given = json.dumps({"cmd": command})
        item = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": "exec_command",
                "arguments": given}  # fmt: skip
    usage = {"input_tokens": 10, "input_tokens_details": None, "output_tokens": 5, "output_tokens_details": None,
             "total_tokens": 15}  # fmt: skip
    return [
        {"type": "response.created", "response": {"id": f"resp_{number}"}},
        {"type": "response.output_item.done", "item": item},
        {"type": "response.completed", "response": {"id": f"resp_{number}", "usage": usage}},
    ]


def _patch(turn: Turn) -> str:
    assert isinstance(turn, Write)
    lines = "".join(f"+{line}\n" for line in turn.text.splitlines())
    return f"apply_patch <<'EOP'\n*** Begin Patch\n*** Add File: {turn.path}\n{lines}*** End Patch\nEOP\n"
