"""A Postgres server in a container, for a version or an extension that no program on this machine has.

Only when asked for (`provider = "container"`): it needs an engine, an image and TCP. The container is made from any
image that keeps the contract of the official `postgres` one. It lives on when the command ends, like a server of our
own, so the reaper that testcontainers would start, and that would remove it 10 s after this process, is not used;
its label tells whose it is. Its port is bound on the loopback alone and chosen once, because slots' environments hold
it. The password reaches it as a file, never as a variable that `docker inspect` would show.

    HOME/container.json   the container, its port, the boot it was last started in, whether we stopped it in order
    HOME/admin.secret     the administrator's password (0600)

It runs with fsync off; the rule of `cluster.torn` holds. An engine in a virtual machine may crash without a new boot
of this host: then `docker rm` the container, and the next command makes another.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.databases import cluster
from resources.databases.engine import HERE, SECRET_FILE, fetch, find, give_secret, open_engine
from resources.databases.place import forget_contents
from resources.databases.privileges import own_folder
from resources.databases.provider import APPLICATION, CONNECT_SECONDS
from resources.system.clock import boot_id
from resources.system.errors import Failure
from resources.system.files import file_lock, replace_file

if TYPE_CHECKING:
    import psycopg
    from docker.models.containers import Container

LABEL = "agent-coord.home"
START_SECONDS = 120.0
"""How long a container may take until its server answers, its first initdb included."""

_NOT_FOR_CONTAINERS = {"listen_addresses", "unix_socket_permissions"}


@dataclass(frozen=True)
class Note:
    """The container as we know it without asking the engine."""

    container: str
    port: int
    boot: str = ""
    orderly: bool = True


class ContainerProvider:
    """The server in a container made from `image`, for the repository whose databases' folder is `home`."""

    owned = True

    def __init__(self, home: Path, image: str) -> None:
        self._home = home.absolute()
        self._image = image

    def probe(self) -> str | None:
        """None, or why no container can be had."""
        try:
            with open_engine():
                return None
        except Failure as failure:
            return f"{failure.what}: {failure.why}"

    def origin(self) -> str:
        """The words for messages."""
        return f"our own container of {self._image}"

    def exists(self) -> bool:
        """Whether a container was made."""
        return self._note() is not None

    def asleep(self) -> bool:
        """Whether nothing listens at the container's port."""
        note = self._note()
        if note is None:
            return True
        try:
            socket.create_connection((HERE, note.port), timeout=1).close()
        except OSError:
            return True
        return False

    def connect(self, database: str = "") -> psycopg.Connection:
        """An administrator's connection; starts the container when it does not answer."""
        import psycopg

        with contextlib.suppress(FileNotFoundError, psycopg.OperationalError):
            return self._dial(database)
        self.start()
        try:
            return self._dial(database)
        except psycopg.OperationalError as error:
            raise _unreachable(str(error).strip()) from error

    def start(self) -> None:
        """Make the container when there is none, and start it when it does not run."""
        own_folder(self._home)
        with file_lock(
            self._home / "server.lock", what="the start of the slots' PostgreSQL container", wait=2 * START_SECONDS
        ):
            if self._answers():
                return
            with open_engine() as engine:
                container = self._sound(engine) or self._make(engine)
                note = self._note()
                assert note is not None
                self._keep(replace(note, boot=boot_id(), orderly=False))
                container.start()
                self._await(container)
            with self._dial() as connection:
                connection.execute(cluster.CLOSE_DOORS)

    def reach(self) -> None:
        """As its administrator does."""
        return

    def files(self) -> None:
        """They are inside the container, and go with it."""
        return

    def stop(self) -> None:
        """Stop the container; it stays, with its databases, for the next start."""
        with self._locked() as (note, container):
            if note is not None and container is not None:
                container.stop(timeout=10)
                self._keep(replace(note, orderly=True))

    def discard(self) -> None:
        """Remove the container; its databases go with it."""
        with self._locked() as (_, container):
            if container is not None:
                container.remove(force=True, v=True)
        (self._home / "container.json").unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self) -> Generator[tuple[Note | None, Any]]:
        """What is noted of our container, and the container while it exists, with nobody else at it."""
        note = self._note()
        if note is None:
            yield None, None
            return
        lock = file_lock(self._home / "server.lock", what="the slots' PostgreSQL container", wait=START_SECONDS)
        with lock, open_engine() as engine:
            yield note, find(engine, note.container)

    # -- the container

    def _sound(self, engine: Any) -> Container | None:
        """The container that we made, None when it must be made: it is gone, or the system went down under it."""
        note = self._note()
        container = find(engine, note.container) if note else None
        if note is None or container is None:
            return None
        if cluster.torn(orderly=note.orderly, boot_at_start=note.boot, boot_now=boot_id()):
            container.remove(force=True, v=True)
            return None
        return container

    def _make(self, engine: Any) -> Container:
        # One that was made and not noted before its process died bears our label; it holds nothing yet.
        for leftover in engine.containers.list(all=True, filters={"label": f"{LABEL}={self._home}"}):
            leftover.remove(force=True, v=True)
        forget_contents(self._home)
        port, secret = _free_port(), secrets.token_urlsafe(24)
        replace_file(self._home / "admin.secret", secret, mode=0o600)
        fetch(engine, self._image)
        container = engine.containers.create(
            self._image,
            ["postgres", *(word for pair in _options() for word in ("-c", pair))],
            environment={
                "POSTGRES_PASSWORD_FILE": SECRET_FILE,
                "POSTGRES_INITDB_ARGS": "-A scram-sha-256 -E UTF8 --no-sync --locale=C",
            },
            labels={LABEL: str(self._home)},
            ports={"5432/tcp": (HERE, port)},
            stop_signal="SIGINT",
        )
        give_secret(container, secret)
        self._keep(Note(container.id, port, boot_id()))
        return container

    def _await(self, container: Container) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            container.reload()
            ended = container.status in {"exited", "dead"}
            if ended or time.monotonic() > deadline:
                said = container.logs(tail=8).decode(errors="replace").strip()
                how = "ended" if ended else f"did not answer within {START_SECONDS:g} s"
                raise Failure(
                    "postgres-does-not-start", f"the container of {self._image} {how}", why=said,
                    mend=f"docker logs {container.name}",
                )  # fmt: skip
            time.sleep(0.05)

    # -- what we know of it

    def _note(self) -> Note | None:
        try:
            return Note(**json.loads((self._home / "container.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _keep(self, note: Note) -> None:
        replace_file(self._home / "container.json", json.dumps(asdict(note)), mode=0o600)

    def _answers(self) -> bool:
        import psycopg

        try:
            self._dial().close()
        except (FileNotFoundError, psycopg.OperationalError) as error:
            if cluster.says_no(str(error)):
                raise _unreachable(str(error).strip()) from error
            return False
        return True

    def _dial(self, database: str = "") -> psycopg.Connection:
        """Connect or raise at once; FileNotFoundError when no container was made."""
        import psycopg

        note = self._note()
        if note is None:
            raise FileNotFoundError(self._home / "container.json")
        return psycopg.connect(
            host=HERE, port=note.port, user="postgres", dbname=database or "postgres", autocommit=True,
            password=(self._home / "admin.secret").read_text(), application_name=APPLICATION,
            connect_timeout=CONNECT_SECONDS, options="-c synchronous_commit=on",
        )  # fmt: skip


def _options() -> list[str]:
    settings = {key: value for key, value in cluster.SETTINGS.items() if key not in _NOT_FOR_CONTAINERS}
    return [f"{key}={value}" for key, value in {**settings, "listen_addresses": "*"}.items()]


def _free_port() -> int:
    with socket.create_server((HERE, 0)) as probe:
        return probe.getsockname()[1]


def _unreachable(why: str) -> Failure:
    what = "the slots' PostgreSQL container does not let us in"
    return Failure("database-unreachable", what, why=why, mend="docker ps --filter label=agent-coord.home")
