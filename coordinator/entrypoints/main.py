"""Where `agent-coord` begins: fast commands first, before anything heavy is imported.

`status` is answered on the standard library alone (typer and what it brings cost 50 to 130 ms).
Everything else goes to the typer application.
"""

from __future__ import annotations

from collections.abc import Sequence

from resources.system.door import leave

VALUED = ("--repo", "--config")
FLAGS = ("--json", "--quiet", "--verbose", "--no-color")


def main(argv: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    return leave("agent-coord", argv, lambda: _dispatch(list(argv)))


def _dispatch(argv: list[str]) -> int:
    options, rest = _split(list(argv))
    if rest[:1] == ["status"] and all(word in FLAGS for word in rest[1:]):
        from coordinator.entrypoints.status import print_status

        return print_status(options.get("--repo"), wants_json="--json" in argv)
    from coordinator.entrypoints.app import run_app

    return run_app(argv)


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
