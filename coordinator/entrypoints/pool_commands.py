"""pool …, scope …, db …: the slots, what they show, their databases."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import Any

import typer

from analyzer.imports import closure
from analyzer.tree import Tree
from coordinator.attempts import read_main
from coordinator.bootstrap import Project
from coordinator.entrypoints.terminal import TERMINAL
from coordinator.guard.widening import Asked, lease_of, widen
from coordinator.mail import reservations
from coordinator.wherein import here
from resources.databases.databases import Databases
from resources.state import leases
from resources.state.store import Row
from resources.system.clock import iso
from resources.system.errors import Failure, Misuse
from resources.system.git import tracked_files
from resources.worktrees.pool import Slot
from resources.worktrees.view import View, resolve

pool = typer.Typer(help="The slots.", no_args_is_help=True)
scope = typer.Typer(help="What a slot shows and its agent may write.", no_args_is_help=True)
db = typer.Typer(help="The databases of the slots.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(pool, name="pool")
    app.add_typer(scope, name="scope")
    app.add_typer(db, name="db")


@pool.command("status")
def pool_status() -> int:
    """Every slot: state, view, database, ports."""
    project = TERMINAL.open()
    slots = [*project.pool.slots(), *project.pool.slots("gate")]
    lines = [
        f"{slot.name:14} {slot.state:11} {_view(slot):24} {slot.database or '-':32} {slot.note}".rstrip()
        for slot in slots
    ]
    value = [asdict(slot) | {"path": str(slot.path)} for slot in slots]
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


@scope.command()
def show(slot: str) -> int:
    """What a slot shows, what its agent holds, and how it came by it."""
    project = TERMINAL.open()
    found = _slot(project, slot)
    with project.ledger.read() as snapshot:
        lease = snapshot.one("lease-live", kind="slot", resource=slot)
        held = [one for one in reservations.live(snapshot) if lease and one.issue == lease["issue"]]
        asked = [row for kind in ASKED for row in snapshot.all("events-of-kind", kind=kind) if row["slot"] == slot]
    view = View.of(found.view)
    mode = project.config.scope.enforce
    lines = [f"{slot} shows {view.shown or 'all'} of {view.total or 'all'} files ({view.mode}); scopes: {mode}"]
    lines += [f"  {place}" for place in (*view.directories, *view.patterns)]
    lines += ["held for writing:", *map(_hold_line, held)] if held else ["nothing is reserved for it"]
    since = lease["taken_at"] if lease else 0.0
    history = [_asked(row) for row in sorted(asked, key=lambda row: row["seq"]) if lease and row["at"] >= since]
    lines += [f"  {one['what']}: {', '.join(one['patterns'])} ({one['why']})" for one in history]
    write = [one.pattern for one in held]
    value = {"slot": slot, "view": view.to_json(), "write": write, "enforce": mode, "asked": history}
    TERMINAL.answer(value, "\n".join(lines))
    return 0


ASKED = ("scope.granted", "scope.widened", "scope.refused")


def _hold_line(one: reservations.Reservation) -> str:
    how = "a guess" if one.predicted else "shared" if one.shared else "alone"
    return f"  {one.pattern}  ({how}, until {iso(one.expires_at)})"


def _asked(row: Row) -> dict[str, Any]:
    data = json.loads(row["data"])
    why = data.get("because") or data.get("why", "")
    return {"what": row["kind"].removeprefix("scope."), "patterns": data.get("patterns") or data["paths"], "why": why}


@scope.command("widen")
def widen_(
    words: list[str] = typer.Argument(..., metavar="[SLOT|ISSUE] PATTERN…"),
    why: str = typer.Option(..., help="Why, for whoever reads the log."),
) -> int:
    """Ask for paths beyond the scope of a slot (inside one: of its own); granted, or refused with the holder's name."""
    project = TERMINAL.open()
    name, patterns = _who_and_what(project, words)
    lease = lease_of(project.ledger, name)
    slot = _slot(project, lease.resource)
    granted = widen(project.ledger, project.config.scope, Asked(lease, slot.path, tuple(patterns), why))
    if View.of(slot.view).mode != "full":
        project.pool.widen(slot.name, granted)
    text = f"{lease.agent} may write {', '.join(granted)} for {lease.issue}"
    TERMINAL.answer({"slot": slot.name, "issue": lease.issue, "granted": granted}, text)
    return 0


def _who_and_what(project: Project, words: list[str]) -> tuple[str, list[str]]:
    with project.ledger.read() as snapshot:
        held = leases.live(snapshot, "slot")
    if words[0] in {name for lease in held for name in (lease.resource, lease.issue)}:
        name, patterns = words[0], words[1:]
    else:
        inside = next((slot.name for slot in project.pool.slots() if slot.path == project.repository.here), "")
        name, patterns = here().slot or inside, words
    if not name or not patterns:
        raise Misuse(
            "which-slot" if patterns else "no-pattern",
            "outside of a slot, scope widen needs the slot or the issue" if patterns else "no pattern was given",
            mend="agent-coord scope widen SLOT PATTERN --why TEXT",
        )
    return name, patterns


@scope.command("apply")
def apply_(
    slot: str,
    patterns: list[str] = typer.Argument(..., metavar="PATTERN…"),
    mode: str = typer.Option("exact", help="exact (these patterns), closure (with what they import), auto or full"),
) -> int:
    """Make a slot show these patterns (root files, manifests and the tracker always stay visible)."""
    if mode not in ("exact", "closure", "auto", "full"):
        raise Misuse("usage", f"no view is called {mode}", mend="--mode exact, closure, auto or full")
    project = TERMINAL.open()
    found = _slot(project, slot)
    tree = tracked_files(found.path)
    settings = project.config.pool
    needed: Iterable[str] = ()
    if mode in ("closure", "auto"):
        index = Tree(tree)
        start = [path for pattern in patterns for path in index.covered(pattern.rstrip("/"))]
        needed = [*patterns, *closure(start, partial(read_main, project), tree)]
    wanted = resolve(
        mode, tree, directories=needed, patterns=patterns, always=settings.always, hide_at_least=settings.hide_at_least
    )
    view = project.pool.show(slot, wanted)
    shown = View.of(view.view)
    TERMINAL.answer({"slot": slot, "view": shown.to_json()}, f"{slot} shows {shown.shown} of {shown.total} files")
    return 0


def _slot(project: Project, name: str) -> Slot:
    for slot in (*project.pool.slots(), *project.pool.slots("gate")):
        if slot.name == name:
            return slot
    known = ", ".join(slot.name for slot in project.pool.slots())
    raise Failure("no-such-slot", f"there is no slot {name}", why=f"known: {known}", mend="agent-coord pool status")


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
    _slot(project, slot)
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
    place = _slot(project, slot)
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
