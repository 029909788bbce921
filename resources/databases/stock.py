"""The stock of spares: put one in place of what a slot had, make new ones, drop what was replaced.

Taking a spare is one transaction on the catalogue: what stood under the slot's name is renamed away and marked
*retired*, the spare gets name, owner, limit and mark. A process that dies in the middle leaves either the old state
or the new one. Spares and retired databases are closed to connections, so no rename ever waits for a session. Whoever
takes a spare out of the stock first holds a lock named after it; who does not get it looks at the next.

Making spares and dropping retired databases takes long and is nobody's hurry: `tend` does it where somebody has time,
one process at a time. `chores.py` decides what there is to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from resources.databases import marks, naming
from resources.databases.chores import chores, may_go
from resources.databases.doors import close_children
from resources.databases.inventory import take_inventory
from resources.databases.session import Session, asking
from resources.databases.template import (
    Template,
    Templates,
    drop_database,
    end_sessions,
    lock_if_free,
    slot_lock,
    strategy,
)
from resources.databases.values import Found
from resources.system.clock import wall
from resources.system.errors import NotNow
from resources.system.files import file_lock

WALLS = """
revoke connect, temporary on database {name} from public;
alter database {name} set idle_in_transaction_session_timeout = '60s';
alter database {name} set idle_session_timeout = '30min';
alter database {name} set lock_timeout = '30s';
alter database {name} set statement_timeout = '5min';
comment on database {name} is {mark};
"""
"""What CREATE DATABASE does not copy from a template."""

_CLOSE = """
alter database {name} allow_connections false;
comment on database {name} is {mark};
"""
_AWAY = "alter database {name} rename to {away};"
_IN = """
alter database {spare} rename to {name};
alter database {name} owner to {role};
alter database {name} allow_connections true connection limit {limit};
comment on database {name} is {mark};
"""
_MARKED = """
select datname, shobj_description(oid, 'pg_database') from pg_database
 where not datallowconn and starts_with(shobj_description(oid, 'pg_database'), %s) order by oid
"""


@dataclass(frozen=True)
class Tenant:
    """Where a fresh database goes: its slot, the name of database and role, its connections at most."""

    slot: str
    name: str
    limit: int


class Stock:
    """The spares of one owner, on an open session."""

    def __init__(self, session: Session, templates: Templates, owner: str, prefix: str) -> None:
        self._session = session
        self._templates = templates
        self._owner = owner
        self._prefix = prefix

    def replace(self, old: Iterable[Found], tenant: Tenant, template: Template) -> bool:
        """Retire the databases `old` of the slot, put a spare of `template` in their place; False when there is none.

        The old ones are out of the way in any case.
        """
        going = [found.name for found in old]
        for name in going:
            self._close(tenant, name)
        with asking(f"cannot put a database in place for slot {tenant.slot}"), self._session.connection.transaction():
            spare = self._pick(template.key)
            for name in going:
                self._session.run(_AWAY, name=name, away=naming.retired_name(self._prefix, secrets.token_hex(6)))
            if spare:
                self._put(spare, tenant, template.key)
        return bool(spare)

    def _close(self, tenant: Tenant, name: str) -> None:
        from psycopg import sql

        mark = sql.Literal(marks.encode(self._owner, "retired", slot=tenant.slot, at=f"{wall():.0f}"))
        with asking(f"cannot take the database {name} out of use"):
            self._session.run(_CLOSE, name=name, mark=mark)
            end_sessions(self._session, name)

    def _put(self, spare: str, tenant: Tenant, key: str) -> None:
        from psycopg import sql

        mark = sql.Literal(marks.encode(self._owner, "slot", slot=tenant.slot, key=key))
        self._session.run(
            _IN, spare=spare, name=tenant.name, role=tenant.name, limit=sql.Literal(tenant.limit), mark=mark
        )

    def _pick(self, key: str) -> str:
        """A spare of the template with `key` that is ours until the transaction ends, "" when there is none."""
        for name in self._spares(key):
            if self._claimed(name) and name in self._spares(key):
                return name
        return ""

    def _spares(self, key: str) -> list[str]:
        rows = self._session.rows(_MARKED, [marks.beginning(self._owner)])
        decoded = [(name, marks.decode(comment, self._owner) or {}) for name, comment in rows]
        return [name for name, mark in decoded if mark.get("kind") == "spare" and key in ("", mark.get("key"))]

    def _claimed(self, name: str) -> bool:
        digest = hashlib.sha256(f"{self._owner} spare {name}".encode()).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        return bool(self._session.rows("select pg_try_advisory_xact_lock(%s)", [number])[0][0])

    # -- at leisure

    def tend(self, lock: Path, spares: int) -> None:
        """Close what slots created to other slots, drop what was retired and what is too much, collect old templates,
        and make spares until there are `spares`.

        Does nothing while another process does it.
        """
        with contextlib.suppress(NotNow), file_lock(lock, what="the stock of databases", wait=0):
            things = self._inventory()
            todo = chores(things, self._templates.used(), spares, wall())
            slots = {found.name: found.slot or "" for found in things}
            close_children(self._session, self._owner)
            for name in todo.surplus:
                self._discard(name)
            for name in todo.drop:
                self._drop(name, slots[name])
            for name, key in todo.wrecks:
                self._clear(name, key)
            for key in todo.templates:
                self._collect(key)
            for _ in range(todo.make):
                self._make(todo.key)

    def _inventory(self) -> tuple[Found, ...]:
        return take_inventory(self._session, self._owner)

    def _discard(self, name: str) -> None:
        from psycopg import sql

        away = naming.retired_name(self._prefix, secrets.token_hex(6))
        mark = sql.Literal(marks.encode(self._owner, "retired", at=f"{wall():.0f}"))
        with asking(f"cannot take the spare {name} out of the stock"):
            with self._session.connection.transaction():
                if not self._claimed(name) or name not in self._spares(""):
                    return
                self._session.run(_AWAY + "comment on database {away} is {mark}", name=name, away=away, mark=mark)
            drop_database(self._session, away)

    def _drop(self, name: str, slot: str) -> None:
        # It keeps the slot's name until it is renamed; whoever does that puts another in its place at once.
        with lock_if_free(self._session, slot_lock(self._owner, slot)) as free:
            if free and name in chores(self._inventory(), {}, 0, wall()).drop:
                drop_database(self._session, name)

    def _clear(self, name: str, key: str) -> None:
        # Whoever makes it holds the lock, even a session whose client was killed; a free one means that nobody does.
        with lock_if_free(self._session, self._templates.lock_of(key)) as free:
            if free and (name, key) in chores(self._inventory(), {}, 0, wall()).wrecks:
                drop_database(self._session, name)

    def _collect(self, key: str) -> None:
        with self._templates.locked(key):
            # Looked at again under the lock that every borrower holds.
            if may_go(key, self._inventory(), self._templates.used(), wall()):
                self._templates.drop_all(key)

    def _make(self, key: str) -> None:
        from psycopg import sql

        name = naming.spare_name(self._prefix, key, secrets.token_hex(6))
        with self._templates.locked(key, shared=True):
            template = self._templates.ready(key)
            if template is None:
                return
            # Until it is marked the app role's ownership tells that it is ours.
            how = sql.SQL(strategy(durable=self._session.server.durable, size=template.size))
            mark = sql.Literal(marks.encode(self._owner, "spare", key=key))
            with self._templates.locked("", shared=True), asking("cannot make a spare database"):
                self._session.run(
                    "create database {name} template {source} owner {app} strategy {how} allow_connections false",
                    name=name, source=template.name, app=self._templates.app, how=how,
                )  # fmt: skip
                self._session.run(WALLS + "alter database {name} owner to current_user", name=name, mark=mark)
