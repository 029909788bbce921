"""commit: what agents do in a shared checkout that they do with git elsewhere."""

from __future__ import annotations

import typer

from coordinator.committing import commit_files
from coordinator.entrypoints.terminal import TERMINAL
from coordinator.wherein import here


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(commit)


def commit(
    files: list[str] = typer.Argument(..., metavar="FILE…"),
    message: str = typer.Option(..., "--message", "-m", help="What was done; the issue's name is added when it lacks."),
) -> int:
    """In a shared checkout: commit these files of yours and nothing else, one agent at a time."""
    made = commit_files(TERMINAL.open(), here(), message, files)
    TERMINAL.answer({"commit": made, "files": files}, f"committed {len(files)} files as {made[:10]}")
    return 0
