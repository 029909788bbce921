"""Folders that are deleted by renaming them, at once, and taken off the disk by a process that nobody waits for.

A tree of 92,000 files takes seconds to delete, on a disk mounted with `discard` minutes. One deleter runs at a time:
it holds the trash's lock, which it inherits, and goes on until it finds nothing more. What it was killed over, or may
not delete (package caches are read-only at times), lies there until `empty` finds the lock free.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from resources.system.errors import NotNow
from resources.system.files import file_lock, inherited_locks, lock_is_held
from resources.system.process import leave_running

TRASH = "trash-"

_DELETE = f'cd -- "$1" && while ls -d {TRASH}*-* >/dev/null 2>&1; do rm -rf -- {TRASH}*-* || exit; done'


def throw_away(folder: Path) -> None:
    """Rename a slot's folder out of everybody's way, whatever still writes in it. No error when it is gone."""
    with contextlib.suppress(FileNotFoundError):
        folder.rename(folder.parent / f"{TRASH}{folder.name}-{secrets.token_hex(4)}")


def start_deleting(state: Path, folder: Path) -> None:
    """Have what was thrown away in `folder` deleted in the background; `state` is where the lock lies."""
    if not any(folder.glob(f"{TRASH}*-*")):
        return
    with contextlib.suppress(NotNow), file_lock(_lock(state), what="the trash", wait=0, inherited=True):
        leave_running(["sh", "-c", _DELETE, "sh", str(folder)], cwd=folder, keep=inherited_locks()[-1:])


def is_deleting(state: Path) -> bool:
    """Whether a deleter is at work."""
    return lock_is_held(_lock(state))


def empty(state: Path, folder: Path, *, wait: float = 0) -> list[str]:
    """Delete what was thrown away, here and now; returns the names of what is gone.

    Waits up to `wait` seconds for a deleter that is at work; [] while there is one. What resists stays.
    """
    try:
        with file_lock(_lock(state), what="the trash", wait=wait):
            return [trash.name for trash in sorted(folder.glob(f"{TRASH}*-*")) if _delete(trash)]
    except NotNow:
        return []


def _lock(state: Path) -> Path:
    return state / "trash.lock"


def _delete(trash: Path) -> bool:
    shutil.rmtree(trash, ignore_errors=True)
    if trash.exists():
        for place, _, _ in os.walk(trash):
            with contextlib.suppress(OSError):
                Path(place).chmod(0o700)
        shutil.rmtree(trash, ignore_errors=True)
    return not trash.exists()
