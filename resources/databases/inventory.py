"""Everything on the server that bears our mark.

A database is ours when its comment says so or when the role that owns it is ours: so a test runner's own databases
and a clone that was interrupted before it was marked are found as well. A name proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resources.databases import marks
from resources.databases.session import Session, asking
from resources.databases.template import Templates, drop_database
from resources.databases.values import Found, FoundKind
from resources.system.errors import Failure

# A role without pg_monitor sees no backend_type of others; such a session counts, to be on the safe side.
_DATABASES = """
select d.datname, shobj_description(d.oid, 'pg_database'), shobj_description(d.datdba, 'pg_authid'), d.datconnlimit,
       (select count(*) from pg_stat_activity a
         where a.datid = d.oid and coalesce(a.backend_type, 'client backend') = 'client backend')
  from pg_database d
 where starts_with(shobj_description(d.oid, 'pg_database'), %(mark)s)
    or starts_with(shobj_description(d.datdba, 'pg_authid'), %(mark)s)
 order by d.datname
"""
_ROLES = """
select r.rolname, shobj_description(r.oid, 'pg_authid'),
       (select count(*) from pg_stat_activity a where a.usesysid = r.oid)
  from pg_roles r where starts_with(shobj_description(r.oid, 'pg_authid'), %(mark)s)
 order by r.rolname
"""


def take_inventory(session: Session, owner: str) -> tuple[Found, ...]:
    """Every database and role of `owner`. Raises Failure("database-unreachable") rather than tell a part."""
    beginning = {"mark": marks.beginning(owner)}
    with asking("cannot list what is ours on the server"):
        databases = session.connection.execute(_DATABASES, beginning).fetchall()
        roles = session.connection.execute(_ROLES, beginning).fetchall()
    found = []
    for name, comment, role_comment, limit, sessions in databases:
        mark = marks.decode(comment, owner) or marks.decode(role_comment, owner)
        if mark is not None:
            found.append(Found(_kind(mark, limit), name, mark.get("slot"), sessions, mark))
    for name, comment, sessions in roles:
        mark = marks.decode(comment, owner)
        if mark is not None:
            found.append(Found("role", name, mark.get("slot"), sessions, mark))
    return tuple(found)


def _kind(mark: Mapping[str, Any], limit: int) -> FoundKind:
    if limit == -2:
        return "half-dropped"
    if mark.get("kind") in {"spare", "retired"}:
        return mark["kind"]
    return "database" if mark.get("slot") else "template"


def reclaim(session: Session, templates: Templates, owner: str, found: Found) -> None:
    """Drop `found` when it still is what it was; raises Failure("not-ours") when it does not bear that mark."""
    is_role = found.kind == "role"
    standing = [thing for thing in take_inventory(session, owner) if thing.name == found.name]
    same = [thing for thing in standing if (thing.kind == "role") == is_role and thing.mark == found.mark]
    if same:
        _drop(session, templates, same[0])
    elif _exists(session, found.name, is_role=is_role):
        what = f"the {'role' if is_role else 'database'} {found.name} does not bear our mark"
        raise Failure("not-ours", what, why="it is another's, or was made anew since it was listed")


def _drop(session: Session, templates: Templates, found: Found) -> None:
    if found.kind == "role":
        with asking(f"cannot drop the role {found.name}"):
            session.run("drop role if exists {name}", name=found.name)
    elif "key" in found.mark and not found.slot:
        with templates.locked(str(found.mark["key"])):
            drop_database(session, found.name)
    else:
        drop_database(session, found.name)


def _exists(session: Session, name: str, *, is_role: bool) -> bool:
    table, column = ("pg_roles", "rolname") if is_role else ("pg_database", "datname")
    return bool(session.rows(f"select 1 from {table} where {column} = %s", [name]))  # noqa: S608 -- two fixed words
