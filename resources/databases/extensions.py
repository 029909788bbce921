"""Extensions that migrations ask for: known to be there before anything runs, and created when only we may.

The wheel brings two extensions where a system package brings 47, so the commonest surprise of a newcomer is a
migration that fails deep inside with a missing control file. We look first and name the line.
"""

from __future__ import annotations

from collections.abc import Sequence

from resources.databases.migrations import ExtensionUse
from resources.databases.provider import Provider
from resources.databases.session import Session, asking
from resources.system.errors import Failure

_UNTRUSTED = """
select v.name from pg_available_extension_versions v
  join pg_available_extensions e on e.name = v.name and e.default_version = v.version
 where v.superuser and not v.trusted and v.name = any(%s)
"""


def require_available(session: Session, wanted: Sequence[ExtensionUse]) -> None:
    """Raise Failure("extension-missing") when the server lacks an extension that a migration creates."""
    with asking("cannot list the server's extensions"):
        there = {name for (name,) in session.rows("select name from pg_available_extensions")}
    missing = [use for use in wanted if use.name not in there]
    if not missing:
        return
    first, server = missing[0], session.server
    names = ", ".join(sorted({use.name for use in missing}))
    raise Failure(
        "extension-missing",
        f"{first.path}:{first.line} creates the extension {first.name}, which the server does not have",
        why=f"missing on {server.origin}, PostgreSQL {server.major}: {names}",
        mend='install PostgreSQL with its contrib extensions and set [database] binaries = "system", or give a dsn, '
        'or set provider = "container" and an image that has it',
    )  # fmt: skip


def create_untrusted(session: Session, provider: Provider, database: str, wanted: Sequence[ExtensionUse]) -> None:
    """Create in `database` the extensions that only a superuser may, when we are one.

    The migration's own CREATE EXTENSION IF NOT EXISTS then finds them there.
    """
    from psycopg import sql

    with asking(f"cannot create extensions in {database}"):
        names = session.rows(_UNTRUSTED, [[use.name for use in wanted]]) if session.server.superuser else []
        if not names:
            return
        with provider.connect(database) as connection:
            for (name,) in names:
                connection.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(name)))
