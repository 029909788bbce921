"""The ways in which a server of a slot's own leaks, and what only looks like such a leak."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.leak_world import OLD, Made, World, keys, old_file
from benchmarks.lookalikes import Alike
from resources.databases.cluster import short_folders
from resources.databases.local import LocalProvider
from resources.databases.place import copy_cluster, discard_cluster, read_place
from resources.databases.postmaster import postmaster
from resources.system.process import ProcessId, is_alive


@dataclass(frozen=True)
class _Server:
    """One that runs: where it is at home, its process, its socket's folder, the shared memory that it has open."""

    slot: str
    home: Path
    process: ProcessId
    socket: Path
    memory: tuple[Path, ...]

    def gone(self) -> bool:
        """Whether nothing of it is left."""
        return not (is_alive(self.process) or any(path.exists() for path in (self.home, self.socket, *self.memory)))

    def kill(self) -> None:
        """End it with `kill -9`, and wait for its backends."""
        _kill(self.process)


def _prepared(world: World) -> _Server:
    import psutil

    slot = f"pool-wt-{1000 + world.number()}"
    world.databases.prepare(slot, world.root)
    home = world.servers / slot
    place = read_place(home)
    assert place is not None
    process = postmaster(Path(place.folder))
    assert process is not None
    # Not every system tells what a process has mapped; there the memory is not looked at.
    mapped = getattr(psutil.Process(process.pid), "memory_maps", list)()
    memory = tuple(Path(one.path) for one in mapped if one.path.startswith("/dev/shm/PostgreSQL."))
    return _Server(slot, home, process, Path(place.socket), memory)


def _kill(process: ProcessId) -> None:
    import psutil

    backends = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    while is_alive(process):
        time.sleep(0.01)
    psutil.wait_procs(backends, timeout=30)


def unknown_server(world: World) -> Made:
    """The server of a slot that no ledger knows."""
    one = _prepared(world)
    return Made(keys(("server", f"servers/{one.slot}")), one.gone)


def killed_server(world: World) -> Made:
    """The same, killed with `kill -9`: its socket and its shared memory are left."""
    one = _prepared(world)
    one.kill()
    return Made(keys(("server", f"servers/{one.slot}")), one.gone)


def lonely_socket(world: World) -> Made:
    """The socket of a killed server whose folder somebody deleted."""
    one = _prepared(world)
    one.kill()
    shutil.rmtree(one.home)
    os.utime(one.socket, (time.time() - OLD, time.time() - OLD))
    return Made(keys(("temporary", str(one.socket))), lambda: not one.socket.exists())


def half_copied(world: World) -> Made:
    """A copy of the golden cluster whose copier was killed."""
    home = world.servers / f"pool-wt-{1000 + world.number()}"
    old_file(home / "cluster.making" / "base" / "1" / "1259", "x" * 10_000)
    return Made(keys(("server", f"servers/{home.name}")), lambda: not home.exists())


def golden_left_running(world: World) -> Made:
    """The golden cluster serves on: whoever built a template in it was killed."""
    golden = LocalProvider(world.golden, "auto")
    golden.start()
    return Made(keys(("server", "golden")), golden.asleep)


KINDS: dict[str, Callable[[World], Made]] = {
    "unknown server": unknown_server,
    "killed server": killed_server,
    "lonely socket": lonely_socket,
    "half copied": half_copied,
    "golden left running": golden_left_running,
}


def server(world: World) -> Alike:
    """A user's own server, laid out as ours are."""
    home = world.scratch / "servers" / f"pool-wt-{5000 + world.number()}"
    copy_cluster(world.golden, home)
    one = LocalProvider(home, "auto")
    one.start()

    def remove() -> None:
        one.stop()
        discard_cluster(home)

    return Alike(lambda: (one.asleep(), sorted(path.name for path in home.iterdir())), remove)


def socket(world: World) -> Alike:
    """The folder of a socket of another repository, and one that nobody has marked."""
    folder = short_folders(os.geteuid()) / f"{world.watched.project[:8]}{world.number():04x}"
    home = world.random.choice(
        [None, world.scratch / "servers/pool-wt-1", Path(f"{world.state}2/postgres/servers/pool-wt-1")]
    )
    old_file(folder / "home" if home else folder / ".s.PGSQL.5432", str(home or ""))
    os.utime(folder, (time.time() - OLD, time.time() - OLD))
    return Alike(lambda: sorted(path.name for path in folder.iterdir()), lambda: shutil.rmtree(folder))


ALIKES: dict[str, Callable[[World], Alike]] = {"server": server, "socket": socket}
