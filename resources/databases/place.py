"""Where a cluster of our own lies, noted in its home; and whole clusters copied and thrown away.

A stopped cluster is a folder of files, so a copy of it is a cluster too, ready in a tenth of the time that initdb
takes. The note is written last: without it there is no cluster, and what lies there is made anew.

A socket, and a cluster that another user must run, may have to lie outside the home. Such a folder holds a file that
names its home, so that it is found when the home is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from resources.databases import cluster
from resources.databases.postmaster import PID_FILE, postmaster
from resources.databases.privileges import Disguise, disguise, hand_over, own_folder, reaches
from resources.system.files import replace_file

_COPIED = ("admin.secret", "app.json")
_HOME = "home"
"""The file, in a folder outside a home, that names the home."""


@dataclass(frozen=True)
class Place:
    """Where the cluster and its socket are; of its last start `boot` ("" before the first) and `tcp_port` (0: none)."""

    folder: str
    socket: str
    major: int
    boot: str = ""
    tcp_port: int = 0

    @property
    def port(self) -> int:
        """The port of the socket, and of TCP when it listens there."""
        return self.tcp_port or cluster.PORT


def read_place(home: Path) -> Place | None:
    """The place noted in `home`, None when there is no cluster."""
    try:
        return Place(**json.loads((home / "cluster.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def keep_place(home: Path, place: Place) -> None:
    """Note the place in `home`."""
    replace_file(home / "cluster.json", json.dumps(asdict(place)), mode=0o600)


def forget_contents(home: Path) -> None:
    """Delete what the home tells of a cluster's databases, because the next one has none: slots' logins, templates."""
    for record in (*(home / "slots").glob("*.json"), *(home / "templates").glob("*")):
        record.unlink()


def base_folder(home: Path, who: Disguise) -> Path:
    """The folder that holds the cluster: `home` itself unless the server's user cannot work there."""
    return home if reaches(home, who) else cluster.server_folder(home)


def own_part(folder: Path, home: Path, who: Disguise) -> None:
    """Make the folder of a cluster's part for the server's eyes alone, marked when it is outside the `home`."""
    own_folder(folder, who)
    if not folder.is_relative_to(home):
        replace_file(folder / _HOME, str(home), mode=0o600)


def drop_socket_folder(socket: Path) -> None:
    """Take away the folder of a stopped server's socket; one that holds anything else stays."""
    with contextlib.suppress(OSError):
        (socket / _HOME).unlink(missing_ok=True)
        socket.rmdir()


def left_outside(root: Path) -> Iterator[Path]:
    """The folders outside that belong to a home at or below `root` which has no cluster any more."""
    for folder in _outside():
        home = _home_of(folder)
        if home is not None and home.is_relative_to(root) and read_place(home) is None:
            yield folder


def _outside() -> list[Path]:
    return [*cluster.short_folders(os.geteuid()).glob("*"), *cluster.SERVERS.glob(f"{cluster.SERVER}*")]


def _home_of(folder: Path) -> Path | None:
    """The home that a folder of ours names; None for what anybody else may have put there."""
    try:
        return Path((folder / _HOME).read_text()) if (folder / _HOME).lstat().st_uid == os.geteuid() else None
    except (OSError, ValueError):
        return None


def cleared(base: Path) -> tuple[Path, Path]:
    """Where a cluster of `base` goes, and where it is put together; whatever was there is gone."""
    final, making = base / "cluster", base / "cluster.making"
    for leftover in (final, making):
        if leftover.exists():
            shutil.rmtree(leftover)
    return final, making


def settle(home: Path, making: Path, major: int, boot: str = "") -> Place:
    """Put the finished cluster `making` in its place and note it."""
    final = making.with_name("cluster")
    making.rename(final)
    inside = final.parent == home
    socket = cluster.socket_folder(home, os.geteuid()) if inside else final.parent / "socket"
    place = Place(str(final), str(socket), major, boot)
    keep_place(home, place)
    return place


def was_killed(home: Path) -> bool:
    """Whether the cluster's server is gone without having been stopped."""
    place = read_place(home)
    return place is not None and (Path(place.folder) / PID_FILE).exists() and postmaster(Path(place.folder)) is None


def copy_cluster(source: Path, target: Path) -> None:
    """Make a cluster in the home `target` from the one in `source`, which does not run."""
    place, who = read_place(source), disguise()
    assert place is not None, "the source has a cluster"
    own_folder(target)
    base = base_folder(target, who)
    own_part(base, target, who)
    _, making = cleared(base)
    shutil.copytree(place.folder, making, symlinks=True)
    if who.owner is not None:
        for path in (making, *making.rglob("*")):
            hand_over(path, who)
    for name in _COPIED:
        replace_file(target / name, (source / name).read_bytes(), mode=0o600)
    shutil.copytree(source / "templates", target / "templates", dirs_exist_ok=True)
    settle(target, making, place.major, place.boot)


def discard_cluster(home: Path) -> None:
    """Delete the home with its cluster, which does not run, and what it has outside. Repeatable."""
    (home / "cluster.json").unlink(missing_ok=True)
    for folder in _outside():
        if _home_of(folder) == home:
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
