"""Which process, if any, serves a data folder.

`postmaster.pid` outlives a crash and its pid may belong to another program by then. The server of a folder is
the process of that pid that is called postgres and works in the folder (a postmaster changes into it).
"""

from __future__ import annotations

from pathlib import Path

from resources.system.process import ProcessId, identify

PID_FILE = "postmaster.pid"


def postmaster(folder: Path) -> ProcessId | None:
    """The live server of the data folder, None when nothing serves it."""
    pid = _noted_pid(folder)
    return identify(pid) if pid is not None and _serves(pid, folder) else None


def forget_dead(folder: Path, socket: Path) -> None:
    """Remove the lock files of a dead server whose pid is taken: by another program, or by its own zombie.

    Postgres would refuse to start for them. It does so for a reason, a backend that outlived its server, so nothing
    is removed while any postgres works in the folder. A pid of no process at all is left to Postgres.
    """
    import psutil

    pid = _noted_pid(folder)
    if pid is None or not psutil.pid_exists(pid):
        return
    if any(_serves(one.pid, folder) for one in psutil.process_iter(["name"]) if _called_postgres(one.info["name"])):
        return
    for lock in (folder / PID_FILE, *socket.glob(".s.PGSQL.*.lock")):
        lock.unlink(missing_ok=True)


def _called_postgres(name: str | None) -> bool:
    return (name or "").startswith("postgres")


def _noted_pid(folder: Path) -> int | None:
    try:
        return int((folder / PID_FILE).read_text().split("\n")[0])
    except (OSError, ValueError):
        return None


def _serves(pid: int, folder: Path) -> bool:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or not _called_postgres(process.name()):
            return False
        return Path(process.cwd()).resolve() == folder.resolve()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        # A postgres that we may not look into: taking it for ours is the side that harms nothing.
        return True
