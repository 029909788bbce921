"""The values that the rooms of this package exchange. Frozen, and free of I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FoundKind = Literal["database", "role", "template", "spare", "retired", "half-dropped", "half-made", "server"]

PROVIDERS = ("auto", "dsn", "local", "container", "none")


@dataclass(frozen=True)
class DatabaseSettings:
    """What the project wants of its databases.

    `provider`: one of PROVIDERS; `image`: what a container is made from. `binaries`: auto, system, embedded or a
    folder, for a server of our own. `migrate`: the command
    that brings an empty database to the current schema, run in a worktree. `migrations`: globs of the files whose
    content decides when a template is stale. `connection_limit`: connections per slot, 0 = an equal share of what
    the server has for `slots` slots. `prefix`: start of every name, empty = the project's name. `spares`: clones of
    the template in use that are kept ready. `isolation`: "database" on one server, or a "server" for every slot.
    `tcp_port`: a port of the loopback interface on which a server of our own listens too, 0 = none.
    """

    provider: str = "auto"
    dsn: str = ""
    binaries: str = "auto"
    image: str = "postgres:17"
    migrate: tuple[str, ...] = ()
    migrations: tuple[str, ...] = ()
    connection_limit: int = 0
    prefix: str = ""
    allow_remote: bool = False
    slots: int = 10
    spares: int = 2
    isolation: str = "database"
    tcp_port: int = 0

    def __post_init__(self) -> None:
        if self.provider not in PROVIDERS:
            raise ValueError(f"provider must be one of {', '.join(PROVIDERS)}, not {self.provider!r}")
        if self.isolation not in ("database", "server"):
            raise ValueError(f'isolation must be "database" or "server", not {self.isolation!r}')
        if self.isolation == "server" and self.provider not in ("auto", "local"):
            raise ValueError(f'isolation = "server" needs servers of our own, not provider = "{self.provider}"')
        if self.tcp_port and (self.isolation == "server" or self.provider not in ("auto", "local")):
            raise ValueError("tcp_port is for the one server of our own that slots share")
        if not 0 <= self.tcp_port < 65536:
            raise ValueError("tcp_port must be a port, or 0")
        if self.spares < 0:
            raise ValueError("spares must be 0 or more")


@dataclass(frozen=True)
class Database:
    """A slot's database: its name, the role that owns it, and the variables that its slot must see.

    `source` tells how it came to be when it was made just now: "spare", "clone" or "migrate"; else it is "".
    """

    name: str
    role: str
    environment: Mapping[str, str] = field(repr=False)
    source: str = field(default="", compare=False)


@dataclass(frozen=True)
class Found:
    """One thing on the server that bears our mark.

    `slot` is None for what belongs to no slot (templates, spares, the role that owns them); `sessions` counts the
    client connections to it now; `mark` is the decoded mark, for a child database the mark of the role that owns it.
    """

    kind: FoundKind
    name: str
    slot: str | None
    sessions: int
    mark: Mapping[str, object]


@dataclass(frozen=True)
class Usage:
    """Connections now: per database name, in all, how many the server has for ordinary roles, and by their state."""

    per_database: Mapping[str, int]
    total: int
    usable: int
    states: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A server that answered: where, which version, and what we may assume of it.

    `durable` is its fsync setting, `owned` whether we made it (and so may set, stop and discard it),
    `superuser` whether our admin role is one; `usable` how many connections it has for ordinary roles.
    """

    host: str
    port: int
    version: int
    owned: bool
    durable: bool
    superuser: bool
    origin: str
    sslmode: str = ""
    usable: int = 0

    @property
    def major(self) -> int:
        """15, 18, …"""
        return self.version // 10000
