"""The typer application of `track-analyzer`: help, and the reading of every command line that is not a plain one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import typer

from analyzer.options import ARGUMENTS, COMMANDS, FLAGS, OPTIONS, Options, options_from
from resources.system.door import run_typer

Run = Callable[[str, Options], int]


def run_app(argv: Sequence[str], run: Run) -> int:
    """Read the command line with typer and run the command; returns its exit code. Raises Misuse for wrong usage."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.callback(invoke_without_command=True)(_welcome)
    for name, told in COMMANDS.items():
        app.command(name, help=told)(_command(name, run))
    return run_typer(app, _command_first(argv) or ["--help"], "track-analyzer")


def _welcome(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    """What may be worked on at the same time, and why. Reads and proposes; changes nothing."""
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"track-analyzer {version_of('agent-coord')}")
        raise typer.Exit


def _command_first(argv: Sequence[str]) -> list[str]:
    """The same words with the command in front: the options may stand before it."""
    words = list(argv)
    valued = {f"--{key}" for key in OPTIONS if key not in FLAGS}
    for position, word in enumerate(words):
        if word in COMMANDS and not (position and words[position - 1] in valued):
            return [word, *words[:position], *words[position + 1 :]]
    return words


def _command(name: str, run: Run) -> Callable[..., int]:
    """A function whose signature tells typer the options of the command."""

    def command(**given: Any) -> int:
        return run(name, options_from(given))

    parameters = list(_parameters(name))
    vars(command)["__signature__"] = inspect.Signature(parameters)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _parameters(name: str) -> Iterator[inspect.Parameter]:
    for argument, metavar, told in ARGUMENTS.get(name, ()):
        is_list = argument == "ids"
        default = typer.Argument([] if is_list else ..., metavar=metavar, help=told)
        yield _parameter(argument, list[str] if is_list else str, default)
    for key, (kind, metavar, told) in OPTIONS.items():
        words: dict[str, Any] = {"min": 1} if kind is int else {}
        default = {bool: False, int: Options.slots}.get(kind)
        spelling = "--" + key.replace("_", "-")
        yield _parameter(key, kind, typer.Option(default, spelling, metavar=metavar or None, help=told, **words))


def _parameter(name: str, kind: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
