"""The daemon's lock file: one daemon per repository, and who it is.

The lock is a flock, so it dies with the daemon and is never stale; the note in it names the process.
"""

from __future__ import annotations

import json
from pathlib import Path

from resources.system.files import lock_is_held
from resources.system.process import ProcessId, is_alive
from resources.system.repository import Repository


def lock_file(repository: Repository) -> Path:
    """Where the lock is."""
    return repository.state / "daemon.lock"


def note(process: ProcessId) -> str:
    """What the daemon writes into its lock."""
    return json.dumps({"pid": process.pid, "start": process.start})


def daemon_process(repository: Repository) -> ProcessId | None:
    """The live daemon of the repository, None when there is none."""
    if not lock_is_held(lock_file(repository)):
        return None
    try:
        record = json.loads(lock_file(repository).read_text())
        process = ProcessId(int(record["pid"]), str(record["start"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return process if is_alive(process) else None
