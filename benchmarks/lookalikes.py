"""Things that look like ours and are somebody else's: each must stand untouched when the leaks beside it have gone.

A maker returns how to tell that its thing is what it was, and how to take it away after the round.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.leak_world import World, old_file, slot_folder
from resources.system.process import is_alive
from resources.worktrees.host_ports import leased_to, open_book
from tests.support import watched as build


@dataclass(frozen=True)
class Alike:
    """`state` tells all that may not change of a thing; `remove` takes it away after the round."""

    state: Callable[[], object]
    remove: Callable[[], object]


def database(world: World) -> Alike:
    """A user's database with a name like ours, and perhaps a comment like our marks."""
    name = f"a_project_wt_{world.number()}"
    comment = world.random.choice(
        [
            "",
            "agent_coord: do not drop",
            '{"agent_coord": "somebody else", "kind": "slot", "slot": "pool-wt-999"}',
            f'{{"agent_coord": "{world.watched.project}0", "kind": "retired", "at": "1"}}',
            f'see {{"agent_coord": "{world.watched.project}", "kind": "retired", "at": "1"}}',
        ]
    )
    what = world.random.choice(["database", "role"])
    world.sql(f"create {what} {{}}", name)
    world.sql(f"comment on {what} {{}} is {{comment}}", name, comment=comment)
    table, column, catalogue = (
        ("pg_roles", "rolname", "pg_authid") if what == "role" else ("pg_database", "datname", "pg_database")
    )
    query = f"select oid, shobj_description(oid, '{catalogue}') from {table} where {column} = %s"
    return Alike(
        lambda: world.admin.execute(query, [name]).fetchall(),
        lambda: world.sql(f"drop {what} {{}}", name),
    )


def worktree(world: World) -> Alike:
    """A user's worktree: in our folder without our lock, with another reason, or with our reason in another folder."""
    name = f"pool-wt-{5000 + world.number()}"
    folder, lock = world.random.choice(
        [(world.folder, ()), (world.folder, ("mine",)), (world.scratch, ("agent-coord",))]
    )
    path = folder / name
    reason = ("--lock", "--reason", *lock) if lock else ()
    world.git("worktree", "add", "--quiet", "--detach", *reason, str(path))
    (path / "theirs.txt").write_text("theirs\n")
    return Alike(
        lambda: (sorted(one.name for one in path.iterdir()), path in _registered(world)),
        lambda: world.git("worktree", "remove", "--force", "--force", str(path)),
    )


def _registered(world: World) -> list[Path]:
    lines = world.git("worktree", "list", "--porcelain").splitlines()
    return [Path(line.removeprefix("worktree ")) for line in lines if line.startswith("worktree ")]


def branch(world: World) -> Alike:
    """A user's branch with a name near to ours, or one of ours that the user has checked out."""
    number = world.number()
    forms = ("agent/notes-{}", "agent/pool-wt-3/bd-{}", "agent/mine-{}/bd-1/1", "feature/agent/pool-wt-1/bd-{}/1")
    name = world.random.choice([*forms, "agent/pool-wt-70/bd-{}/1"]).format(number)
    world.git("branch", name, world.git("commit-tree", "main^{tree}", "-p", "main", "-m", name))
    path = world.scratch / f"look-{number}"
    if name.startswith("agent/pool-wt-70/"):
        world.git("worktree", "add", "--quiet", str(path), name)

    def remove() -> None:
        if path.exists():
            world.git("worktree", "remove", str(path))
        world.git("branch", "--delete", "--force", name)

    return Alike(lambda: world.ref(f"refs/heads/{name}"), remove)


def process(world: World) -> Alike:
    """A process like an agent's: without our mark, or with one that is nearly ours."""
    project = world.watched.project
    mark = world.random.choice([None, "another-project:99", f"{project}0:99", f"{project}:none", f"{project[:-1]}:99"])
    one = build.orphan(mark)
    return Alike(lambda: is_alive(one.id), lambda: os.kill(one.id.pid, signal.SIGKILL))


def git_lock(world: World) -> Alike:
    """An old lock of the main checkout, a young one in a slot, or an old one that somebody has open."""
    which = world.random.randrange(3) if world.has_slot() else 0
    path = world.common / "index.lock" if which == 0 else slot_folder(world, world.slot()) / "HEAD.lock"
    if which == 1:
        path.write_text("")
    else:
        old_file(path)
    stream = path.open() if which == 2 else None

    def remove() -> None:
        path.unlink()
        if stream is not None:
            stream.close()

    return Alike(lambda: path.stat().st_mtime, remove)


def file(world: World) -> Alike:
    """A user's old file with a name like those that our writers leave."""
    salt = f"{world.number():08x}"
    path = world.random.choice(
        [
            world.folder / f".env.{salt}",
            world.folder / f"notes.{salt}",
            world.folder / f"trash{salt}",
            world.root / f".config.toml.{salt}",
            world.state / f"notes.{salt}",
            world.folder / f"my-{salt}" / "README",
        ]
    )
    old_file(path, "theirs")

    def remove() -> None:
        path.unlink()
        if path.parent.name.startswith("my-"):
            path.parent.rmdir()

    return Alike(path.read_text, remove)


def repository(world: World) -> Alike:
    """A repository that the user cloned into our folder."""
    import shutil

    path = world.folder / f"my-clone-{world.number()}"
    world.git("clone", "--quiet", str(world.root), str(path))
    return Alike(lambda: world.git("rev-parse", "HEAD", at=path), lambda: shutil.rmtree(path))


def reservation(world: World) -> Alike:
    """A reservation of a living process whose term goes on."""
    pattern = f"docs/{world.number()}/**"
    build.reserve(world.watched.ledger, pattern, 600.0)

    def rows() -> list[dict[str, object]]:
        with world.watched.ledger.read() as snapshot:
            return [row for row in snapshot.all("reservations-live") if row["pattern"] == pattern]

    def remove() -> None:
        (row,) = rows()
        with world.watched.ledger.write() as tx:
            tx.change("reservation-release", id=row["id"], now_at=0)

    return Alike(rows, remove)


def ports(world: World) -> Alike:
    """The ports of another repository of this user."""
    other = world.scratch / f"other-{world.number()}"
    other.mkdir()
    with open_book(other) as book:
        book.keep([(62000, 62009)])
    return Alike(lambda: leased_to(other), other.rmdir)


def files_of_a_database(world: World) -> Alike:
    """The files of a database that some session is making this very minute."""
    cluster = Path(world.admin.execute("show data_directory").fetchone()[0])
    path = cluster / "base" / str(3_500_000_000 + world.number())
    path.mkdir()
    return Alike(path.is_dir, path.rmdir)


ALIKES: dict[str, Callable[[World], Alike]] = {
    "worktree": worktree,
    "branch": branch,
    "process": process,
    "file": file,
    "repository": repository,
    "reservation": reservation,
    "ports": ports,
    "git lock": git_lock,
}
ON_A_SERVER = {"database": database, "files of a database": files_of_a_database}
"""Those that need the server that slots share."""
