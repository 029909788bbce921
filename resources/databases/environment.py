"""What a slot sees of its database: the variables, and the record they come from.

Every stack finds one of DATABASE_URL and the PG* variables of libpq. The record of a slot is a file of
mode 0600 in the owner's folder, so the variables are known without asking the server. The password keeps
one slot's mistakes out of another slot's database; agents run as the same user as we do, so it is no
defence against a malicious one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from resources.databases.values import Database
from resources.system.files import replace_file

MISLEADING = ("PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGOPTIONS", "PGPASSFILE", "PGSSLMODE")
"""Variables that would lead a client elsewhere; a program started for a slot must not inherit them."""


@dataclass(frozen=True)
class Login:
    """How one role reaches one database."""

    host: str
    port: int
    database: str
    role: str
    password: str = field(repr=False)
    sslmode: str = ""


def variables(login: Login) -> dict[str, str]:
    """DATABASE_URL and the PG* variables for `login`."""
    found = {
        "DATABASE_URL": url(login),
        "PGHOST": login.host,
        "PGPORT": str(login.port),
        "PGDATABASE": login.database,
        "PGUSER": login.role,
        "PGPASSWORD": login.password,
    }
    return {**found, "PGSSLMODE": login.sslmode} if login.sslmode else found


def url(login: Login) -> str:
    """`login` as a URL. A socket folder goes into the query, the one form that all common drivers read."""
    who = f"{quote(login.role, safe='')}:{quote(login.password, safe='')}"
    name = quote(login.database, safe="")
    query = {"sslmode": login.sslmode} if login.sslmode else {}
    if login.host.startswith("/"):
        query = {"host": login.host, "port": str(login.port), **query}
        place = ""
    else:
        host = f"[{login.host}]" if ":" in login.host else login.host
        place = f"{host}:{login.port}"
    return f"postgresql://{who}@{place}/{name}" + (f"?{urlencode(query, safe='/')}" if query else "")


def database(login: Login, source: str = "") -> Database:
    """The public value for `login`."""
    return Database(login.database, login.role, variables(login), source)


def write_login(path: Path, login: Login) -> None:
    """Keep `login` at `path`, readable by its owner alone."""
    replace_file(path, json.dumps(asdict(login), indent=1), mode=0o600)


def read_login(path: Path) -> Login | None:
    """The login kept at `path`; None when there is none or it is damaged (it is then made anew)."""
    try:
        facts: Mapping[str, object] = json.loads(path.read_text())
        return Login(**facts)  # ty: ignore[invalid-argument-type]
    except (OSError, ValueError, TypeError):
        return None
