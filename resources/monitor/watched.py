"""What a look at the project needs: its repository, ledger, settings and, when it uses any, its databases.

A project that never had a database has no folder for them; then nothing of Postgres is imported or asked. A
cluster of our own that nobody started is *asleep*: looking must not start a server every few seconds, so only
who asks for it (`wake`) looks into a sleeping one.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resources.settings import ResourceSettings, read_settings
from resources.state.leases import Lease, is_over, live
from resources.state.sqlite import SqliteLedger
from resources.state.store import Ledger, Snapshot
from resources.system.errors import Failure
from resources.system.process import ProcessId
from resources.system.repository import Repository

if TYPE_CHECKING:
    from resources.databases.databases import Databases


@dataclass(frozen=True)
class Watched:
    """One project under watch. `databases` is None when it uses none."""

    repository: Repository
    ledger: Ledger
    settings: ResourceSettings
    project: str
    databases: Databases | None = None
    wake: bool = False

    @property
    def pool_folder(self) -> Path:
        """Where the slots are."""
        return self.repository.root / self.settings.pool.folder

    @property
    def database_home(self) -> Path:
        """Where the databases' records and our own cluster are."""
        return database_home(self.repository)

    @property
    def asleep(self) -> bool:
        """Whether the databases are on a server of our own that does not run now."""
        return self.databases is not None and self.databases.asleep


@contextmanager
def watch(repository: Repository, file: Path | None = None, *, wake: bool = False) -> Generator[Watched]:
    """Open the project for looking at it. Raises Failure("not-initialised") when there is no ledger."""
    ledger = SqliteLedger(repository.state)
    databases = None
    try:
        settings = read_settings(repository, file)
        with ledger.read() as snapshot:
            project = owner_of(snapshot)
        databases = _databases(repository, settings, project)
        watched = Watched(repository, ledger, settings, project, databases, wake)
        slept = watched.asleep
        try:
            yield watched
        finally:
            # Who wakes a server to look into it lets it sleep again, unless somebody has begun to use it.
            if databases is not None and slept and not watched.asleep and not _in_use(databases):
                databases.stop()
    finally:
        if databases is not None:
            databases.close()
        ledger.close()


def _in_use(databases: Databases) -> bool:
    try:
        return databases.usage().total > 1
    except Failure:
        return False


def owner_of(snapshot: Snapshot) -> str:
    """The uid that all marks of this project bear; "" when the ledger has none yet."""
    row = snapshot.one("meta-get", key="project")
    return row["value"] if row else ""


def valid_leases(snapshot: Snapshot) -> list[Lease]:
    """The leases that count: live, their owner not dead, their time not up."""
    return [lease for lease in live(snapshot) if not is_over(lease)]


def database_home(repository: Repository) -> Path:
    """Where a repository's databases keep what they need."""
    return repository.state / "postgres"


def _databases(repository: Repository, settings: ResourceSettings, project: str) -> Databases | None:
    home = database_home(repository)
    if settings.database.provider == "none" or not home.is_dir() or not project:
        return None
    from resources.databases.databases import open_databases

    return open_databases(settings.database, home=home, project=repository.root.name, owner=project)


def server_processes(home: Path) -> list[ProcessId]:
    """The processes that serve the clusters of our own below `home`, those that run."""
    from resources.databases.place import read_place
    from resources.databases.postmaster import postmaster

    places = [read_place(each) for each in (home, home / "golden", *(home / "servers").glob("*"))]
    found = [postmaster(Path(place.folder)) for place in places if place is not None]
    return [server for server in found if server is not None]
