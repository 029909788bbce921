"""pool …, db …: the slots and their databases."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from coordinator.bootstrap import Project
from coordinator.entrypoints.columns import table
from coordinator.entrypoints.scope_commands import slot_named
from coordinator.entrypoints.terminal import TERMINAL
from resources.databases.databases import Databases
from resources.system.errors import Failure
from resources.worktrees.pool import Slot
from resources.worktrees.view import View

pool = typer.Typer(help="The slots.", no_args_is_help=True)
db = typer.Typer(help="The databases of the slots.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(pool, name="pool")
    app.add_typer(db, name="db")


@pool.command("status")
def pool_status() -> int:
    """Every slot: state, view, database, ports."""
    project = TERMINAL.open()
    slots = [*project.pool.slots(), *project.pool.slots("gate")]
    rows = [(slot.name, slot.state, _view(slot), slot.database, slot.note) for slot in slots]
    lines = table(("SLOT", "STATE", "VIEW", "DATABASE", "NOTE"), rows, most=len(rows)) if rows else []
    value = [asdict(slot) | {"path": str(slot.path)} for slot in slots]
    for one in value:
        del one["home"]  # of a berth, and nobody else's business
    TERMINAL.answer(
        {"slots": value, "maximum": project.config.pool.maximum}, "\n".join(lines) or "no slots yet: agent-coord init"
    )
    return 0


def _view(slot: Slot) -> str:
    view = View.of(slot.view)
    return view.mode if view.mode == "full" else f"{view.mode} {view.shown}/{view.total} files"


@pool.command("scale-up")
def scale_up(count: int = typer.Argument(1, metavar="[N]")) -> int:
    """Make N more slots, up to [pool] maximum."""
    made = TERMINAL.open().pool.grow(count)
    TERMINAL.answer({"made": [slot.name for slot in made]}, f"made {', '.join(slot.name for slot in made)}")
    return 0


@pool.command("scale-down")
def scale_down(count: int = typer.Argument(1, metavar="[N]")) -> int:
    """Remove N idle slots, down to [pool] minimum."""
    gone = TERMINAL.open().pool.shrink(count)
    TERMINAL.answer({"removed": gone}, f"removed {', '.join(gone)}" if gone else "no idle slot above the minimum")
    return 0


@pool.command()
def approve() -> int:
    """Let the commands of [pool] setup and prove_view run in slots; asked for again when they change."""
    approved = TERMINAL.open().pool.approve()
    lines = [f"approved: {command}" for command in approved]
    TERMINAL.answer({"approved": approved}, "\n".join(lines) or "no command is configured")
    return 0


def _databases(project: Project) -> Databases:
    if project.databases is None:
        raise Failure(
            "no-databases",
            "this project uses no databases",
            why='[database] provider = "none"',
            mend=f"edit {project.config.file}",
        )
    return project.databases


@db.command()
def url(slot: str) -> int:
    """The DATABASE_URL of a slot."""
    project = TERMINAL.open()
    slot_named(project, slot)
    found = _databases(project).of(slot)
    if found is None:
        raise Failure("no-database", f"{slot} has no database", mend=f"agent-coord db reset {slot}")
    TERMINAL.answer(
        {"slot": slot, "database": found.name, "url": found.environment["DATABASE_URL"]},
        found.environment["DATABASE_URL"],
    )
    return 0


@db.command()
def reset(slot: str) -> int:
    """Give a slot a fresh database from the template of its own migrations."""
    project = TERMINAL.open()
    place = slot_named(project, slot)
    fresh = _databases(project).reset(slot, place.path)
    TERMINAL.answer({"slot": slot, "database": fresh.name}, f"{slot} has a fresh {fresh.name}")
    return 0


@db.command()
def template(rebuild: bool = typer.Option(False, "--rebuild", help="Build it again even if it is there.")) -> int:
    """The template that the migrations of the main checkout build."""
    project = TERMINAL.open()
    found = _databases(project).template(project.repository.root, rebuild=rebuild)
    TERMINAL.answer(asdict(found), f"{found.name} (key {found.key[:12]})")
    return 0


@db.command("list")
def list_() -> int:
    """Every database and role on the server that bears this project's mark."""
    project = TERMINAL.open()
    rows: list[dict[str, Any]] = [
        {"kind": one.kind, "name": one.name, "slot": one.slot, "sessions": one.sessions}
        for one in _databases(project).inventory()
    ]
    lines = [f"{row['kind']:13} {row['name']:44} {row['slot'] or '-':12} {row['sessions']} sessions" for row in rows]
    TERMINAL.answer({"databases": rows}, "\n".join(lines) or "nothing there")
    return 0
