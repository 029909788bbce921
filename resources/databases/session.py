"""The administrator's one connection, and how a database's refusal becomes a message.

Connecting costs 2 to 12 ms, so the connection is kept. It is checked with one round trip before each task and
made again when the server went away in between. It belongs to one thread: advisory locks are held by it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from resources.databases.provider import Provider
from resources.databases.values import Server
from resources.system.errors import Failure

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composable

OLDEST = 150000

_FACTS = """
select current_setting('server_version_num')::int, current_setting('fsync') = 'on',
       rolsuper, rolcreatedb, rolcreaterole, quote_ident(rolname),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true), '0')::int
  from pg_roles where rolname = current_user
"""


@contextmanager
def asking(what: str) -> Generator[None]:
    """Turn psycopg's errors inside into a Failure that says `what` could not be done."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise _failure(what, error) from error


def _failure(what: str, error: psycopg.Error) -> Failure:
    import psycopg

    why = str(error).strip()
    state = error.sqlstate or ""
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return Failure(
            "database-privilege",
            what,
            why=why,
            mend="let a superuser run: ALTER ROLE <the DSN's role> CREATEDB CREATEROLE",
        )
    if isinstance(error, psycopg.OperationalError) and state[:2] in {"", "08", "57"}:
        return Failure("database-unreachable", what, why=why, mend="repeat the command once the server answers")
    return Failure("database-refused", what, why=why)


class Session:
    """An administrator's session with the server of `provider`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._connection: psycopg.Connection | None = None
        self._server: Server | None = None

    def open(self) -> Server:
        """See that the connection lives, making a new one when it does not, and tell about the server."""
        import psycopg

        if self._connection is not None:
            try:
                self._connection.execute("select 1")
            except psycopg.Error:
                self.close()
        if self._connection is None or self._server is None:
            self._connection = self._provider.connect()
            self._server = self._learn(self._connection)
        return self._server

    def _learn(self, connection: psycopg.Connection) -> Server:
        with asking("the server does not tell about itself"):
            row = connection.execute(_FACTS).fetchone()
        assert row is not None
        version, durable, superuser, may_create, may_make_roles, role, usable = row
        if version < OLDEST:
            raise Failure("postgres-too-old", f"PostgreSQL {version // 10000} is too old", mend="use 15 or newer")
        if not superuser and not (may_create and may_make_roles):
            lacks = " ".join(
                name for name, has in (("CREATEDB", may_create), ("CREATEROLE", may_make_roles)) if not has
            )
            raise Failure(
                "database-privilege", f"role {role} may not make databases and roles", why=f"it lacks {lacks}",
                mend=f"let a superuser run: ALTER ROLE {role} {lacks}",
            )  # fmt: skip
        info = connection.info
        host, port = self._provider.reach() or (info.host, info.port)
        return Server(
            host, port, version, self._provider.owned, durable, superuser, self._provider.origin(),
            info.get_parameters().get("sslmode", ""), usable,
        )  # fmt: skip

    @property
    def connection(self) -> psycopg.Connection:
        """The live connection; `open` comes first."""
        assert self._connection is not None, "open() comes first"
        return self._connection

    @property
    def server(self) -> Server:
        """The server that `open` found."""
        assert self._server is not None, "open() comes first"
        return self._server

    def run(self, statement: str, **parts: str | Composable) -> None:
        """Run one or more statements; `{name}` in them becomes an identifier, or the given piece of SQL."""
        from psycopg import sql

        names = {key: sql.Identifier(part) if isinstance(part, str) else part for key, part in parts.items()}
        self.connection.execute(sql.SQL(statement).format(**names))  # ty: ignore[invalid-argument-type]

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query with %s placeholders."""
        return self.connection.execute(query, values or None).fetchall()  # ty: ignore[invalid-argument-type]

    def close(self) -> None:
        """Give the connection back; the next `open` makes a new one."""
        if self._connection is not None:
            import psycopg

            with contextlib.suppress(psycopg.Error):
                self._connection.close()
        self._connection = None
        self._server = None
