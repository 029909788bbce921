"""Templates: one sealed database for each state of the migrations, cloned for every slot.

Migrating takes seconds, cloning a migrated database 35 to 210 ms. A template is *complete* when it is marked as
a template, flagged as one and closed to connections (a single forgotten session would make each clone wait 5 s and
fail); until then it is a build, dropped by whoever builds next. Its state is read from the catalogue and never by
connecting to it.

Building holds an advisory lock of the template's key, cloning holds it shared: nobody builds twice, nobody drops a
template under a clone, and clones run side by side. Advisory locks belong to one database, so all of this is asked
of the maintenance database.

The way of cloning follows the server's fsync: with it off, copying files is 1.4 to 3.9 times faster at any size;
with it on, it costs an fsync for each of some 900 files and pays only from about 500 MB.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from resources.databases import environment, marks, naming
from resources.databases.environment import Login
from resources.databases.extensions import create_untrusted, require_available
from resources.databases.migrations import Migration, find_migrations, require_present, template_key, wanted_extensions
from resources.databases.provider import Provider
from resources.databases.roles import new_password, put_app_role, role_mark
from resources.databases.session import Session, asking
from resources.databases.values import DatabaseSettings
from resources.system.errors import Failure, NotNow
from resources.system.process import clean_environment, run_bounded

FILE_COPY_FROM = 500 * 1024 * 1024
"""Bytes from which a file copy beats the write-ahead log on a durable server (measured on ext4)."""

BUILD_SECONDS = 1800.0
"""Limit of one run of the migrations, and of the wait for another process's."""

_READY = """
select datname, shobj_description(oid, 'pg_database') from pg_database
 where datistemplate and not datallowconn and starts_with(shobj_description(oid, 'pg_database'), %s)
"""
_BUILDS = """
select datname, shobj_description(oid, 'pg_database') from pg_database
 where starts_with(shobj_description(oid, 'pg_database'), %s)
"""


@dataclass(frozen=True)
class Template:
    """A sealed template: database name, key, size in bytes when it was built, and whether that was just now."""

    name: str
    key: str
    size: int
    fresh: bool = field(default=False, compare=False)


def strategy(*, durable: bool, size: int) -> Literal["file_copy", "wal_log"]:
    """The STRATEGY of CREATE DATABASE for a template of `size` bytes. Pure."""
    return "file_copy" if not durable or size >= FILE_COPY_FROM else "wal_log"


@contextmanager
def advisory_lock(session: Session, words: str, *, shared: bool = False) -> Generator[None]:
    """Hold the maintenance database's advisory lock named `words`. Raises NotNow("template-busy") after 30 min."""
    number = _number(words)
    kind = "_shared" if shared else ""
    deadline = time.monotonic() + BUILD_SECONDS
    with asking("cannot lock a database"):
        while not session.rows(f"select pg_try_advisory_lock{kind}(%s)", [number])[0][0]:
            if time.monotonic() > deadline:
                raise NotNow("template-busy", "another process has been at the same database for 30 minutes")
            time.sleep(0.02)
    try:
        yield
    finally:
        # A connection that broke meanwhile has given its locks back already.
        if not session.connection.closed:
            session.rows(f"select pg_advisory_unlock{kind}(%s)", [number])


@contextmanager
def lock_if_free(session: Session, words: str) -> Generator[bool]:
    """Hold that lock if nobody has it now; tells whether it is held."""
    held = bool(session.rows("select pg_try_advisory_lock(%s)", [_number(words)])[0][0])
    try:
        yield held
    finally:
        if held and not session.connection.closed:
            session.rows("select pg_advisory_unlock(%s)", [_number(words)])


def _number(words: str) -> int:
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big", signed=True)


class Templates:
    """The templates of one owner on one server."""

    def __init__(
        self, session: Session, provider: Provider, settings: DatabaseSettings, owner: str, home: Path
    ) -> None:
        self._session = session
        self._provider = provider
        self._settings = settings
        self._owner = owner
        self._secret = home / "app.json"
        self._uses = home / "templates"
        self.app = naming.owner_name(settings.prefix, owner)

    @contextmanager
    def lent(self, tree: Path) -> Generator[Template]:
        """The template for the migrations in `tree`, built when missing; nobody drops it while it is lent."""
        migrations = find_migrations(tree, self._settings.migrations)
        key = template_key(self._settings, migrations)
        built = False
        while True:
            with self.locked(key, shared=True):
                found = self.ready(key)
                if found is not None:
                    self._note_use(key)
                    yield replace(found, fresh=built)
                    return
            with self.locked(key):
                if self.ready(key) is None:
                    self._build(key, tree, migrations)
                    built = True

    def discard(self, key: str) -> None:
        """Drop the template with `key`; waits until nobody clones it."""
        with self.locked(key):
            self.drop_all(key)

    def used(self) -> dict[str, float]:
        """When each template's key was last lent (wall-clock seconds)."""
        found = {}
        for note in self._uses.glob("*"):
            with contextlib.suppress(FileNotFoundError):
                found[note.name] = note.stat().st_mtime
        return found

    def _note_use(self, key: str) -> None:
        self._uses.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._uses / key).touch()

    def locked(self, key: str, *, shared: bool = False):  # noqa: ANN201 -- what advisory_lock gives
        """The lock of the template with `key`."""
        return advisory_lock(self._session, self.lock_of(key), shared=shared)

    def lock_of(self, key: str) -> str:
        """The words of that lock; "" stands for databases that are made and not yet marked."""
        return f"{self._owner} template {key}"

    def ready(self, key: str) -> Template | None:
        """The sealed template with `key`, None when there is none."""
        for name, comment in self._session.rows(_READY, [marks.beginning(self._owner)]):
            mark = marks.decode(comment, self._owner)
            if mark and mark.get("kind") == "template" and mark.get("key") == key:
                return Template(name, key, int(mark.get("size", 0)))
        return None

    def _build(self, key: str, tree: Path, migrations: tuple[Migration, ...]) -> None:
        require_present(tree, migrations)
        wanted = wanted_extensions(tree, migrations)
        require_available(self._session, wanted)
        self.drop_all(key)
        login = self.app_login()
        name = naming.template_name(self._settings.prefix, key, secrets.token_hex(3))
        self._create(name, key)
        try:
            create_untrusted(self._session, self._provider, name, wanted)
            self._migrate(tree, Login(login.host, login.port, name, login.role, login.password, login.sslmode))
            self._seal(name, key)
        except BaseException:
            drop_database(self._session, name)
            raise

    def drop_all(self, key: str) -> None:
        """Drop the template with `key`, its spares and unfinished builds of it; the caller holds its lock."""
        (self._uses / key).unlink(missing_ok=True)
        for name, comment in self._session.rows(_BUILDS, [marks.beginning(self._owner)]):
            mark = marks.decode(comment, self._owner)
            if mark and mark.get("kind") in {"build", "template", "spare"} and mark.get("key") == key:
                drop_database(self._session, name)

    def _create(self, name: str, key: str) -> None:
        from psycopg import sql

        how = sql.SQL(strategy(durable=self._session.server.durable, size=0))
        with self.locked("", shared=True), asking(f"cannot create the template {name}"):
            self._session.run(
                "create database {name} owner {app} template template0 strategy {how}", name=name, app=self.app, how=how
            )
            mark = sql.Literal(marks.encode(self._owner, "build", key=key))
            self._session.run("comment on database {name} is {mark}", name=name, mark=mark)
            self._session.run("revoke connect, temporary on database {name} from public", name=name)

    def app_login(self) -> Login:
        """The login of the role that owns what migrations make, made when it does not exist."""
        with advisory_lock(self._session, f"{self._owner} app"):
            server = self._session.server
            kept = environment.read_login(self._secret)
            exists, comment = role_mark(self._session, self.app)
            if exists and marks.decode(comment, self._owner) is None:
                raise Failure(
                    "name-taken",
                    f"the role {self.app} exists and is not ours",
                    mend="set [database] prefix to another word",
                )
            login = Login(
                server.host, server.port, "", self.app, kept.password if kept else new_password(), server.sslmode
            )
            if kept is None or not exists:
                put_app_role(self._session, self.app, self._owner, login.password)
                environment.write_login(self._secret, login)
            return login

    def _migrate(self, tree: Path, login: Login) -> None:
        if not self._settings.migrate:
            return
        inherited = {key: value for key, value in clean_environment().items() if key not in environment.MISLEADING}
        surroundings = {**inherited, **environment.variables(login)}
        done = run_bounded(self._settings.migrate, cwd=tree, env=surroundings, timeout=BUILD_SECONDS)
        if done.code == 0:
            return
        secret = login.password.encode()
        said = replace(done, out=done.out.replace(secret, b"***"), err=done.err.replace(secret, b"***")).complaint
        how = "ran longer than 30 minutes" if done.timed_out else f"ended with code {done.code}"
        raise Failure(
            "migrate-failed", f"the migrate command `{' '.join(self._settings.migrate)}` {how} in {tree}", why=said,
            mend="correct the migrations or [database] migrate; no template was kept",
        )  # fmt: skip

    def _seal(self, name: str, key: str) -> None:
        from psycopg import sql

        with asking(f"cannot finish the template {name}"):
            with self._provider.connect(name) as connection:
                # Statistics travel with a clone. No VACUUM: its maps are files, and a clone costs by the file.
                connection.execute("analyze")
                connection.execute(sql.SQL("grant all on schema public to {}").format(sql.Identifier(self.app)))
            self._session.run("alter database {name} allow_connections false", name=name)
            end_sessions(self._session, name)
            size = self._session.rows("select pg_database_size(%s)", [name])[0][0]
            # The slots' roles are members of the app role; as its owner they could drop the template.
            mark = sql.Literal(marks.encode(self._owner, "template", key=key, size=str(size)))
            self._session.run("alter database {name} owner to current_user", name=name)
            self._session.run("alter database {name} is_template true", name=name)
            self._session.run("comment on database {name} is {mark}", name=name, mark=mark)


def end_sessions(session: Session, name: str) -> None:
    """End every session on the database `name`."""
    session.rows(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()",
        [name],
    )


def slot_lock(owner: str, slot: str) -> str:
    """What is locked by whoever gives a slot its database, or takes it back."""
    return f"{owner} slot {slot}"


def drop_database(session: Session, name: str) -> None:
    """Drop the database `name`, sessions and all; a template loses its flag first. One that is gone is no error."""
    rows = session.rows("select datistemplate, datconnlimit = -2 from pg_database where datname = %s", [name])
    if not rows:
        return
    with asking(f"cannot drop the database {name}"):
        if rows[0][0] and not rows[0][1]:
            session.run("alter database {name} is_template false", name=name)
        session.run("drop database if exists {name} with (force)", name=name)
