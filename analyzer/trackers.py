"""Where the tracker lies and which of its forms is current.

It is found as `bd` finds it: BEADS_DIR or BEADS_DB, else the `redirect` of the worktree that we stand in, else
`.beads` of the main checkout and its `redirect`. A slot's own copy of the JSONL is never read: it is a snapshot of
its base commit, stale from the first write on.

A tracker has up to three forms. `beads.db` (SQLite) counts unless the JSONL is newer: `bd` 0.47 leaves `defer_until`
out of its export, so that of two equally new forms the database tells more. Dolt only `bd` can read. What is not
current is read as a last resort, and the source says why it may be stale. Nothing is ever written to a tracker here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analyzer.backlog.beads import Reading, read_issues
from analyzer.backlog.issues import Trouble
from analyzer.backlog.readiness import differences
from analyzer.planning.facts import Source
from resources.system.clock import wall
from resources.system.errors import Failure
from resources.system.repository import Repository

MOST_HOPS = 10
"""How many `redirect` files are followed."""
SLACK = 2.0
"""Seconds by which the JSONL may be newer than the database that it was exported from."""
UNSEEN = 30.0
"""Seconds after which a tracker that only a program can read counts as changed."""


@dataclass(frozen=True)
class Place:
    """A tracker: its folder, and the forms in which it keeps its issues."""

    folder: Path
    jsonl: Path | None = None
    database: Path | None = None
    is_dolt: bool = False
    dolt: tuple[Path, ...] = ()
    """The files of an embedded Dolt; those of a server lie elsewhere."""


def find_place(repository: Repository) -> Place:
    """The tracker of the repository; one whose folder does not exist has no form."""
    folder = _folder(repository)
    metadata = _metadata(folder)
    is_dolt = "dolt" in (metadata.get("backend"), metadata.get("database")) or (folder / "embeddeddolt").is_dir()
    names = (metadata.get("jsonl_export"), "issues.jsonl", "beads.jsonl")
    found = (folder / name for name in names if name and isinstance(name, str))
    jsonl = next((file for file in found if file.is_file()), None)
    if is_dolt:
        return Place(folder, jsonl, None, True, tuple(sorted(_dolt_files(folder))))
    return Place(folder, jsonl, _database(folder, metadata))


def tracker_version(repository: Repository) -> tuple[object, ...]:
    """A value that changes whenever the tracker does; where no file would show it, twice a minute."""
    place = find_place(repository)
    files = [place.jsonl, *((place.database, _journal(place.database)) if place.database else ())]
    stamps = [(str(file), _written(file), file.stat().st_size) for file in files if file and file.exists()]
    # Dolt gives its files a new time even when it only reads, but what it writes makes them longer or others.
    sizes = [(str(file), file.stat().st_size) for file in place.dolt]
    hidden = (place.is_dolt and not place.dolt) or not (stamps or sizes)
    return (*stamps, *sizes, int(wall() / UNSEEN) if hidden else 0)


def read_tracker(repository: Repository, *, cross_check: bool = False) -> tuple[Reading, Source]:
    """The issues in the most current form that can be read, and where they came from.

    What `bd` calls ready is compared with what the edges say when it is the source, and with `cross_check` always.
    Raises Failure("no-tracker") when there is none, Failure("unreadable") when it cannot be read.
    """
    place = find_place(repository)
    stale = why_stale(place)
    refusals: list[str] = []
    found = _from_file(place, repository) if stale is None else _from_database(place, repository, refusals)
    found = found or _from_program(place, repository, refusals)
    if found is None:
        reading, source = _from_file(place, repository, refusals)
        found = reading, replace(source, stale="; ".join([stale or "", *refusals]))
    reading, source = found
    if cross_check or source.kind in ("bd", "br"):
        troubles = _cross_check(reading, source, place, repository)
        reading = Reading(reading.issues, (*reading.problems, *troubles))
    return reading, source


def why_stale(place: Place) -> str | None:
    """Why the JSONL may tell less than the tracker knows, None when it is current."""
    if place.jsonl is None:
        return "there is no JSONL"
    exported = place.jsonl.stat().st_mtime
    if place.is_dolt:
        written = max(map(_written, place.dolt), default=None)
        if written is not None and written < exported:
            return None
        return "the tracker keeps its issues in Dolt, and the file is only as new as its last `bd export`"
    for file in (place.database, _journal(place.database)) if place.database else ():
        if _written(file) > exported - SLACK:
            return f"{file.name} is newer than {place.jsonl.name}"
    return None


def _folder(repository: Repository) -> Path:
    if given := os.environ.get("BEADS_DIR"):
        return _redirected(Path(given))
    if given := os.environ.get("BEADS_DB"):
        return Path(given).parent
    if repository.here != repository.root:
        own = repository.here / ".beads"
        if (target := _redirected(own)) != own:
            return target
    return _redirected(repository.root / ".beads")


def _redirected(folder: Path) -> Path:
    """Where the `redirect` of the folder leads, through further ones; one that leads nowhere is passed over."""
    for _ in range(MOST_HOPS):
        try:
            text = (folder / "redirect").read_text(errors="replace")
        except OSError:
            break
        lines = (line.strip() for line in text.splitlines())
        target = next((line for line in lines if line and not line.startswith("#")), "")
        if not target or "\0" in target or not (folder.parent / target).is_dir():
            break
        folder = folder.parent / target
    return folder


def _metadata(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "metadata.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _database(folder: Path, metadata: dict[str, Any]) -> Path | None:
    """The SQLite database: the one that is named, else the usual one, else the only one there."""
    given, name = os.environ.get("BEADS_DB"), metadata.get("database")
    named = [Path(given)] if given else []
    named += [folder / name] if isinstance(name, str) and name.endswith(".db") else []
    named += [folder / "beads.db"]
    if not any(file.is_file() for file in named):
        others = [file for file in folder.glob("*.db") if "backup" not in file.name]
        named = others if len(others) == 1 else []
    if not named:
        return None
    from analyzer.backlog.database import is_database

    return next((file for file in named if is_database(file)), None)


def _dolt_files(folder: Path) -> Iterator[Path]:
    """What Dolt rewrites with every commit: the manifest of each of its stores, and the journals."""
    for home in (folder / "embeddeddolt", folder / "dolt"):
        yield from home.glob("*/.dolt/noms/*")
        yield from home.glob(".dolt/noms/*")


def _journal(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def _written(file: Path) -> float:
    """When the file was last written to; 0 for none, and for an empty one: it says nothing."""
    try:
        found = file.stat()
    except OSError:
        return 0.0
    return found.st_mtime if found.st_size else 0.0


def _shown(file: Path, repository: Repository) -> str:
    return str(file.relative_to(repository.root)) if file.is_relative_to(repository.root) else str(file)


def _from_file(place: Place, repository: Repository, refusals: list[str] | None = None) -> tuple[Reading, Source]:
    if place.jsonl is None:
        missing = f"{place.folder} " + ("has no issues.jsonl" if place.folder.is_dir() else "does not exist")
        raise _no_tracker("; ".join([missing, *(refusals or ())]))
    shown = _shown(place.jsonl, repository)
    try:
        return read_issues(place.jsonl.read_bytes(), shown), Source("jsonl", shown, 0)
    except OSError as error:
        raise Failure("unreadable", f"cannot read {shown}", why=error.strerror or str(error)) from error


def _no_tracker(why: str) -> Failure:
    mend = "run `bd init` or `bd export -o .beads/issues.jsonl`, or pass --issues FILE"
    return Failure("no-tracker", "there is no beads tracker to read", why=why, mend=mend)


def _from_database(place: Place, repository: Repository, refusals: list[str]) -> tuple[Reading, Source] | None:
    if place.database is None:
        return None
    from analyzer.backlog.database import read_database

    shown = _shown(place.database, repository)
    try:
        return read_database(place.database, shown), Source("sqlite", shown, 0)
    except Failure as failure:
        refusals.append(f"{shown} cannot be read ({failure.why})")
        return None


def _from_program(place: Place, repository: Repository, refusals: list[str]) -> tuple[Reading, Source] | None:
    """From the first program that answers; only where the tracker's folder is there for it to find."""
    if not place.folder.is_dir():
        return None
    from analyzer.backlog.programs import ask_everything, installed

    for program in installed():
        said = ask_everything(program, repository.root, place.folder)
        if said.out is not None:
            return read_issues(said.out, said.command), Source(program, said.command, 0)
        refusals.append(f"`{said.command}` failed: {said.complaint}")
    return None


def _cross_check(reading: Reading, source: Source, place: Place, repository: Repository) -> tuple[Trouble, ...]:
    from analyzer.backlog.programs import ask_ready, installed

    program = source.kind if source.kind in ("bd", "br") else next(iter(installed()), "")
    if not program:
        return (Trouble(source.path, "neither bd nor br is on PATH", "readiness was not cross-checked"),)
    told, said = ask_ready(program, repository.root, place.folder)
    if told is None:
        why = said.complaint or "its answer is no list of issues"
        return (Trouble(said.command, why, "readiness was not cross-checked"),)
    return differences(reading.issues, told, wall(), said.command)
