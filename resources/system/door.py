"""How every command of ours ends: one rendering of errors, one set of exit codes.

0 done, 1 to 4 as the error's class says (`errors.py`), 3 for our own bugs (a log is written and named),
130 for Ctrl-C. Under `--json` the error is the answer on stdout as well.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from resources.system.errors import Failure, Misuse

INTERRUPTED = 130


def leave(command: str, argv: Sequence[str], run: Callable[[], int]) -> int:
    """Run a command to its end, whatever that is; returns the exit code."""
    try:
        return run()
    except Failure as failure:
        if "--json" in argv:
            sys.stdout.write(json.dumps(failure.to_json()) + "\n")
        sys.stderr.write(failure.render() + "\n")
        return failure.exit_code
    except KeyboardInterrupt:
        sys.stderr.write(f"{command} was interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 -- the last door: a bug becomes a log that the message names
        from resources.system.crash import report_crash

        return report_crash(command, error)


def run_typer(app: Any, argv: Sequence[str], command: str) -> int:
    """Run a typer application; returns its exit code. Raises Misuse("usage"), KeyboardInterrupt."""
    import typer

    # Its own class for wrong usage is not public in every version of typer; a public one derives from it.
    wrong_usage: Any = typer.BadParameter.__base__
    try:
        code = typer.main.get_command(app)(list(argv), prog_name=command, standalone_mode=False)
    except wrong_usage as error:
        raise Misuse("usage", error.format_message(), mend=f"{command} --help") from error
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0
