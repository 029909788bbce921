"""Files of databases that were never finished.

A backend that is killed inside CREATE DATABASE leaves a folder `base/<oid>` that no row of pg_database names. No SQL
removes it, it survives crash recovery, and it is as large as what was copied. Postgres gives its number to no other
database while it stands. On a cluster of our own such a folder is ours, and it is stray when no row knows it and no
session is making or dropping a database; on anybody else's server we look at no files.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from resources.databases.session import Session, asking
from resources.databases.values import Found
from resources.system.errors import Failure

_BUSY = r"""
select count(*) from pg_stat_activity
 where state = 'active' and pid <> pg_backend_pid() and query ~* '\m(create|drop|alter)\s+database\M'
"""


def find_half_made(session: Session, cluster: Path | None) -> Iterator[Found]:
    """The stray folders of the cluster; `sessions` counts who might be at work on one."""
    if cluster is None:
        return
    # The folders first: one that appears after the question is not judged.
    folders = {entry.name: entry for entry in (cluster / "base").glob("*") if entry.name.isdigit()}
    with asking("cannot list the server's databases"):
        known = {str(oid) for (oid,) in session.rows("select oid from pg_database")}
        busy = session.rows(_BUSY)[0][0]
    for name in sorted(folders.keys() - known):
        mark = {"kind": "half-made", "at": f"{folders[name].stat().st_mtime:.0f}"}
        yield Found("half-made", f"base/{name}", None, busy, mark)


def remove_half_made(session: Session, cluster: Path | None, found: Found) -> None:
    """Delete a stray folder that still is one. Raises Failure("database-busy") while somebody may be at work on it."""
    standing = [each for each in find_half_made(session, cluster) if (each.name, each.mark) == (found.name, found.mark)]
    if not standing or cluster is None:
        return
    if standing[0].sessions:
        raise Failure("database-busy", f"somebody makes or drops a database, perhaps {found.name}")
    shutil.rmtree(cluster / found.name)
