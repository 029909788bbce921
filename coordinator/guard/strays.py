"""The dirty check: what an attempt left lying where it should not, in its slot and in the main checkout.

Agents that write into the main checkout by absolute path are the most reported breach of isolation. What the main
checkout had changed when the attempt began is kept in the scope file; what changed there since is told, with the
attempts that ran meanwhile as the suspects, because nobody can tell a person's edit from an agent's. Nothing is
deleted or moved: it may be the only copy of somebody's work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coordinator.guard.places import UnknownStateError, read_holds, read_scope, rule_of
from coordinator.guard.posts import SCOPE_FILE, admin_folder
from coordinator.guard.rule import REFUSED, advice, judge
from resources.system.errors import Failure
from resources.system.files import replace_file
from resources.system.git import dirty_files

TRACKER = ".beads/"
"""The coordinator writes there itself."""


@dataclass(frozen=True)
class Strays:
    """Paths of the main checkout that changed while the attempt ran; sentences about uncommitted trespasses."""

    main: tuple[str, ...] = ()
    slot: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """One sentence on the main checkout, "" when nothing changed there."""
        if not self.main:
            return ""
        names = ", ".join(self.main[:5]) + (f" and {len(self.main) - 5} more" if len(self.main) > 5 else "")
        return f"files of the main checkout were changed while this attempt ran, and are kept as they are: {names}"


def remember_main(root: Path) -> dict[str, int]:
    """The changed files of the main checkout with their times, to be compared with later."""
    return {path: _changed_at(root / path) for path in dirty_files(root) if not path.startswith(TRACKER)}


def find_strays(slot: Path) -> Strays:
    """What lies where it should not now; nothing where no guard was posted."""
    try:
        scope = read_scope(str(admin_folder(slot) / SCOPE_FILE))
        before: Mapping[str, int] = scope.get("main", {})
        now = remember_main(Path(scope["root"]))
        main = tuple(path for path, at in now.items() if before.get(path) != at)
    except (UnknownStateError, Failure):
        return Strays()
    try:
        return Strays(main, _trespasses(scope, dirty_files(slot)))
    except (UnknownStateError, Failure):
        return Strays(main)


def _trespasses(scope: dict, paths: list[str]) -> tuple[str, ...]:
    if not paths:
        return ()
    rule, holds = rule_of(scope), read_holds(scope)
    rulings = ((path, judge(rule, holds, path)) for path in paths)
    return tuple(advice(scope["slot"], path, ruling) for path, ruling in rulings if ruling.verdict == REFUSED)


def _changed_at(file: Path) -> int:
    try:
        return file.lstat().st_mtime_ns
    except OSError:
        return 0  # deleted, or a name that this system cannot look up


def note_main(scope_file: Path, root: Path) -> None:
    """Keep in the scope file how the main checkout looks as the attempt begins."""
    scope = json.loads(scope_file.read_text())
    replace_file(scope_file, json.dumps(scope | {"main": remember_main(root)}, indent=1), mode=0o600)
