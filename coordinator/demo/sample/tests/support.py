"""A desk for one test: a real database, a real WSGI call, and a transaction that is taken back."""

import io
import json
import unittest
from contextlib import nullcontext

from app import db, migrate
from app.web import application


def setUpModule():
    """Bring the database up to date before the first test of a module."""
    with db.connect() as connection:
        migrate.migrate(connection)


class DeskTest(unittest.TestCase):
    """A test with a connection of its own."""

    def setUp(self):
        self.connection = db.connect()
        self.addCleanup(self.connection.close)
        self.addCleanup(self.connection.rollback)
        self.serve = application(lambda: nullcontext(self.connection))

    def call(self, method, path, body=None, query=""):
        """One request; returns (status, answer), the answer read as JSON where it is JSON."""
        data = json.dumps(body).encode() if body is not None else b""
        seen = []
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(data)),
            "wsgi.input": io.BytesIO(data),
        }
        text = b"".join(self.serve(environ, lambda status, headers: seen.append((status, dict(headers))))).decode()
        status, headers = seen[0]
        is_json = headers["Content-Type"] == "application/json"
        return int(status.split()[0]), json.loads(text) if is_json else text

    def tool(self, name="Drill", category="power"):
        """The id of a new tool."""
        return self.call("POST", "/tools", {"name": name, "category": category})[1]["id"]

    def member(self, name="Ana", email="ana@example.org"):
        """The id of a new member."""
        return self.call("POST", "/members", {"name": name, "email": email})[1]["id"]

    def loan(self, days_ago=0, tool=None, member=None):
        """The id of a new loan that began `days_ago` days ago."""
        body = {"tool_id": tool or self.tool(), "member_id": member or self.member()}
        loan = self.call("POST", "/loans", body)[1]["id"]
        self.connection.execute(
            "UPDATE loan SET lent_on = lent_on - %s::int, due_on = due_on - %s::int WHERE id = %s",
            [days_ago, days_ago, loan],
        )
        return loan
