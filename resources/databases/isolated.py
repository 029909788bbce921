"""`isolation = "server"`: a server of its own for every slot, behind the same door.

Databases on one server share its roles, its lock table, its connections and every database name that a project has
written into its code. A server of its own shares nothing, for some 40 MB of disk and 10 MB of memory a slot. Making
one is quick because nothing is built in it: one *golden* cluster, which never serves a slot, gets the template, is
stopped, and is copied (0.1 to 0.2 s, against more than 1 s for initdb and the time of the migrations).

    HOME/golden/            the golden cluster, laid out as any home (see local.py)
    HOME/servers/SLOT/      the home of a slot's server

The server is what is listed and reclaimed, not what is inside. The golden cluster runs only while somebody builds in
it; when it runs without, its builder was killed.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

from resources.databases.databases import Databases
from resources.databases.doors import Door
from resources.databases.place import copy_cluster, discard_cluster, read_place, was_killed
from resources.databases.template import BUILD_SECONDS, Template
from resources.databases.values import Database, DatabaseSettings, Found, Server, Usage
from resources.system.errors import Failure
from resources.system.files import file_lock, lock_is_held


class IsolatedDatabases(Databases):
    """A repository's databases, each on a server of its own."""

    def __init__(self, settings: DatabaseSettings, home: Path, owner: str) -> None:
        # All connections of a server are its slot's; one spare is enough for one slot.
        one_slot = replace(settings, isolation="database", provider="local", slots=1, spares=min(1, settings.spares))
        super().__init__(one_slot, home / "golden", owner)
        self._root = home
        self._opened: dict[str, Databases] = {}

    def start(self) -> None:
        """See that servers can be made; none needs to run before a slot is prepared."""
        if read_place(self._home) is None:
            with self._golden_lock():
                super().start()
                super().stop()

    def stop(self) -> None:
        """Stop every server."""
        for one in self._servers():
            one.stop()
        super().stop()

    def server(self) -> Server:
        """What the servers are like, asked of the golden one."""
        with self._golden_lock():
            try:
                return super().server()
            finally:
                super().stop()

    @property
    def asleep(self) -> bool:
        """Whether no server runs."""
        return all(one.asleep for one in self._servers())

    @property
    def listing_wakes(self) -> bool:
        """Never: what is inside is not asked."""
        return False

    def usage(self) -> Usage:
        """Client connections now, on all servers that run."""
        found = [one.usage() for one in self._servers() if not one.asleep]
        counts = {name: count for usage in found for name, count in usage.per_database.items()}
        states = sum((Counter(usage.states) for usage in found), Counter[str]())
        return Usage(counts, sum(usage.total for usage in found), sum(usage.usable for usage in found), states)

    def open_doors(self) -> tuple[Door, ...]:
        """None: whom a slot's role can reach is on the slot's own server."""
        return ()

    def sizes(self) -> Mapping[str, int]:
        """Bytes that the databases on servers that run take, by kind."""
        return sum((Counter(one.sizes()) for one in self._servers() if not one.asleep), Counter[str]())

    def close(self) -> None:
        """Give the connections back."""
        for one in self._opened.values():
            one.close()
        super().close()

    def _furnish(self, slot: str, tree: Path, *, fresh: bool) -> Database:
        with file_lock(self._lock(slot), what=f"the server of slot {slot}", wait=600):
            one, key = self._server(slot), self.template_key(tree)
            if read_place(self._folder(slot)) is None or not (self._folder(slot) / "templates" / key).exists():
                self._make(slot, tree, key)
            return one.reset(slot, tree) if fresh else one.prepare(slot, tree)

    def _make(self, slot: str, tree: Path, key: str) -> None:
        """A copy of the golden cluster, with the template for `tree` in it, in place of the slot's server."""
        with self._golden_lock():
            if not (self._home / "templates" / key).exists():
                self._build(tree)
            super().stop()
            self._discard(slot)
            copy_cluster(self._home, self._folder(slot))

    def _build(self, tree: Path, *, rebuild: bool = False) -> Template:
        try:
            return super().template(tree, rebuild=rebuild)
        finally:
            super().tend()
            super().stop()

    def _discard(self, slot: str) -> None:
        one, folder = self._server(slot), self._folder(slot)
        if was_killed(folder):
            # Its shared memory outlived it; Postgres itself finds and removes that when it starts again.
            with contextlib.suppress(Failure):
                one.start()
        one.stop()
        discard_cluster(folder)

    def drop(self, slot: str) -> None:
        """Stop the slot's server and delete it. Repeatable."""
        with file_lock(self._lock(slot), what=f"the server of slot {slot}", wait=600):
            self._discard(slot)

    def of(self, slot: str) -> Database | None:
        """The slot's database as recorded at its last preparation; asks no server."""
        return self._server(slot).of(slot)

    def ready(self, slot: str) -> bool:
        """Whether the slot has a server and it runs."""
        return self._server(slot).ready(slot)

    def template(self, tree: Path, *, rebuild: bool = False) -> Template:
        """The sealed template in the golden cluster; what slots have already stays as it is until they are reset."""
        with self._golden_lock():
            return self._build(tree, rebuild=rebuild)

    def tend(self) -> None:
        """Keep a spare ready on every server that runs."""
        for one in self._servers():
            one.tend()

    def inventory(self) -> tuple[Found, ...]:
        """Every slot's server. Raises Failure("database-unreachable")."""
        found = [self._found(one, unquote(folder.name)) for folder, one in self._each()]
        if not super().asleep and not lock_is_held(self._root / "golden.lock"):
            found.append(Found("server", "golden", None, 0, {"kind": "server"}))
        return tuple(found)

    def _found(self, one: Databases, slot: str) -> Found:
        counted = {} if one.asleep else one.usage().per_database
        busy = sum(count for name, count in counted.items() if name != "postgres")
        return Found("server", f"servers/{slot}", slot, busy, {"kind": "server", "slot": slot})

    def reclaim(self, found: Found) -> None:
        """Delete one server of the inventory, or stop the golden one. Raises Failure("not-ours") for anything else."""
        if found.kind != "server":
            raise Failure("not-ours", f"{found.name} is no server of a slot")
        if found.slot is not None:
            self.drop(found.slot)
            return
        with self._golden_lock():
            super().stop()

    def dissolve(self) -> None:
        """Delete every server. Raises Failure."""
        for slot in [unquote(folder.name) for folder, _ in self._each()]:
            self.drop(slot)
        with self._golden_lock():
            super().dissolve()

    # -- parts

    def _golden_lock(self):  # noqa: ANN202 -- what file_lock gives
        return file_lock(self._root / "golden.lock", what="the golden cluster", wait=BUILD_SECONDS)

    def _folder(self, slot: str) -> Path:
        return self._root / "servers" / quote(slot, safe="")

    def _lock(self, slot: str) -> Path:
        return self._root / "server-locks" / quote(slot, safe="")

    def _server(self, slot: str) -> Databases:
        if slot not in self._opened:
            self._opened[slot] = Databases(self._settings, self._folder(slot), self._owner)
        return self._opened[slot]

    def _servers(self) -> Iterator[Databases]:
        return (one for _, one in self._each())

    def _each(self) -> Iterator[tuple[Path, Databases]]:
        for folder in sorted(path for path in (self._root / "servers").glob("*") if path.is_dir()):
            yield folder, self._server(unquote(folder.name))
