"""Requests in, answers out: a WSGI application over the table of routes.

A handler takes a Request and returns what is to be sent: a dict or a list as JSON, or a Text. It raises
Refused for everything that the caller has to mend.
"""

import importlib
import json
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs

from app.routes import ROUTES


class Refused(Exception):
    """The request cannot be served; `status` is the HTTP status."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


@dataclass
class Text:
    """An answer that is not JSON."""

    body: str
    kind: str = "text/plain"


@dataclass
class Request:
    """What a handler gets: a connection, the numbers in the path, the query and the JSON body."""

    connection: object
    numbers: dict = field(default_factory=dict)
    query: dict = field(default_factory=dict)
    body: dict = field(default_factory=dict)

    def need(self, name):
        """A value that the body must have."""
        if self.body.get(name) in (None, ""):
            raise Refused(400, f"{name} is missing")
        return self.body[name]


def find(method, path):
    """The handler for a request and the numbers in its path. Raises Refused(404) when there is none."""
    for verb, address, handler in ROUTES:
        found = re.fullmatch(re.sub(r"\\?{(\w+)\\?}", r"(?P<\1>[0-9]+)", re.escape(address)), path)
        if verb == method and found:
            return load(handler), {name: int(digits) for name, digits in found.groupdict().items()}
    raise Refused(404, f"nothing answers {method} {path}")


def load(handler):
    """The function that a route names as `module:function`."""
    module, _, name = handler.partition(":")
    return getattr(importlib.import_module(module), name)


def application(connect):
    """The WSGI application; `connect` gives a connection for each request."""

    def serve(environ, start_response):
        try:
            status, answer = 200, answer_to(environ, connect)
        except Refused as refusal:
            status, answer = refusal.status, {"error": str(refusal)}
        text = answer if isinstance(answer, Text) else Text(json.dumps(answer, default=_plain), "application/json")
        start_response(f"{status} {'OK' if status == 200 else 'Refused'}", [("Content-Type", text.kind)])
        return [text.body.encode()]

    return serve


def answer_to(environ, connect):
    """Call the handler of one request."""
    handler, numbers = find(environ["REQUEST_METHOD"], environ["PATH_INFO"])
    query = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    size = int(environ.get("CONTENT_LENGTH") or 0)
    try:
        body = json.loads(environ["wsgi.input"].read(size)) if size else {}
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
    with connect() as connection:
        return handler(Request(connection, numbers, query, body))


def _plain(value):
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"cannot send {value!r}")
