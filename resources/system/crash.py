"""The last resort: an exception that nobody foresaw is our bug, and leaves a log that a report can quote."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from resources.system.clock import iso, wall
from resources.system.files import state_home

EXIT_CODE = 3


def report_crash(command: str, error: BaseException) -> int:
    """Write versions and traceback of `error` to a log, name the log on stderr; returns the exit code."""
    text = "".join(
        [
            f"{command} ended with an error that is our bug, {iso(wall())}\n",
            f"agent-coord {_version()}, Python {platform.python_version()}, {platform.platform()}\n\n",
            *traceback.format_exception(error),
        ]
    )
    log = _write(text)
    sys.stderr.write(f"error: {type(error).__name__}: {error}  [our-bug]\n")
    sys.stderr.write(
        f"  why:  this is a bug of {command}; nothing was left half done that the next command cannot repair\n"
    )
    sys.stderr.write(f"  mend: report it with {log}\n" if log else text)
    return EXIT_CODE


def _version() -> str:
    try:
        return version("agent-coord")
    except PackageNotFoundError:
        return "(not installed)"


def _write(text: str) -> Path | None:
    for folder in (state_home(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder, prefix="crash-", suffix=".log")
            with os.fdopen(handle, "w") as stream:
                stream.write(text)
        except OSError:
            continue
        return Path(name)
    return None
