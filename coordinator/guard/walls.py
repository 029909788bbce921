"""Walls around an agent's process, for those who want more than a guard: the system itself refuses other writes.

    bwrap      bubblewrap, where it is installed and user namespaces are allowed
    landlock   Linux 6.2 and newer, any user, nothing to install (`landlock`); it keeps what files hold and what they
               are called, not their modes and times

Inside, writing reaches the slot, its own git folder, the object store, the refs and reflogs below the slot's own
prefix, a temporary folder of its own (TMPDIR), and what the configuration names (caches, the program's own home). The
ledger's files stay open to it, because guards and `scope widen` run inside as well; so a wall keeps an agent off other
people's files and not off the coordinator's books. Reading is not restricted. The gate runs outside of the wall.

Bubblewrap started by root would leave root its powers, and with them the way to mount all of it writable again and to
other processes' roots below /proc; so it gets a user namespace and no powers, whoever starts it.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coordinator.guard import landlock
from coordinator.guard.places import git_folder
from coordinator.guard.posts import admin_folder
from coordinator.guard.settings import ScopeSettings
from coordinator.mail.alarm import FILE
from resources.system.errors import Failure
from resources.system.files import mutex_folder
from resources.system.process import run
from resources.system.repository import Repository
from resources.worktrees.slots import branches_of

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/shm", "/dev/fd")  # noqa: S108
BWRAP = ("bwrap", "--unshare-user", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev")
LEDGER = ("ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm", "ledger.lock", "ledger.queue", FILE)


@dataclass(frozen=True)
class Offer:
    """What this machine offers: the kinds of wall that work, best first, and for each other one why it does not."""

    kinds: tuple[str, ...]
    missing: dict[str, str]


def offered() -> Offer:
    """Look at the machine; costs a few milliseconds where bwrap is installed."""
    kinds, missing = [], {}
    if shutil.which("bwrap") is None:
        missing["bwrap"] = "bubblewrap is not installed"
    elif (tried := run([*BWRAP, "true"], check=False, timeout=10)).code != 0:
        missing["bwrap"] = tried.complaint or "it does not work here"
    else:
        kinds.append("bwrap")
    version = landlock.abi()
    if version >= landlock.NEEDED_ABI:
        kinds.append("landlock")
    else:
        missing["landlock"] = f"the kernel offers version {version}, {landlock.NEEDED_ABI} is needed (Linux 6.2)"
    return Offer(tuple(kinds), missing)


def choose_wall(wanted: str) -> str:
    """The kind of wall that the setting means here; "none" where "auto" finds nothing. Raises Failure("no-wall")."""
    if wanted == "none":
        return "none"
    offer = offered()
    if wanted == "auto":
        return offer.kinds[0] if offer.kinds else "none"
    if wanted not in offer.kinds:
        raise Failure(
            "no-wall",
            f"the wall {wanted} cannot be had on this machine, so no agent is started",
            why=offer.missing[wanted],
            mend='set [scope] wall = "auto" or "none" in .agent-worktrees/config.toml',
        )
    return wanted


def writable(repository: Repository, settings: ScopeSettings, slot: Path) -> list[str]:
    """The places that a wall leaves open to the agent of a slot; folders of ours among them are made."""
    refs = [repository.common / part / "heads" / branches_of(slot.name).rstrip("/") for part in ("refs", "logs/refs")]
    own = [temporary_folder(slot), *refs]
    # Git takes an empty folder of refs away, and the hole in the wall would go with it: what it skips keeps the folder.
    for folder in (own[0], *(one / ".open" for one in refs)):
        folder.mkdir(parents=True, exist_ok=True)
    places = [slot, Path(git_folder(str(slot))), repository.common / "objects", mutex_folder(), *own]
    ledger = [repository.state / name for name in LEDGER]
    wanted = [Path(place).expanduser() for place in settings.wall_writes]
    return [str(place) for place in (*places, *ledger, *wanted, *map(Path, DEVICES))]


def temporary_folder(slot: Path) -> Path:
    """Where programs behind a wall keep their temporary files."""
    return admin_folder(slot) / "tmp"


def walled(kind: str, argv: Sequence[str], slot: Path, places: Sequence[str]) -> tuple[str, ...]:
    """The command line that runs `argv` behind a wall of that kind.

    Behind it the ledger's files must stay the very files that were let through: see `landlock` on holding one.
    """
    held = [place for place in places if place.endswith(f"/{LEDGER[0]}")]
    if kind == "landlock":
        named = [word for place in places for word in ("--write", place)]
        named += [word for file in held for word in ("--hold", file)]
        return (sys.executable, "-I", "-S", str(Path(landlock.__file__).resolve()), *named, "--", *argv)
    if kind == "bwrap":
        there = [place for place in places if place not in DEVICES and Path(place).exists()]
        bound = [word for place in there for word in ("--bind", place, place)]
        bound += [word for file in held for word in ("--lock-file", file)]
        return (*BWRAP, *bound, "--chdir", str(slot), *argv)
    return tuple(argv)
