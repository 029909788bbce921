"""Where `agent-coord` begins: fast commands first, before anything heavy is imported.

`status` is answered on the standard library alone (typer and what it brings cost 50 to 130 ms).
Everything else goes to the typer application.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

VALUED = ("--repo", "--config")
FLAGS = ("--json", "--quiet", "--verbose", "--no-color")


def main(argv: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    from resources.system.errors import Failure

    wants_json = "--json" in argv
    try:
        options, rest = _split(list(argv))
        if rest[:1] == ["status"] and all(word in FLAGS for word in rest[1:]):
            from coordinator.entrypoints.status import print_status

            return print_status(options.get("--repo"), wants_json=wants_json)
        from coordinator.entrypoints.app import run_app

        return run_app(list(argv))
    except Failure as failure:
        if wants_json:
            import json

            sys.stdout.write(json.dumps(failure.to_json()) + "\n")
        sys.stderr.write(failure.render() + "\n")
        return failure.exit_code
    except KeyboardInterrupt:
        sys.stderr.write(
            "interrupted; `agent-coord status` shows what is under way, `agent-coord doctor --fix` repairs\n"
        )
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:  # noqa: BLE001 - the last resort: our bug, told with a log
        from resources.system.crash import report_crash

        return report_crash("agent-coord", error)


def _split(argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """The global options in front of the command, and the rest from the command on."""
    options: dict[str, str] = {}
    while argv and argv[0].startswith("-"):
        word = argv.pop(0)
        name, equals, value = word.partition("=")
        if name in VALUED:
            options[name] = value if equals else (argv.pop(0) if argv else "")
        elif name not in FLAGS:
            return {}, []
    return options, argv
