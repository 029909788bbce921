"""The ledger in one SQLite file (standard library, WAL, synchronous=FULL).

Every write and every checkpoint happens inside one `flock` gate. The gate makes writers queue fairly
(with SQLite's own busy handler one of eight processes waited 2.4 s and got ten claims while another
got 1,200), and it keeps SQLite's WAL-reset corruption bug (every version before 3.51.3) out of reach,
because no checkpoint can race a commit. Readers take no gate. Never open with `immutable=1`: it silently misses
what is still in the WAL.

A free gate goes to whoever is awake, so that writers stand in a line before it (`resources/system/line.py`).
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resources.state.queries import statements, versions
from resources.state.store import Row
from resources.system.clock import wall
from resources.system.errors import Failure
from resources.system.line import Line


class Session:
    """One open transaction or snapshot."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, statement: str, **values: Any) -> list[Row]:
        """Every row of a named statement."""
        return [dict(row) for row in self._connection.execute(statements()[statement], values)]

    def one(self, statement: str, **values: Any) -> Row | None:
        """The first row, None when there is none."""
        rows = self.all(statement, **values)
        return rows[0] if rows else None

    def change(self, statement: str, **values: Any) -> int:
        """How many rows a named statement changed."""
        return self._connection.execute(statements()[statement], values).rowcount

    def next_fence(self) -> int:
        """A number that was never given out."""
        row = self.one("fence-next")
        if row is None:
            raise Failure("ledger-damaged", "the ledger has lost its fence counter", mend="agent-coord doctor")
        return int(row["fence"])

    def upgrade(self) -> None:
        """Bring the schema to the newest version; another process may have done it meanwhile."""
        row = self.one("meta-get", key="version")
        found = int(row["value"]) if row else 0
        for statement in (one for version in versions()[found:] for one in version):
            self._connection.execute(statement)
        self.change("meta-put", key="version", value=str(len(versions())))

    def event(self, kind: str, *, issue: str = "", slot: str = "", agent: str = "", **data: Any) -> None:
        """Append to the log."""
        record = json.dumps(data, default=str, sort_keys=True)
        self.change("event-append", at=wall(), kind=kind, issue=issue, slot=slot, agent=agent, data=record)


class SqliteLedger:
    """The ledger in `folder`/ledger.sqlite3. One instance serves one thread; processes share the file."""

    def __init__(self, folder: Path) -> None:
        """Open an existing ledger. Raises Failure("not-initialised") when there is none, Failure("read-only")."""
        self._file = folder / "ledger.sqlite3"
        if not self._file.exists():
            raise Failure(
                "not-initialised",
                "this repository has no agent-coord ledger yet",
                why=str(self._file),
                mend="agent-coord init",
            )
        self._gate = _lock_file(folder, "ledger.lock")
        self._line = _line(folder)
        self._connection = self._connect()
        self._check_version()

    @classmethod
    def create(cls, folder: Path) -> SqliteLedger:
        """Make the ledger in `folder` unless it is there, and open it."""
        folder.mkdir(parents=True, exist_ok=True)
        gate = _lock_file(folder, "ledger.lock")
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)
            if not (folder / "ledger.sqlite3").exists():
                _make(folder)
        except (sqlite3.Error, OSError) as error:
            raise _translated(error, folder) from error
        finally:
            os.close(gate)
        return cls(folder)

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._file, isolation_level=None, timeout=30)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            raise _translated(error, self._file) from error
        return connection

    def _check_version(self) -> None:
        with self.read() as snapshot:
            row = snapshot.one("meta-get", key="version")
        found = int(row["value"]) if row else 0
        newest = len(versions())
        if found > newest:
            raise Failure(
                "ledger-newer",
                f"the ledger is of version {found}; this program writes version {newest}",
                mend="upgrade agent-coord",
            )
        if found < newest:
            with self.write() as tx:
                tx.upgrade()

    @contextmanager
    def write(self) -> Generator[Session]:
        """The write transaction. Raises Failure("disk-full"), Failure("ledger-damaged"), Failure("read-only")."""
        self._enter()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield Session(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise _translated(error, self._file) from error
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)

    def _enter(self) -> None:
        # The next in line is let go as soon as the gate is taken: the kernel wakes it while this one writes.
        try:
            with self._line.stand():
                fcntl.flock(self._gate, fcntl.LOCK_EX)
        except OSError as error:
            raise _translated(error, self._file) from error

    @contextmanager
    def read(self) -> Generator[Session]:
        """A consistent snapshot."""
        try:
            self._connection.execute("BEGIN")
            try:
                yield Session(self._connection)
            finally:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise _translated(error, self._file) from error

    def close(self) -> None:
        """Close the connection; the last one to close checkpoints, so this takes the gate."""
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        self._connection.close()
        os.close(self._gate)
        self._line.close()


def _line(folder: Path) -> Line:
    try:
        return Line(folder / "ledger.queue")
    except OSError as error:
        raise _translated(error, folder) from error


def _lock_file(folder: Path, name: str) -> int:
    try:
        return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _translated(error, folder) from error


def _make(folder: Path) -> None:
    # Built aside and renamed, so that a crash half-way leaves no ledger instead of an empty one.
    temporary = folder / "ledger.making"
    temporary.unlink(missing_ok=True)
    connection = sqlite3.connect(temporary, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        for statement in versions()[0]:
            connection.execute(statement)
        Session(connection).upgrade()
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    temporary.chmod(0o600)
    temporary.rename(folder / "ledger.sqlite3")


def _translated(error: Exception, place: Path) -> Failure:
    text = str(error)
    if "full" in text or "No space" in text:
        return Failure(
            "disk-full",
            "no space left for the ledger",
            why=f"{place}: {text}",
            mend="free some space; nothing was lost, repeat the command",
        )
    if any(word in text.lower() for word in ("readonly", "read-only", "unable to open", "permission denied")):
        return Failure(
            "read-only",
            "the ledger cannot be written",
            why=f"{place}: {text}",
            mend="check the permissions and the file system",
        )
    return Failure("ledger-damaged", "the ledger did not answer", why=f"{place}: {text}", mend="agent-coord doctor")
