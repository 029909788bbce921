"""The contract of whoever gives us a server, and the choice between them.

A provider knows how to reach a server as its administrator and, when the server is ours, how to start and stop
it. It knows nothing of slots and templates. Three keep the contract: `dsn.py` (somebody else's server: its settings
are never touched), `local.py` (a cluster of our own) and, when asked for, `container.py`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from resources.databases.values import DatabaseSettings
from resources.system.errors import Failure

if TYPE_CHECKING:
    import psycopg

DSN_VARIABLE = "AGENT_COORD_PG_DSN"

CONNECT_SECONDS = 10
"""How long a connection may take to come about before the server counts as unreachable."""

APPLICATION = "agent-coord"


class Provider(Protocol):
    """A source of one Postgres server."""

    owned: bool
    """Whether we made the server, and so may set, stop and discard it."""

    def probe(self) -> str | None:
        """None when the server can be used as far as one can tell without asking it, else why not."""
        ...

    def origin(self) -> str:
        """What kind of server it is, in words for a message."""
        ...

    def exists(self) -> bool:
        """Whether there is a server that may hold something of ours (a cluster never made holds nothing)."""
        ...

    def asleep(self) -> bool:
        """Whether the server is ours to start and does not run now."""
        ...

    def start(self) -> None:
        """See that the server runs. Safe when several processes call at once, and after a crash."""
        ...

    def reach(self) -> tuple[str, int] | None:
        """Host and port by which slots reach the server now; None: as its administrator does. Asks nobody."""
        ...

    def connect(self, database: str = "") -> psycopg.Connection:
        """A new administrator's connection in autocommit mode ("" = maintenance database), starting what can be
        started. Raises Failure("database-unreachable").
        """
        ...

    def files(self) -> Path | None:
        """The folder of the cluster when it is ours and can be looked into, else None."""
        ...

    def stop(self) -> None:
        """Stop a server of ours; Failure("server-not-ours") for any other."""
        ...

    def discard(self) -> None:
        """Stop and delete a server of ours with all that is in it. Does nothing to any other."""
        ...


def choose_provider(settings: DatabaseSettings, home: Path) -> Provider:
    """The provider that `settings` ask for: a DSN when one is given, else a cluster of our own in `home`."""
    if settings.provider == "none":
        raise Failure(
            "databases-off",
            "this project's configuration turns databases off",
            mend='set [database] provider = "auto"',
        )
    dsn = settings.dsn or os.environ.get(DSN_VARIABLE, "")
    if settings.provider == "dsn" or (settings.provider == "auto" and dsn):
        from resources.databases.dsn import DsnProvider

        return DsnProvider(dsn, allow_remote=settings.allow_remote)
    if settings.provider == "container":
        from resources.databases.container import ContainerProvider

        return ContainerProvider(home, settings.image)
    from resources.databases.local import LocalProvider

    return LocalProvider(home, settings.binaries, settings.tcp_port)
