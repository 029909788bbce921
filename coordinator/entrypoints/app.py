"""The typer application: global options, and one module per family of commands."""

from __future__ import annotations

from pathlib import Path

import typer

from coordinator.entrypoints import (
    base_commands,
    berth_commands,
    mail_commands,
    mutex_commands,
    pool_commands,
    queue_commands,
    scope_commands,
    task_commands,
    work_commands,
)
from coordinator.entrypoints.terminal import TERMINAL
from resources.system.door import run_typer

app = typer.Typer(
    name="agent-coord",
    help="Plan, isolate, watch and land the work of several coding agents in one repository.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for commands in (
    base_commands,
    work_commands,
    pool_commands,
    queue_commands,
    scope_commands,
    task_commands,
    mail_commands,
    mutex_commands,
    berth_commands,
):
    commands.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"agent-coord {version('agent-coord')}")
        raise typer.Exit


@app.callback()
def _global(
    repo: Path = typer.Option(Path(), help="The repository (default: the one around the working directory)."),
    config: Path | None = typer.Option(None, help="Another configuration than .agent-worktrees/config.toml."),
    json: bool = typer.Option(False, "--json", help="Answer as JSON."),
    quiet: bool = typer.Option(False, "--quiet", help="No narration on standard error."),
    verbose: bool = typer.Option(False, "--verbose", help="More narration."),
    no_color: bool = typer.Option(False, "--no-color", help="No colours."),
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and end."
    ),
) -> None:
    """Plan, isolate, watch and land the work of several coding agents in one repository."""
    TERMINAL.repo, TERMINAL.config = repo.absolute(), config.absolute() if config else None
    TERMINAL.json, TERMINAL.quiet, TERMINAL.verbose = json, quiet, verbose
    TERMINAL.colour = not no_color


def run_app(argv: list[str]) -> int:
    """Run a command line; returns its exit code. Raises Failure for the caller to render."""
    # The contract lets the global options stand behind the command too.
    end = argv.index("--") if "--" in argv else len(argv)
    moved = [word for word in argv[:end] if word in ("--json", "--quiet", "--verbose", "--no-color")]
    rest = [word for word in argv[:end] if word not in moved]
    return run_typer(app, [*moved, *rest, *argv[end:]], "agent-coord")
