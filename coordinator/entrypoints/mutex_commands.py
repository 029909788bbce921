"""mutex …: programs that must not run side by side on this machine."""

from __future__ import annotations

import typer

from coordinator.entrypoints.terminal import TERMINAL
from coordinator.mutex import run_alone
from coordinator.wherein import here

mutex = typer.Typer(help="Programs that must not run side by side on this machine.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(mutex, name="mutex")


@mutex.command()
def run(
    command: list[str] = typer.Argument(..., metavar="-- COMMAND…"),
    name: str = typer.Option("tests", help="Programs under one name exclude each other, in all repositories."),
    wait: float = typer.Option(600.0, min=0.0, help="Seconds to wait for the one that runs."),
) -> int:
    """Run a program alone; the exit code is its own, or 4 when another one ran all the while."""
    return run_alone(TERMINAL.open(), here(), name, command, wait)
