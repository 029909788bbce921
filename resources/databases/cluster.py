"""A cluster of our own: its settings, where its socket goes, and when it must be thrown away. Pure.

Everything in it can be built again from templates, so it trades durability for speed: with fsync off a commit
is 8 to 12 times faster, a clone by file copy 8 to 11 times, and recovery after a crash takes 0.1 s in place of
3.6 to 7.5 s (measured on PostgreSQL 18, XFS). After a crash of the server the cluster is sound, for the kernel holds
the pages, and at most the last 0.6 s of the slots' commits are gone; after a crash of the system it may be damaged.
Hence the rule of `torn`.

It listens on a unix socket alone, unless a port of the loopback interface is asked for: some drivers (JDBC) know no
sockets. Passwords are the same there.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from resources.system.errors import Failure

PORT = 5432
"""Part of the socket's name only, as long as nothing listens on TCP."""

LOOPBACK = "127.0.0.1"

SOCKET_FOLDER_LIMIT = 88
"""Bytes of a socket folder: sun_path less "/.s.PGSQL.65535". Linux takes 92, macOS 88."""

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "30min",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "jit": "off",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",
    "logging_collector": "off",
    "unix_socket_permissions": "0700",
}
"""The lock table is wide because several parallel test runs share it; statements that fail stay out of
the log, for a statement may hold a secret."""

CLOSE_DOORS = "revoke connect, temporary on database postgres, template1 from public"
"""A slot's role could else connect to these two, for PUBLIC may by default."""

SERVERS, SERVER = Path("/var/tmp"), "agent-coord-postgres-"  # noqa: S108 -- the folder is checked to be ours
"""Where clusters go that another user must run, and how their folders' names begin."""

_PASSING = ("starting up", "shutting down", "recovery", "not yet accepting")
"""What a server says that will soon let us in, or soon be gone."""


def says_no(said: str) -> bool:
    """Whether a server runs and refuses, which neither waiting nor starting would mend."""
    return "FATAL:" in said and not any(word in said for word in _PASSING)


def configuration(socket_folder: Path, tcp_port: int = 0) -> str:
    """The text of postgresql.auto.conf; `tcp_port` 0: no TCP."""
    listen = {"listen_addresses": LOOPBACK} if tcp_port else {}
    lines = [f"{key} = {quoted(value)}" for key, value in (SETTINGS | listen).items()]
    lines.append(f"unix_socket_directories = {quoted(str(socket_folder))}")
    lines.append(f"port = {tcp_port or PORT}")
    return "\n".join(lines) + "\n"


def quoted(value: str) -> str:
    """A value as Postgres reads it in a configuration file."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def socket_folder(home: Path, uid: int) -> Path:
    """Where the socket of the cluster in `home` goes: inside when the path serves, else a short folder in /tmp.

    It depends on nothing but its arguments, so that every process finds the same. Paths with a space, a comma
    or a quote are left alone: libpq takes a comma for a list of hosts, and not every driver decodes a URL.
    """
    inside = home / "socket"
    if len(str(inside).encode()) <= SOCKET_FOLDER_LIMIT and re.fullmatch(r"[\w./+-]+", str(inside), re.ASCII):
        return inside
    return short_folders(uid) / _short(home)


def short_folders(uid: int) -> Path:
    """Where sockets go that are too deep in their homes."""
    return Path("/tmp") / f"agent-coord-{uid}"  # noqa: S108 -- the folder is checked to be ours


def server_folder(home: Path) -> Path:
    """Where the cluster goes when another user must run it: outside `home`, which that user may not reach."""
    return SERVERS / f"{SERVER}{_short(home)}"


def _short(home: Path) -> str:
    return hashlib.sha256(str(home).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def shut_down(controldata: str) -> bool:
    """Whether `pg_controldata` (in the C locale) tells of an orderly stop."""
    found = re.search(r"^Database cluster state:\s+(.*)$", controldata, re.MULTILINE)
    return bool(found) and found.group(1).strip() in {"shut down", "shut down in recovery"}


def torn(*, orderly: bool, boot_at_start: str, boot_now: str) -> bool:
    """Whether the cluster may be damaged: it was running when the system itself went down."""
    return not orderly and boot_at_start != boot_now


def initdb_arguments(folder: Path, password_file: Path, major: int) -> list[str]:
    """Arguments of initdb: the same sort order and encoding on every system, nothing synced."""
    arguments = ["-D", str(folder), "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password_file}"]
    arguments += ["-E", "UTF8", "--no-sync", "--no-instructions", "--locale=C"]
    if major >= 17:
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if major >= 18:
        arguments += ["--no-data-checksums"]
    return arguments


def start_failure(log: Path, said: str, why: str) -> Failure:
    """The Failure for a server that did not come up; `said` is the new end of its log."""
    last = "\n".join(said.strip().splitlines()[-6:])
    return Failure(
        "postgres-does-not-start",
        "the slots' PostgreSQL server did not start",
        why=f"{why}\n{last}".strip(),
        mend=f"read {log}",
    )
