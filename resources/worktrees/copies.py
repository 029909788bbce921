"""Files that git does not carry but a slot needs: `.env`, local settings, certificates.

Named by `[pool] copy` and by `.worktreeinclude` at the root of the main checkout, both in gitignore syntax and
matched by git itself. Only untracked files of the main checkout are taken; nothing in a slot is overwritten;
modes are kept. In the slot the copies count as ignored (through an excludes file of that worktree alone), so
that no `git add --all` commits a secret and no clean-up deletes it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from resources.system.files import replace_file
from resources.system.git import git
from resources.worktrees.checkout import slot_git

INCLUDE = ".worktreeinclude"


def find_copies(root: Path, patterns: Sequence[str], pool: Path) -> list[str]:
    """The untracked files of the main checkout that the patterns or `.worktreeinclude` select, `pool` left out."""
    chosen = [part for pattern in patterns for part in ("-x", pattern)]
    if (root / INCLUDE).is_file():
        chosen += ["-X", INCLUDE]
    if not chosen:
        return []
    outside = [f":(exclude,literal){pool.relative_to(root)}"] if pool.is_relative_to(root) else []
    answer = git(root, "ls-files", "-z", "--others", "--ignored", *chosen, "--", ".", *outside, read=True)
    return [path for path in answer.records if not path.endswith("/")]  # a slash ends a repository inside this one


def copy_into(root: Path, slot: Path, paths: Sequence[str]) -> None:
    """Copy the files into the slot and make git ignore them there."""
    for path in paths:
        target = slot / path
        if not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / path, target, follow_symlinks=False)
    if paths:
        _ignore(slot, paths)


def _ignore(slot: Path, paths: Sequence[str]) -> None:
    folder = Path(slot_git(slot, "rev-parse", "--absolute-git-dir", read=True).text)
    file = folder / "agent-coord-excludes"
    # core.excludesFile replaces the user's own one in this worktree, so what that says is carried over.
    own = slot_git(slot, "config", "--path", "core.excludesFile", check=False, read=True).text
    users = Path(own) if own else Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "git" / "ignore"
    carried = users.read_text(errors="surrogateescape") if users.is_file() and users != file else ""
    lines = "".join(f"/{_escaped(path)}\n" for path in paths)
    replace_file(file, f"{carried}\n{lines}".encode(errors="surrogateescape"))
    slot_git(slot, "config", "--worktree", "core.excludesFile", str(file))


def _escaped(path: str) -> str:
    return re.sub(r"([*?\[\\ ])", r"\\\1", path)
