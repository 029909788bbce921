"""The migrations of a worktree: which files they are, the key of the template they build, what they ask for.

The key covers what decides the result: the command, and path and content of every file that the globs select.
Content counts by git's blob id, because a slot's view may hide migrations: git's index still knows their ids, so
the key of a narrow view equals that of the whole tree, and the template built elsewhere serves. Postgres' version
is no part of the key: a template lives and dies with its server.

Uncommitted and untracked files count as they are on disk, ignored ones do not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from resources.databases.values import DatabaseSettings
from resources.system.errors import Failure
from resources.system.git import git

_FORMAT = "agent-coord template 1"
"""Raise the number when templates are built differently, so that old ones are no longer used."""

_EXTENSION = re.compile(
    r"""create\s+extension\s+(?:if\s+not\s+exists\s+)?["']?([\w-]+)|enable_extension[\s(]+["']([\w-]+)["']""",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Migration:
    """One file: its path in the tree, the blob id of its content, and whether it is on disk."""

    path: str
    blob: str
    present: bool


@dataclass(frozen=True)
class ExtensionUse:
    """A migration asks for an extension, at `path:line`."""

    name: str
    path: str
    line: int


def find_migrations(tree: Path, globs: Iterable[str]) -> tuple[Migration, ...]:
    """The migrations in the worktree `tree`, sorted by path. Globs are git's: `**` crosses folders, `*` does not."""
    patterns = [f":(glob){glob.removeprefix('./')}" for glob in globs]
    if not patterns:
        return ()
    arguments = ("ls-files", "-t", "-s", "-c", "-o", "--exclude-standard", "-z", "--full-name", "--", *patterns)
    found: dict[str, Migration] = {}
    for record in git(tree, *arguments, read=True).records:
        migration = _migration(tree, record)
        if migration is not None:
            found[migration.path] = migration
    return tuple(found[path] for path in sorted(found))


def _migration(tree: Path, record: str) -> Migration | None:
    """One record of `ls-files -t -s`: "H 100644 BLOB 0\\tPATH", or "? PATH" for an untracked file."""
    tag, _, rest = record.partition(" ")
    facts, tab, path = rest.partition("\t")
    if not tab:
        facts, path = "", rest
    try:
        data = (tree / path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        # S: outside the view, so the index speaks for it. Any other missing file was deleted by its author.
        return Migration(path, facts.split()[1], False) if tag == "S" else None
    except IsADirectoryError:
        return None
    return Migration(path, blob_id(data), True)


def blob_id(data: bytes) -> str:
    """Git's id for a file with this content (SHA-1 repositories)."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def template_key(settings: DatabaseSettings, migrations: Iterable[Migration]) -> str:
    """32 hex digits that stand for what the migrations build. Pure."""
    digest = hashlib.sha256(_FORMAT.encode())
    for word in settings.migrate:
        digest.update(b"\0argument\0" + word.encode("utf-8", "surrogateescape"))
    for migration in migrations:
        digest.update(b"\0file\0" + migration.path.encode("utf-8", "surrogateescape") + b"\0" + migration.blob.encode())
    return digest.hexdigest()[:32]


def extensions_in(path: str, text: str) -> list[ExtensionUse]:
    """The extensions that a migration creates (SQL, or Rails' enable_extension). Pure."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        code = line.split("--")[0]
        found += [ExtensionUse((a or b).lower(), path, number) for a, b in _EXTENSION.findall(code)]
    return found


def wanted_extensions(tree: Path, migrations: Iterable[Migration]) -> list[ExtensionUse]:
    """Every extension that the migrations on disk create."""
    uses: list[ExtensionUse] = []
    for migration in migrations:
        if migration.present:
            uses += extensions_in(migration.path, (tree / migration.path).read_text(errors="replace"))
    return uses


def require_present(tree: Path, migrations: Iterable[Migration]) -> None:
    """Raise Failure("migrations-hidden") when the view of `tree` hides migrations, for they cannot run then."""
    hidden = [migration.path for migration in migrations if not migration.present]
    if hidden:
        raise Failure(
            "migrations-hidden", f"{len(hidden)} migrations are outside the view of {tree}, e.g. {hidden[0]}",
            why="no template for them exists yet, and building it means running them",
            mend="prepare one slot whose view holds the migrations first",
        )  # fmt: skip
