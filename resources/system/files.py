"""Files that are never seen half written, and locks that die with their holder.

`flock` is the lock everywhere: the kernel drops it when the holder dies, so no stale lock needs
cleaning. The holder's note inside the file is for the message of whoever waits, never the truth.

A git that we started goes on when we are killed. A lock that guards what git writes is therefore *inherited* by it:
the kernel then drops the lock when the last of both is gone, and nobody meets a git that still writes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from resources.system.errors import Failure, NotNow

_INHERITED: ContextVar[tuple[int, ...]] = ContextVar("inherited", default=())


def state_home() -> Path:
    """Where this user's programs keep state across repositories: `$XDG_STATE_HOME/agent-coord`."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "agent-coord"


def mutex_folder() -> Path:
    """Where the locks lie that exclude programs on this machine by name; made when it is missing."""
    folder = state_home() / "mutex"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def replace_file(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write `content` to `path` so that a reader sees the old or the new file, never a part.

    Raises Failure("disk-full") when there is no room; the old file is then untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise disk_failure(error, path) from error


def disk_failure(error: OSError, path: Path) -> Failure | OSError:
    """The Failure that `error` means when it tells of a full or read-only disk, else `error` itself."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Failure(
            "disk-full",
            f"no space left while writing {path}",
            why=str(error),
            mend="free some space, then repeat the command",
        )
    if error.errno == errno.EROFS:
        return Failure("read-only", f"{path} is on a read-only file system", why=str(error))
    return error


@contextmanager
def file_lock(
    path: Path,
    *,
    what: str,
    wait: float = 30.0,
    note: str = "",
    inherited: bool = False,
    keep: bool = True,
) -> Generator[None]:
    """Hold the exclusive lock file `path`; `what` names it in the refusal, `note` tells others who holds it.

    Waits up to `wait` seconds (0: one try). With `inherited` the programs to which `inherited_locks` is handed hold
    it too, until they end. The file stays for the next holder, or goes with this one when `keep` is false: for folders
    that are not ours. Raises NotNow("locked") with the holder's note when it stays taken.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _open_taken(path, what, wait)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, (note or f"pid {os.getpid()}").encode(), 0)
        mine = _INHERITED.set((*_INHERITED.get(), descriptor)) if inherited else None
        try:
            yield
        finally:
            if mine is not None:
                _INHERITED.reset(mine)
    finally:
        if not keep:
            path.unlink(missing_ok=True)  # while it is held: whoever got it meanwhile sees that it is gone
        os.close(descriptor)


def inherited_locks() -> tuple[int, ...]:
    """The descriptors of the locks that a program started here and now must hold as well."""
    return _INHERITED.get()


def is_orphaned(path: Path) -> bool:
    """Whether the process that took the lock `path` has died: then only what it had started can still hold it."""
    try:
        pid = int(path.read_text().removeprefix("pid "))
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False


def _open_taken(path: Path, what: str, wait: float) -> int:
    """The lock file, open and locked; again when it was taken away between the opening and the locking."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _take(descriptor, path, what, wait)
            if _is_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _take(descriptor: int, path: Path, what: str, wait: float) -> None:
    if wait == float("inf"):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 200, 0).decode(errors="replace")
                raise NotNow(
                    "locked",
                    f"{what} is held by {holder or 'another process'}",
                    why=str(path),
                    mend="wait for it to end, then repeat the command",
                ) from None
            time.sleep(0.01)
        else:
            return


def lock_is_held(path: Path) -> bool:
    """Whether some live process holds the lock file `path` now."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
