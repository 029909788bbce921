"""One slot's database: name, role, clone, walls and limits.

It is a spare put in place of what the slot had, or a clone made now when no spare is ready. What CREATE DATABASE does
not copy from a template (grants, limits, settings) is put on each clone at once, in one transaction together with the
mark. The time limits keep a forgotten transaction of one agent from blocking the next command in its slot.
"""

from __future__ import annotations

from dataclasses import replace

from resources.databases import marks, naming
from resources.databases.environment import Login
from resources.databases.inventory import take_inventory
from resources.databases.provider import Provider
from resources.databases.roles import new_password, put_slot_role
from resources.databases.session import Session, asking
from resources.databases.stock import WALLS, Stock, Tenant
from resources.databases.template import Template, Templates, drop_database, strategy
from resources.databases.values import Found
from resources.system.errors import Failure

_TAKEN = """
select d.datname, shobj_description(d.oid, 'pg_database'), shobj_description(d.datdba, 'pg_authid')
  from pg_database d where d.datname = any(%(names)s)
union all
select r.rolname, shobj_description(r.oid, 'pg_authid'), null from pg_roles r where r.rolname = any(%(names)s)
"""


class Slots:
    """The slots' databases of one owner, on an open session."""

    def __init__(self, session: Session, templates: Templates, provider: Provider, owner: str) -> None:
        self._session = session
        self._templates = templates
        self._provider = provider
        self._owner = owner

    def furnish(
        self, slot: str, template: Template, *, known: Login | None, limit: int, fresh: bool, prefix: str
    ) -> tuple[Login, str]:
        """The login of a database for `slot` made from `template`, and its source; with `fresh` a new one in any case.

        `known` is the login recorded before, whose password is kept; `limit` the most connections of the slot.
        """
        things = [found for found in take_inventory(self._session, self._owner) if found.slot == slot]
        name = self._name(slot, prefix)
        standing = not fresh and any(_made_from(found, name, template) for found in things)
        role_stands = any(found.kind == "role" and found.name == name for found in things)
        login = self._login(known, name)
        if not (standing and role_stands and login == known):
            mark = marks.encode(self._owner, "slot", slot=slot)
            put_slot_role(self._session, name, mark, login.password, app=self._templates.app, limit=limit)
        source = "" if standing else self._replace(things, Tenant(slot, name, limit), template, prefix)
        if not role_stands:
            self._try(login)
        return login, source

    def _login(self, known: Login | None, name: str) -> Login:
        server = self._session.server
        login = known or Login("", 0, name, name, new_password())
        return replace(login, host=server.host, port=server.port, sslmode=server.sslmode, database=name, role=name)

    def _name(self, slot: str, prefix: str) -> str:
        """The slot's name, or the longer one when somebody else has a database or role of that name."""
        candidates = naming.slot_names(prefix, slot, self._owner)
        with asking("cannot look for names in use"):
            rows = self._session.connection.execute(_TAKEN, {"names": list(candidates)}).fetchall()
        taken = {name for name, *comments in rows if not any(self._tells(comment, slot) for comment in comments)}
        for name in candidates:
            if name not in taken:
                return name
        raise Failure(
            "name-taken",
            f"the names {' and '.join(candidates)} are in use by others",
            mend="set [database] prefix to another word",
        )

    def _tells(self, comment: str | None, slot: str) -> bool:
        return (marks.decode(comment, self._owner) or {}).get("slot") == slot

    def _replace(self, things: list[Found], tenant: Tenant, template: Template, prefix: str) -> str:
        """Put a new database in place; returns where it came from."""
        for found in things:
            if found.kind == "half-dropped":
                drop_database(self._session, found.name)
        # One that was retired and not yet renamed when its process died still has the slot's name.
        old = [
            found
            for found in things
            if found.kind == "database" or (found.kind, found.name) == ("retired", tenant.name)
        ]
        if Stock(self._session, self._templates, self._owner, prefix).replace(old, tenant, template):
            return "spare"
        self._clone(tenant, template)
        return "migrate" if template.fresh else "clone"

    def _clone(self, tenant: Tenant, template: Template) -> None:
        from psycopg import sql

        how = sql.SQL(strategy(durable=self._session.server.durable, size=template.size))
        mark = sql.Literal(marks.encode(self._owner, "slot", slot=tenant.slot, key=template.key))
        with asking(f"cannot clone the template for slot {tenant.slot}"):
            self._session.run(
                "create database {name} template {source} owner {name} strategy {how} connection limit {limit}",
                name=tenant.name, source=template.name, how=how, limit=sql.Literal(tenant.limit),
            )  # fmt: skip
            self._session.run(WALLS, name=tenant.name, mark=mark)

    def _try(self, login: Login) -> None:
        """Log in once with a role just made: a foreign server's pg_hba.conf may not let it in by password."""
        if self._provider.owned:
            return
        import psycopg

        try:
            psycopg.connect(
                host=login.host, port=login.port, dbname=login.database, user=login.role, password=login.password,
                sslmode=login.sslmode or "prefer", connect_timeout=10,
            ).close()  # fmt: skip
        except psycopg.OperationalError as error:
            raise Failure(
                "slot-cannot-log-in", f"the server does not let the slot's role {login.role} in",
                why=str(error).strip(),
                mend="allow scram-sha-256 in its pg_hba.conf, or use host=localhost in the dsn if sockets ask for peer",
            ) from error  # fmt: skip


def _made_from(found: Found, name: str, template: Template) -> bool:
    return found.kind == "database" and found.name == name and found.mark.get("key") == template.key
