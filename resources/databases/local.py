"""A Postgres server of our own, run from system binaries or from the wheel's with the same code.

It lives in a folder given by the caller, belongs to no process and goes on when the command ends. Starting is
guarded by one `flock`; a process that finds the server answering takes no lock. Stopping is SIGINT, then SIGQUIT,
and never SIGKILL, which would leave shared memory behind.

    HOME/cluster.json   where the cluster and its socket are, and the boot it was last started in
    HOME/admin.secret   the administrator's password (0600)
    HOME/server.log     what the server and initdb said
    HOME/cluster/       the cluster (elsewhere when another user must run it)
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from resources.databases import cluster
from resources.databases.binaries import Binaries, find_binaries
from resources.databases.place import (
    Place,
    base_folder,
    cleared,
    discard_cluster,
    drop_socket_folder,
    forget_contents,
    keep_place,
    own_part,
    read_place,
    settle,
)
from resources.databases.postmaster import forget_dead, postmaster
from resources.databases.privileges import Disguise, disguise, hand_over, own_folder
from resources.databases.provider import APPLICATION, CONNECT_SECONDS
from resources.system.clock import boot_id
from resources.system.errors import Failure
from resources.system.files import file_lock, replace_file
from resources.system.process import ProcessId, is_alive, run, spawn

if TYPE_CHECKING:
    import psycopg

START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOG_BYTES = 5_000_000
"""The log starts anew past this size; one older part is kept."""

LINGER_SECONDS = 10.0
"""How long a start waits for what a crashed server left (backends at work, its shared memory) to go."""

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Servers started by this process. Kept for its life: a dropped handle warns, and `poll` is what reaps."""


class LocalProvider:
    """The cluster in `home`, made at the first start from the binaries that `choice` selects.

    With `tcp_port` it listens on that port of the loopback interface as well, from its next start on.
    """

    owned = True

    def __init__(self, home: Path, choice: str, tcp_port: int = 0) -> None:
        self._home = home.absolute()
        self._choice = choice
        self._tcp_port = tcp_port
        self._log = self._home / "server.log"

    def probe(self) -> str | None:
        """None, or why there are no binaries to run."""
        try:
            find_binaries(self._choice)
        except Failure as failure:
            return f"{failure.what}: {failure.why}"
        return None

    def origin(self) -> str:
        """The words for messages."""
        return f"our own server ({self._programs().origin} binaries)"

    def exists(self) -> bool:
        """Whether the cluster was made."""
        return self._place() is not None

    def asleep(self) -> bool:
        """Whether no process serves the cluster."""
        place = self._place()
        return place is None or postmaster(Path(place.folder)) is None

    def reach(self) -> tuple[str, int] | None:
        """Host and port for the slots."""
        place = self._place()
        return (cluster.LOOPBACK if place.tcp_port else place.socket, place.port) if place is not None else None

    def connect(self, database: str = "") -> psycopg.Connection:
        """An administrator's connection; starts the server when it does not answer."""
        import psycopg

        try:
            return self._dial(database)
        except FileNotFoundError:
            pass
        except psycopg.OperationalError as error:
            self._raise_if_refused(error)
        self.start()
        try:
            return self._dial(database)
        except psycopg.OperationalError as error:
            raise self._unreachable(str(error).strip()) from error

    def start(self) -> None:
        """Make the cluster when there is none, and start it when it does not run."""
        own_folder(self._home)
        with file_lock(
            self._home / "server.lock", what="the start of the slots' PostgreSQL server", wait=2 * START_SECONDS
        ):
            if self._answers():
                return
            who, programs = disguise(), self._programs()
            place = self._sound_place(programs, who)
            own_part(Path(place.socket), self._home, who)
            self._launch(place, programs, who)
            with self._dial() as connection:
                connection.execute(cluster.CLOSE_DOORS)

    def files(self) -> Path | None:
        """The cluster's folder."""
        place = self._place()
        return Path(place.folder) if place else None

    def stop(self) -> None:
        """Stop the server: SIGINT, and SIGQUIT after 10 s. A server that does not run is no error."""
        place = self._place()
        if place is None:
            return
        with file_lock(self._home / "server.lock", what="the slots' PostgreSQL server", wait=START_SECONDS):
            found = postmaster(Path(place.folder))
            for sign in (signal.SIGINT, signal.SIGQUIT):
                if found is not None and is_alive(found):
                    os.kill(found.pid, sign)
                    self._await_end(found)
            if found is not None and is_alive(found):
                what = f"the slots' PostgreSQL server (pid {found.pid}) does not stop"
                raise Failure("postgres-does-not-stop", what, mend=f"read {self._log}")
            drop_socket_folder(Path(place.socket))

    def discard(self) -> None:
        """Stop the server, and delete its cluster wherever it lies."""
        self.stop()
        discard_cluster(self._home)

    @staticmethod
    def _await_end(server: ProcessId) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while is_alive(server) and time.monotonic() < deadline:
            time.sleep(0.005)
        child = _children.get(server.pid)
        if child is not None and child.poll() is not None:
            del _children[server.pid]

    # -- the cluster on disk

    def _place(self) -> Place | None:
        return read_place(self._home)

    def _programs(self) -> Binaries:
        """The binaries for the cluster: those of its own major version once it is made."""
        found = find_binaries(self._choice)
        place = self._place()
        return found if place is None else find_binaries(self._choice, major=place.major)

    def _sound_place(self, programs: Binaries, who: Disguise) -> Place:
        """The cluster, made when missing, and made anew when the system went down under it."""
        place = self._place()
        if place is not None and (Path(place.folder) / "PG_VERSION").is_file():
            data = run([programs.program("pg_controldata"), place.folder], env={"LC_ALL": "C"}, check=False).text
            if not cluster.torn(orderly=cluster.shut_down(data), boot_at_start=place.boot, boot_now=boot_id()):
                return place
        return self._make(programs, who)

    def _make(self, programs: Binaries, who: Disguise) -> Place:
        base = base_folder(self._home, who)
        own_part(base, self._home, who)
        if postmaster(base / "cluster") is not None:
            what = f"a PostgreSQL server runs in {base / 'cluster'}, but our note of it is gone"
            raise Failure("postgres-running", what, mend="stop that server, then repeat the command")
        (_, making), password = cleared(base), base / "initdb.secret"
        forget_contents(self._home)
        secret = secrets.token_urlsafe(24)
        replace_file(self._home / "admin.secret", secret, mode=0o600)
        replace_file(password, secret, mode=0o600)
        hand_over(password, who)
        try:
            arguments = cluster.initdb_arguments(making, password, programs.major)
            done = run([*who.prefix, programs.program("initdb"), *arguments], cwd="/", env=_environment(), check=False)
        finally:
            password.unlink()
        if done.code != 0:
            raise cluster.start_failure(self._log, done.complaint, "initdb failed")
        return settle(self._home, making, programs.major)

    # -- the server as a process

    def _launch(self, place: Place, programs: Binaries, who: Disguise) -> None:
        settings = Path(place.folder) / "postgresql.auto.conf"
        replace_file(settings, cluster.configuration(Path(place.socket), self._tcp_port), mode=0o600)
        hand_over(settings, who)
        keep_place(self._home, replace(place, boot=boot_id(), tcp_port=self._tcp_port))
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        patience = time.monotonic() + LINGER_SECONDS
        while True:
            seen = self._log.stat().st_size if self._log.exists() else 0
            why = self._attempt(place, programs, who)
            if not why:
                return
            with self._log.open("rb") as stream:
                stream.seek(seen)
                said = stream.read().decode(errors="replace")
            lingers = "shared memory block" in said or "already exists" in said
            if not lingers or time.monotonic() > patience:
                raise cluster.start_failure(self._log, said, why)
            time.sleep(0.1)

    def _attempt(self, place: Place, programs: Binaries, who: Disguise) -> str:
        """Start the server and wait until it answers; returns why it did not, "" when it did."""
        for earlier in _children.values():
            earlier.poll()
        forget_dead(Path(place.folder), Path(place.socket))
        if postmaster(Path(place.folder)) is None:
            argv = [*who.prefix, programs.program("postgres"), "-D", place.folder]
            child = spawn(argv, cwd=Path("/"), env=_environment(), log=self._log)
            _children[child.pid] = child
        else:
            child = None
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if child is not None and child.poll() is not None:
                return f"it ended with code {child.returncode}"
            if time.monotonic() > deadline:
                return f"it did not answer within {START_SECONDS:g} s"
            time.sleep(0.005)
        return ""

    def _answers(self) -> bool:
        import psycopg

        try:
            self._dial().close()
        except FileNotFoundError:
            return False
        except psycopg.OperationalError as error:
            self._raise_if_refused(error)
            return False
        return True

    def _raise_if_refused(self, error: psycopg.OperationalError) -> None:
        said = str(error).strip()
        if cluster.says_no(said):
            raise self._unreachable(said) from error

    def _unreachable(self, why: str) -> Failure:
        what = "the slots' PostgreSQL server does not let us in"
        return Failure("database-unreachable", what, why=why, mend=f"read {self._log}")

    def _dial(self, database: str = "") -> psycopg.Connection:
        """Connect or raise at once; FileNotFoundError when the cluster was never made.

        What we do ourselves (marks above all) is in the kernel's hands at commit and so survives a crash of the server.
        """
        import psycopg

        place = self._place()
        if place is None:
            raise FileNotFoundError(self._home / "cluster.json")
        return psycopg.connect(
            host=place.socket, port=place.port, user="postgres", dbname=database or "postgres", autocommit=True,
            password=(self._home / "admin.secret").read_text(), application_name=APPLICATION,
            connect_timeout=CONNECT_SECONDS, options="-c synchronous_commit=on",
        )  # fmt: skip


def _environment() -> dict[str, str]:
    """The little that the server needs: it outlives us and must not carry our caller's secrets or marks."""
    kept = {key: os.environ[key] for key in ("PATH", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if key in os.environ}
    return {**kept, "LC_ALL": "C"}
