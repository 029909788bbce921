"""The door to an MCP Agent Mail server: one call of a tool, with what can go wrong told apart.

*Away* is what may be over in a minute (no answer, too many calls, a token that is not accepted); *Refused* is the
server's word about this very call, which would be the same again. The protocol is JSON-RPC over HTTP without a session.
Neither redirects nor proxies are followed: the token goes to the configured address and nowhere else.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from resources.system.errors import Failure, NotNow

TIMEOUT = 5.0
"""Seconds for a call; the server commits to a repository of its own and takes 0.1 to 0.3 s."""
AT_MOST = 20.0
"""Seconds from the first call to the last: what one look at what is new may take."""
HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class MailSettings:
    """[mail]: the server that the mail is mirrored to, "" for none, and which variable holds its token."""

    mirror: str = ""
    token_env: str = "AGENT_MAIL_TOKEN"  # noqa: S105 - a variable's name
    allow_remote: bool = False

    def __post_init__(self) -> None:
        url = urlsplit(self.mirror)
        if self.mirror and (url.scheme not in ("http", "https") or not url.hostname or url.password):
            raise ValueError("mirror must be an address such as http://127.0.0.1:8765/api/, without a password")
        if self.mirror and url.hostname not in HERE and not self.allow_remote:
            raise ValueError(f"mirror is another machine ({url.hostname}): allow_remote = true lets letters go there")


class Away(NotNow):
    """The server cannot be had now."""

    def __init__(self, why: str) -> None:
        super().__init__("mirror-away", f"the Agent Mail server cannot be had: {why}")


class Refused(Failure):
    """The server will not do it, now or later."""

    def __init__(self, why: str) -> None:
        super().__init__("mirror-refused", why)


class AgentMail:
    """The server of the settings, for one look."""

    def __init__(self, settings: MailSettings) -> None:
        self._url = urlsplit(settings.mirror)
        token = os.environ.get(settings.token_env)
        self._headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        self._until = time.monotonic() + AT_MOST
        self._headers |= {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers. Raises Away, or Refused with the server's words."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        try:
            answer = json.loads(self._post(json.dumps(asked).encode()))
            if "error" in answer:
                raise Refused(f"{tool}: {answer['error']['message']}")
            result = answer["result"]
            if result.get("isError"):
                raise Refused(f"{tool}: {result['content'][0]['text']}")
            return result.get("structuredContent") or {}
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise Away(f"its answer to {tool} is not understood") from error

    def _post(self, body: bytes) -> str:
        from http.client import HTTPConnection, HTTPException, HTTPSConnection

        if time.monotonic() > self._until:
            raise Away(f"it is too slow: {AT_MOST:g} s were not enough for what is new")
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=TIMEOUT)
        try:
            connection.request("POST", self._url.path or "/", body, self._headers)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            raise Away(str(error) or repr(error)) from error
        finally:
            connection.close()
        if response.status != 200:
            raise Away(f"HTTP {response.status} for {self._url.path or '/'}")
        events = [line.removeprefix("data:") for line in text.splitlines() if line.startswith("data:")]
        return events[-1] if events else text
