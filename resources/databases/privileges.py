"""How to run Postgres when we are root, which it refuses to be.

First choice: a user namespace of its own (`unshare -U`). The server then has no privilege and sees no uid 0,
the files stay root's, and no OS user is needed. Where namespaces are forbidden (some containers), the server
runs as `postgres` or `nobody`, in a folder that such a user can reach. We never create a user and never
open a parent folder to the world.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from resources.system.errors import Failure
from resources.system.process import run

_FALLBACK_USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Disguise:
    """What to put before a server command, and the (uid, gid) its folders must belong to (None: ours)."""

    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None


def disguise() -> Disguise:
    """How this user may run Postgres. Raises Failure("postgres-as-root") when root has no way to."""
    if os.geteuid() != 0:
        return Disguise()
    if sys.platform != "linux":
        raise _no_way("on this system root cannot hand a server to another user without making one")
    unshare = shutil.which("unshare")
    if unshare and _works((unshare, "-U")):
        return Disguise((unshare, "-U"))
    return _other_user()


def _works(prefix: tuple[str, ...]) -> bool:
    return run([*prefix, "true"], check=False, timeout=20).code == 0


def _other_user() -> Disguise:
    setpriv = shutil.which("setpriv")
    if not setpriv:
        raise _no_way("user namespaces are forbidden here and setpriv is not installed")
    for name in _FALLBACK_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        prefix = (setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
        if _works(prefix):
            return Disguise(prefix, (user.pw_uid, user.pw_gid))
    raise _no_way("user namespaces are forbidden here and there is no user postgres or nobody to run it as")


def _no_way(why: str) -> Failure:
    return Failure(
        "postgres-as-root", "PostgreSQL refuses to run as root", why=why,
        mend="run as an ordinary user, or set [database] dsn to a running server",
    )  # fmt: skip


def reaches(folder: Path, who: Disguise) -> bool:
    """Whether the server, run as `who`, could work in `folder`; a folder that stays ours serves only ourselves."""
    if not who.prefix:
        return True
    return who.owner is None and run([*who.prefix, "test", "-w", str(folder)], check=False, timeout=20).code == 0


def own_folder(folder: Path, who: Disguise | None = None) -> None:
    """Make `folder` for the server's eyes alone. Raises Failure("folder-not-ours") when somebody else made it.

    The check matters under /tmp, where anybody can make a folder of the name we are about to use.
    """
    owner = who.owner[0] if who and who.owner else os.geteuid()
    parents = [folder.parent] if folder.parent.name.startswith("agent-coord-") else []
    for place in (*parents, folder):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        seen = place.lstat()
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid not in {os.geteuid(), owner}:
            raise Failure(
                "folder-not-ours", f"{place} belongs to somebody else", mend="run as its owner, or move it away"
            )
    folder.chmod(0o700)
    hand_over(folder, who or Disguise())


def hand_over(path: Path, who: Disguise) -> None:
    """Give `path` to the user that the server runs as."""
    if who.owner is not None:
        os.chown(path, *who.owner)
