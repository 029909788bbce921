"""Which databases a slot's role could connect to besides its own.

Postgres lets PUBLIC connect to every new database, `postgres` and `template1` included, and cannot forbid it to one
role. On a server of our own both are closed when it starts. On somebody else's nothing is changed: a *door* is told
with the statement that closes it to PUBLIC and keeps it open to every role that can log in now, slots' roles apart, so
that nobody else loses anything. What a slot's test runner creates is ours, and is closed to the other slots unasked.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from resources.databases import marks
from resources.databases.session import Session, asking
from resources.system.errors import Failure

_OPEN = """
 d.datallowconn and d.datconnlimit <> -2 and exists (
   select from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    where a.grantee = 0 and a.privilege_type = 'CONNECT')
"""
_DOORS = f"""
select d.datname, array(
         select r.rolname from pg_roles r
          where r.rolcanlogin and not r.rolsuper and r.oid <> d.datdba
            and not starts_with(coalesce(shobj_description(r.oid, 'pg_authid'), ''), %(any)s)
          order by r.rolname)
  from pg_database d
 where {_OPEN} and not starts_with(coalesce(shobj_description(d.datdba, 'pg_authid'), ''), %(any)s)
 order by d.datname
"""  # noqa: S608 -- two fixed texts
_CHILDREN = f"""
select d.datname from pg_database d
 where {_OPEN} and starts_with(shobj_description(d.datdba, 'pg_authid'), %s) order by d.datname
"""  # noqa: S608 -- two fixed texts


@dataclass(frozen=True)
class Door:
    """A database of somebody else's that PUBLIC may connect to, and the statement that closes it to slots."""

    database: str
    statement: str


def open_doors(session: Session) -> tuple[Door, ...]:
    """The open doors of the session's server. Raises Failure("database-…")."""
    with asking("cannot tell which databases PUBLIC may connect to"):
        rows = session.connection.execute(_DOORS, {"any": marks.ANYBODY}).fetchall()
    return tuple(Door(name, _closing(name, roles)) for name, roles in rows)


def _closing(name: str, keepers: list[str]) -> str:
    from psycopg import sql

    database = sql.Identifier(name)
    revoke = sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC;").format(database)
    if not keepers:
        return revoke.as_string()
    roles = sql.SQL(", ").join(map(sql.Identifier, keepers))
    grant = sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {};").format(database, roles)
    return f"{grant.as_string()} {revoke.as_string()}"


def close_children(session: Session, owner: str) -> None:
    """Close to PUBLIC what the roles of the slots of `owner` have created themselves."""
    with asking("cannot list the databases that slots created"):
        rows = session.rows(_CHILDREN, [marks.beginning(owner)])
    for (name,) in rows:
        # A test runner may have dropped it meanwhile.
        with contextlib.suppress(Failure), asking(f"cannot close {name} to other slots"):
            session.run("revoke connect, temporary on database {name} from public", name=name)
