"""scope …: what a slot shows and its agent may write."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import Any

import typer

from analyzer.scopes.imports import closure
from analyzer.scopes.tree import Tree
from coordinator.bootstrap import Project
from coordinator.entrypoints.terminal import TERMINAL
from coordinator.guard.foresight import changed_in, foresee
from coordinator.guard.widening import Asked, lease_of, widen
from coordinator.mail import reservations
from coordinator.running.views import read_main
from coordinator.wherein import here
from resources.state import leases
from resources.state.store import Row
from resources.system.clock import iso
from resources.system.errors import Failure, Misuse
from resources.system.git import tracked_files
from resources.worktrees.pool import Slot
from resources.worktrees.view import View, resolve

scope = typer.Typer(help="What a slot shows and its agent may write.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(scope, name="scope")


@scope.command()
def show(slot: str) -> int:
    """What a slot shows, what its agent holds, and how it came by it."""
    project = TERMINAL.open()
    found = slot_named(project, slot)
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
    name, patterns = _who_and_what(project, words, "widen")
    if not patterns:
        raise Misuse("no-pattern", "no pattern was given", mend="agent-coord scope widen SLOT PATTERN --why TEXT")
    lease = lease_of(project.ledger, name)
    slot = slot_named(project, lease.resource)
    granted = widen(project.ledger, project.config.scope, Asked(lease, slot.path, tuple(patterns), why))
    if View.of(slot.view).mode != "full":
        project.pool.widen(slot.name, granted)
    text = f"{lease.agent} may write {', '.join(granted)} for {lease.issue}"
    TERMINAL.answer({"slot": slot.name, "issue": lease.issue, "granted": granted}, text)
    return 0


@scope.command()
def check(
    words: list[str] = typer.Argument(None, metavar="[SLOT|ISSUE] [PATH…|REV..REV]"),
    staged: bool = typer.Option(False, "--staged", help="What is staged in the slot."),
) -> int:
    """Whether paths would be refused: these, those of commits, or all that the slot has changed. Reserves nothing."""
    project = TERMINAL.open()
    name, given = _who_and_what(project, words or [], "check")
    lease = lease_of(project.ledger, name)
    slot = slot_named(project, lease.resource)
    if given and staged:
        raise Misuse("usage", "--staged names the paths already", mend=f"agent-coord scope check {name} --staged")
    paths = given if given and ".." not in given[0] else changed_in(slot, given[0] if given else "", staged=staged)
    found = foresee(project.repository, project.ledger, project.config.scope, lease, paths)
    lines = [one.why or f"{one.path} may be written" for one in found]
    value = {"slot": slot.name, "issue": lease.issue, "paths": [asdict(one) for one in found]}
    TERMINAL.answer(value, "\n".join(lines) or f"{slot.name} has changed nothing")
    return 1 if any(one.why for one in found) else 0


def _who_and_what(project: Project, words: list[str], command: str) -> tuple[str, list[str]]:
    """The slot or issue, which the first word or the place of the call names, and the other words."""
    with project.ledger.read() as snapshot:
        held = leases.live(snapshot, "slot")
    if words and words[0] in {name for lease in held for name in (lease.resource, lease.issue)}:
        return words[0], words[1:]
    inside = next((slot.name for slot in project.pool.slots() if slot.path == project.repository.here), "")
    name = here().slot or inside
    if not name:
        mend = f"agent-coord scope {command} SLOT …; agent-coord pool status names them"
        raise Misuse("which-slot", f"outside of a slot, scope {command} needs the slot or the issue", mend=mend)
    return name, words


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
    found = slot_named(project, slot)
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


def slot_named(project: Project, name: str) -> Slot:
    """A slot of either purpose. Raises Failure("no-such-slot")."""
    for slot in (*project.pool.slots(), *project.pool.slots("gate")):
        if slot.name == name:
            return slot
    known = ", ".join(slot.name for slot in project.pool.slots())
    raise Failure("no-such-slot", f"there is no slot {name}", why=f"known: {known}", mend="agent-coord pool status")
