"""The roles: one that owns what migrations make, and one for each slot.

Owning a database is not owning its tables: a clone keeps the template's owners. So templates are built by one role
(`…_app`) and every slot's role is a member of it, which lets a slot alter and truncate every table of its clone at
once. A slot may create databases (test runners do); what it creates belongs to its role and goes with the slot.

Making a role and marking it is one transaction: there is no role of ours without a mark.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from resources.databases import marks
from resources.databases.session import Session, asking

if TYPE_CHECKING:
    from psycopg.sql import Composable


def new_password() -> str:
    """A password of 144 random bits that needs no quoting in a URL."""
    return secrets.token_urlsafe(18)


def scram_verifier(password: str, salt: bytes = b"", rounds: int = 4096) -> str:
    """What the server keeps of an ASCII password (RFC 5803). OpenSSL makes it in 1 ms where libpq takes 10."""
    grains = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), grains, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    told = (base64.b64encode(part).decode() for part in (grains, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(rounds, *told)


def role_mark(session: Session, name: str) -> tuple[bool, str | None]:
    """Whether the role exists, and its comment."""
    rows = session.rows("select shobj_description(oid, 'pg_authid') from pg_roles where rolname = %s", [name])
    return bool(rows), rows[0][0] if rows else None


def put_app_role(session: Session, name: str, owner: str, password: str) -> None:
    """See that the owner of the templates exists and has `password`."""
    _put(session, name, password, marks.encode(owner, "app"), "login nocreatedb")


def put_slot_role(session: Session, name: str, mark: str, password: str, *, app: str, limit: int) -> None:
    """See that a slot's role exists, is a member of `app`, has `password` and at most `limit` connections."""
    from psycopg import sql

    options = sql.SQL("login createdb connection limit {}").format(sql.Literal(limit))
    member = sql.SQL("; grant {} to {}").format(sql.Identifier(app), sql.Identifier(name))
    _put(session, name, password, mark, options.as_string(), member)


def _put(session: Session, name: str, password: str, mark: str, options: str, more: Composable | None = None) -> None:
    from psycopg import sql

    exists, _ = role_mark(session, name)
    verb = sql.SQL("alter role" if exists else "create role")
    if not exists and not session.server.superuser:
        # Only a member may hand databases to the role and drop them again.
        more = sql.SQL("; grant {} to current_user").format(sql.Identifier(name)) + (more or sql.SQL(""))
    with asking(f"cannot make the role {name}"):
        # Sent together they are one transaction. The server gets a verifier, never the password: statements end up in
        # logs and in pg_stat_activity.
        session.run(
            "{verb} {name} {options} password {verifier}; comment on role {name} is {mark}{more}",
            verb=verb, name=name, options=sql.SQL(options), verifier=sql.Literal(scram_verifier(password)),  # ty: ignore[invalid-argument-type]
            mark=sql.Literal(mark), more=more or sql.SQL(""),
        )  # fmt: skip
