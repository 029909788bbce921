"""The door: a Postgres database for every slot of a repository.

    with open_databases(settings, home=…, project="meal-planner", owner=uid) as databases:
        database = databases.prepare("wt-1", tree)      # clone of the template for the tree's migrations
        … run an agent with database.environment …
        databases.drop("wt-1")

Nothing happens until it is used. A `Databases` keeps one administrator's connection and belongs to one thread;
several processes may work on different slots at once, and one slot's work is serialised by a lock file.

A slot's database is disposable: whoever prepares a slot whose migrations changed gets a fresh clone. What is ours
is told by a mark on it (`marks.py`), never by its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from resources.databases import environment, inventory
from resources.databases.doors import Door, open_doors
from resources.databases.environment import Login
from resources.databases.half_made import find_half_made, remove_half_made
from resources.databases.migrations import find_migrations, template_key
from resources.databases.place import was_killed
from resources.databases.provider import Provider, choose_provider
from resources.databases.session import Session, asking
from resources.databases.slots import Slots
from resources.databases.stock import Stock
from resources.databases.template import Template, Templates, advisory_lock, slot_lock
from resources.databases.values import Database, DatabaseSettings, Found, Server, Usage
from resources.system.errors import Failure
from resources.system.files import file_lock

__all__ = ["Database", "DatabaseSettings", "Databases", "Found", "Server", "Usage", "open_databases"]

_CONNECTIONS = """
select datname, coalesce(state, 'unknown'), count(*) from pg_stat_activity
 where datname is not null and coalesce(backend_type, 'client backend') = 'client backend'
 group by 1, 2
"""
_SIZES = """
select datname, pg_database_size(oid) from pg_database
 where datname = any(%s) and (has_database_privilege(oid, 'connect') or pg_has_role('pg_read_all_stats', 'member'))
"""


def open_databases(settings: DatabaseSettings, *, home: Path, project: str, owner: str) -> Databases:
    """The databases of a repository. `home` is the folder for cluster and secrets, `project` the start of names
    unless the settings have another, `owner` the id that marks everything as ours. Touches nothing yet.
    """
    named = replace(settings, prefix=settings.prefix or project)
    if settings.isolation == "server":
        from resources.databases.isolated import IsolatedDatabases

        return IsolatedDatabases(named, home.absolute(), owner)
    return Databases(named, home.absolute(), owner)


class Databases:
    """A repository's databases; see the module for how to use them."""

    def __init__(self, settings: DatabaseSettings, home: Path, owner: str) -> None:
        self._settings = settings
        self._home = home
        self._owner = owner
        self._chosen: Provider | None = None
        self._open: Session | None = None

    # -- the server

    def probe(self) -> str | None:
        """None when databases can be had, else why not. Looks for binaries or at the DSN and asks nobody."""
        try:
            return self._provider.probe()
        except Failure as failure:
            return failure.what

    def start(self) -> None:
        """See that the server runs and that we may use it; safe when two processes call at once."""
        self._provider.start()
        self._session.open()

    def stop(self) -> None:
        """Stop a server of ours. Raises Failure("server-not-ours") for one given by a DSN."""
        self.close()
        self._provider.stop()

    def server(self) -> Server:
        """The server, started when it can be: version, place, whether it is ours."""
        return self._session.open()

    @property
    def asleep(self) -> bool:
        """Whether the server is one of our own that does not run now; asks no server."""
        return self._provider.asleep()

    @property
    def listing_wakes(self) -> bool:
        """Whether `inventory` would have to start a server."""
        return self.asleep

    def usage(self) -> Usage:
        """Client connections now. Raises Failure("database-unreachable")."""
        server = self._session.open()
        with asking("cannot count connections"):
            rows = self._session.rows(_CONNECTIONS)
        databases, states = Counter[str](), Counter[str]()
        for name, state, count in rows:
            databases[name] += count
            states[state] += count
        return Usage(databases, databases.total(), server.usable, states)

    def sizes(self) -> Mapping[str, int]:
        """Bytes that our databases take, by kind, as far as we may ask. It costs the server some 7 ms for each."""
        self._session.open()
        ours = inventory.take_inventory(self._session, self._owner)
        kinds = {found.name: found.kind for found in ours if found.kind != "role"}
        with asking("cannot tell the sizes of our databases"):
            rows = self._session.rows(_SIZES, [list(kinds)])
        total = Counter[str]()
        for name, size in rows:
            total[kinds[name]] += size
        return total

    def open_doors(self) -> tuple[Door, ...]:
        """The databases of others that slots' roles could connect to; none while a server of our own sleeps."""
        if not self._provider.exists() or self.asleep:
            return ()
        self._session.open()
        return open_doors(self._session)

    def close(self) -> None:
        """Give the connection back; the server goes on. The next call connects again."""
        if self._open is not None:
            self._open.close()

    def __enter__(self) -> Databases:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- slots

    def prepare(self, slot: str, tree: Path) -> Database:
        """The slot's database for the migrations in `tree`: the one it has when made from the same template, else a
        fresh clone. Raises Failure (migrate-failed, extension-missing, migrations-hidden, database-…).
        """
        return self._furnish(slot, tree, fresh=False)

    def reset(self, slot: str, tree: Path) -> Database:
        """A fresh clone for the slot, whatever it had: its database and those its role created are dropped."""
        return self._furnish(slot, tree, fresh=True)

    def _furnish(self, slot: str, tree: Path, *, fresh: bool) -> Database:
        with self._slot_lock(slot):
            server = self._session.open()
            with self._own(slot), self._templates.lent(tree) as template:
                slots = Slots(self._session, self._templates, self._provider, self._owner)
                share = self._settings.connection_limit or max(1, server.usable // max(1, self._settings.slots))
                known = self._login(slot)
                login, source = slots.furnish(
                    slot, template, known=known, limit=share, fresh=fresh, prefix=self._settings.prefix
                )
            if login != known:
                environment.write_login(self._record(slot), login)
            return environment.database(login, source)

    def drop(self, slot: str) -> None:
        """Take back all that the slot has: databases, those its role created, the role, the record. Repeatable."""
        with self._slot_lock(slot):
            if self._provider.exists():
                self._session.open()
                with self._own(slot):
                    self._drop_all(slot)
            self._record(slot).unlink(missing_ok=True)

    def _drop_all(self, slot: str) -> None:
        theirs = [found for found in inventory.take_inventory(self._session, self._owner) if found.slot == slot]
        # A role can go only when nothing belongs to it any more.
        for found in sorted(theirs, key=lambda found: found.kind == "role"):
            inventory.reclaim(self._session, self._templates, self._owner, found)

    def of(self, slot: str) -> Database | None:
        """The slot's database as recorded at its last preparation; asks no server."""
        login = self._login(slot)
        return environment.database(self._reachable(login)) if login else None

    def ready(self, slot: str) -> bool:
        """Whether the slot has a database and its server runs; asks no server. Not so after the system went down."""
        return self._login(slot) is not None and not self.asleep

    def template_key(self, tree: Path) -> str:
        """The key of the template that the migrations in the git worktree `tree` build; asks no server."""
        return template_key(self._settings, find_migrations(tree, self._settings.migrations))

    def template(self, tree: Path, *, rebuild: bool = False) -> Template:
        """The sealed template for the migrations in `tree`, built when it is missing or when `rebuild` is asked for."""
        self._session.open()
        if rebuild:
            self._templates.discard(self.template_key(tree))
        with self._templates.lent(tree) as template:
            return template

    def tend(self) -> None:
        """Do what nobody should wait for: drop what was replaced, collect old templates, keep spares ready.

        Does nothing while another process does it. A server of our own that was killed is started again, for agents
        work with it; one that was stopped is left asleep. Raises Failure.
        """
        if self._provider.exists() and (not self.asleep or was_killed(self._home)):
            self._session.open()
            stock = Stock(self._session, self._templates, self._owner, self._settings.prefix)
            stock.tend(self._home / "tend.lock", self._settings.spares)

    # -- what is ours

    def inventory(self) -> tuple[Found, ...]:
        """Every database and role that bears our mark, and files of none; all or nothing: Failure("database-…")."""
        if not self._provider.exists():
            return ()
        self._session.open()
        marked = inventory.take_inventory(self._session, self._owner)
        return (*marked, *find_half_made(self._session, self._provider.files()))

    def reclaim(self, found: Found) -> None:
        """Drop one thing of the inventory, sessions and all. Raises Failure("not-ours") for what is not marked so."""
        self._session.open()
        if found.kind == "half-made":
            remove_half_made(self._session, self._provider.files(), found)
        else:
            inventory.reclaim(self._session, self._templates, self._owner, found)

    def dissolve(self) -> None:
        """Take back everything of ours: a server of our own, else what we have on another. Raises Failure."""
        if not self._provider.exists():
            return
        if self._provider.owned:
            self.close()
            self._provider.discard()
            return
        # A role can go only when nothing belongs to it any more.
        for found in sorted(self.inventory(), key=lambda found: found.kind == "role"):
            self.reclaim(found)

    # -- parts

    @property
    def _provider(self) -> Provider:
        if self._chosen is None:
            self._chosen = choose_provider(self._settings, self._home)
        return self._chosen

    @property
    def _session(self) -> Session:
        if self._open is None:
            self._open = Session(self._provider)
        return self._open

    @property
    def _templates(self) -> Templates:
        return Templates(self._session, self._provider, self._settings, self._owner, self._home)

    def _record(self, slot: str) -> Path:
        return self._home / "slots" / f"{quote(slot, safe='')}.json"

    def _login(self, slot: str) -> Login | None:
        return environment.read_login(self._record(slot))

    def _reachable(self, login: Login) -> Login:
        # The server may have been started with another port since the slot got its database.
        host, port = self._provider.reach() or (login.host, login.port)
        return replace(login, host=host, port=port)

    def _own(self, slot: str):  # noqa: ANN202 -- what advisory_lock gives
        # The lock file went with a process that was killed; its session at the server may still be making a database.
        return advisory_lock(self._session, slot_lock(self._owner, slot))

    @contextmanager
    def _slot_lock(self, slot: str) -> Generator[None]:
        with file_lock(self._record(slot).with_suffix(".lock"), what=f"the database of slot {slot}", wait=600):
            yield
