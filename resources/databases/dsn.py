"""A server that somebody else runs, given by a DSN.

Its settings are never changed and it is never stopped. Its host must be this machine unless the user allows
more: a slot's database is dropped and made again at will, which nobody wants to aim at a shared server by
an inherited variable. A DSN may hold a password, so it is never repeated in a message.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from resources.databases.provider import APPLICATION, CONNECT_SECONDS, DSN_VARIABLE
from resources.system.errors import Failure

if TYPE_CHECKING:
    import psycopg


class DsnProvider:
    """The server at `dsn` (a URL or a libpq keyword string)."""

    owned = False

    def __init__(self, dsn: str, *, allow_remote: bool) -> None:
        self._dsn = dsn
        self._allow_remote = allow_remote

    def probe(self) -> str | None:
        """None, or what is wrong with the DSN itself."""
        try:
            self._checked()
        except Failure as failure:
            return failure.what
        return None

    def origin(self) -> str:
        """The words for messages."""
        return "the server of the configured DSN"

    def exists(self) -> bool:
        """A server of somebody else's is taken to be there."""
        return True

    def asleep(self) -> bool:
        """Never: we cannot wake it."""
        return False

    def reach(self) -> None:
        """As the DSN says."""
        return

    def start(self) -> None:
        """See that it answers; starting it is its owner's business."""
        self.connect().close()

    def connect(self, database: str = "") -> psycopg.Connection:
        """An administrator's connection. Raises Failure("database-unreachable")."""
        import psycopg
        from psycopg.conninfo import make_conninfo

        place = {"dbname": database} if database else {}
        conninfo = make_conninfo(
            self._checked(), application_name=APPLICATION, connect_timeout=CONNECT_SECONDS, **place
        )
        try:
            return psycopg.connect(conninfo, autocommit=True)
        except psycopg.OperationalError as error:
            raise Failure(
                "database-unreachable", "the server of the configured DSN does not answer", why=str(error).strip(),
                mend=f"start it, or correct [database] dsn (or {DSN_VARIABLE})",
            ) from error  # fmt: skip

    def files(self) -> None:
        """Never: its files are its owner's business."""
        return

    def stop(self) -> None:
        """Always refused."""
        raise Failure("server-not-ours", "the server of a DSN is not ours to stop")

    def discard(self) -> None:
        """It is not ours."""

    def _checked(self) -> str:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        if not self._dsn:
            raise Failure("dsn-missing", "no DSN is configured", mend=f"set [database] dsn or {DSN_VARIABLE}")
        try:
            given = conninfo_to_dict(self._dsn)
        except psycopg.ProgrammingError:
            raise Failure(
                "dsn-wrong",
                "the configured DSN cannot be read",
                mend="write it as postgresql://user@host:port/postgres",
            ) from None
        far = remote_places({key: str(value) for key, value in given.items()}, os.environ)
        if far and not self._allow_remote:
            raise Failure(
                "dsn-remote", f"the configured DSN points at {', '.join(far)}, which is not this machine",
                why="slots' databases are dropped and made again at will",
                mend="set [database] allow_remote = true if you mean it",
            )  # fmt: skip
        return self._dsn


def remote_places(given: dict[str, str], environ: os._Environ[str] | dict[str, str]) -> list[str]:
    """The places in a parsed DSN that are not this machine, with what libpq fills in from the environment."""
    service = given.get("service") or environ.get("PGSERVICE", "")
    hosts = given.get("host") or environ.get("PGHOST", "")
    addresses = given.get("hostaddr") or environ.get("PGHOSTADDR", "")
    far = [place for place in f"{hosts},{addresses}".split(",") if not _is_here(place.strip())]
    # What a service file says is not known here; a host given next to it wins over the file.
    return far + ([f"service {service}"] if service and not given.get("host") else [])


def _is_here(place: str) -> bool:
    return place in {"", "localhost", "::1"} or place.startswith(("/", "@", "127."))
