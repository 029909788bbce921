"""The repository's registry of worktrees: a slot is entered, looked up, taken out.

The registry and the shared configuration change under one lock; checkouts run outside it, side by side. A
worktree is registered without files, detached, and locked, so that nobody's `git worktree prune` takes it for
gone. It is taken down by a rename (at once, whatever still writes there), then its registration by name, then
the files: `prune` and guessed admin folders have destroyed other people's worktrees.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from resources.system.files import replace_file
from resources.system.git import git, registry_lock
from resources.system.repository import Repository
from resources.worktrees.clones import kept_config, make_clone, renamed_clones, stop_sparing
from resources.worktrees.trash import start_deleting, throw_away

LOCK_REASON = "agent-coord"
"""The reason of the lock on each of our worktrees: our mark."""

_SWITCHED = "worktree-config"
"""The file that says that configuration per worktree was off before us."""

_HEADING = "# agent-coord's slots\n"
"""What stands above our line among the excludes."""


def open_registry(repository: Repository, folder: Path) -> None:
    """What a repository needs before its first slot: the pool's folder excluded, configuration per worktree."""
    with registry_lock(repository.common):
        if folder.is_relative_to(repository.root):
            _exclude(repository.common / "info" / "exclude", f"/{folder.relative_to(repository.root)}/")
        config = ("config", "--file", str(repository.common / "config"))
        if git(repository.root, *config, "extensions.worktreeConfig", check=False, read=True).text == "true":
            return
        # With configuration per worktree a shared core.worktree would count for every slot: it moves to its owner.
        where = git(repository.root, *config, "core.worktree", check=False, read=True).text
        if where:
            git(repository.root, "config", "--file", str(repository.common / "config.worktree"), "core.worktree", where)
        git(repository.root, *config, "extensions.worktreeConfig", "true")
        (repository.state / _SWITCHED).touch()
        if where:
            git(repository.root, *config, "--unset", "core.worktree")


def close_registry(repository: Repository, folder: Path) -> list[str]:
    """Undo `open_registry` when the last slot is gone; returns what has to stay, in sentences.

    What is excluded stays so while the folder is there. Configuration per worktree goes unless it was there before us
    or a worktree has some meanwhile.
    """
    with registry_lock(repository.common):
        if folder.is_relative_to(repository.root) and not folder.exists():
            _include(repository.common / "info" / "exclude", f"/{folder.relative_to(repository.root)}/")
        if not (repository.state / _SWITCHED).exists():
            return []
        config = ("config", "--file", str(repository.common / "config"))
        own = repository.common / "config.worktree"
        keys = git(repository.root, "config", "--file", str(own), "--name-only", "--list", check=False, read=True).lines
        others = [file for file in repository.common.glob("worktrees/*/config.worktree") if file.stat().st_size]
        if others or set(keys) - {"core.worktree"}:
            return ["extensions.worktreeConfig stays in .git/config: a worktree has settings of its own by now"]
        if keys:
            where = git(repository.root, "config", "--file", str(own), "core.worktree", read=True).text
            git(repository.root, *config, "core.worktree", where)
        own.unlink(missing_ok=True)
        git(repository.root, *config, "--unset-all", "extensions.worktreeConfig", check=False)
        (repository.state / _SWITCHED).unlink()
    return []


def _exclude(file: Path, line: str) -> None:
    known = file.read_text() if file.exists() else ""
    if line in known.splitlines():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as stream:
        stream.write(("" if known.endswith("\n") or not known else "\n") + f"{_HEADING}{line}\n")


def _include(file: Path, line: str) -> None:
    known = file.read_text() if file.exists() else ""
    if f"{_HEADING}{line}\n" in known:
        replace_file(file, known.replace(f"{_HEADING}{line}\n", ""))


def register(repository: Repository, slot: Path, base: str, backend: str = "worktree") -> None:
    """Make the slot, detached at `base`, without a file in it yet: a locked worktree, or a clone."""
    if backend == "clone":
        make_clone(repository, slot, base)
        return
    slot.parent.mkdir(parents=True, exist_ok=True)
    with registry_lock(repository.common):
        git(
            repository.root, "worktree", "add", "--no-checkout", "--detach", "--lock", "--reason", LOCK_REASON,
            str(slot), base,
        )  # fmt: skip


def registered(repository: Repository) -> dict[Path, str]:
    """Every registered worktree but the main one, with the reason of its lock ("" when it has none)."""
    listing = git(repository.root, "worktree", "list", "--porcelain", "-z", read=True).out
    found: dict[Path, str] = {}
    for block in listing.decode(errors="surrogateescape").split("\0\0")[1:]:
        facts = dict(line.partition(" ")[::2] for line in block.split("\0") if line)
        if "worktree" in facts:
            found[Path(facts["worktree"])] = facts.get("locked", "")
    return found


def remove(repository: Repository, slot: Path) -> None:
    """Take a worktree down: folder, registration, files. Repeatable; whatever part is already gone is no error."""
    throw_away(slot)
    with registry_lock(repository.common):
        _discard_half_made(repository, slot)
        if slot in registered(repository):
            git(repository.root, "worktree", "unlock", str(slot), check=False)
            git(repository.root, "worktree", "remove", str(slot))
        stop_sparing(repository, slot.parent)
    kept_config(repository, slot).unlink(missing_ok=True)
    start_deleting(repository.state, slot.parent)


def _discard_half_made(repository: Repository, slot: Path) -> None:
    """Delete the registration of a `worktree add` or `worktree remove` that was killed half-way.

    Without its HEAD every listing of git fails, without its pointer none shows it. Only one that names this very slot,
    or that names none and bears its name: nobody else adds one now.
    """
    for entry in _registrations(repository):
        if all((entry / name).exists() for name in ("HEAD", "commondir", "gitdir")):
            continue
        pointer = entry / "gitdir"
        named = Path(pointer.read_text().strip()) if pointer.exists() else None
        if named == slot / ".git" or (named in (None, Path()) and entry.name == slot.name):
            shutil.rmtree(entry)


def _registrations(repository: Repository) -> list[Path]:
    folder = repository.common / "worktrees"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def git_folder(worktree: Path) -> Path | None:
    """A linked worktree's own git folder, read from its `.git` file and never guessed from its name."""
    try:
        pointer = (worktree / ".git").read_text()
    except OSError:
        return None
    folder = Path(pointer.removeprefix("gitdir:").strip())
    return folder if folder.is_dir() else None


def renamed(repository: Repository, folder: Path) -> dict[Path, Path]:
    """The slots in `folder` that somebody renamed by hand: where each is now, and where it belongs."""
    found = renamed_clones(repository, folder)
    entries = registered(repository)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        admin = None if path in entries else git_folder(path)
        if admin is None or admin.parent != repository.common / "worktrees":
            continue
        with contextlib.suppress(OSError):
            home = Path((admin / "gitdir").read_text().strip()).parent
            if home.parent == folder and entries.get(home) == LOCK_REASON:
                found[path] = home
    return found


def rename_back(path: Path, home: Path) -> bool:
    """Give a renamed slot its folder's name again; False when another folder has it now."""
    if home.exists():
        return False
    path.rename(home)
    return True


def relink(repository: Repository, slot: Path) -> bool:
    """Write the slot's `.git` file anew when it was deleted but the registration still names this folder."""
    pointer = slot / ".git"
    if pointer.exists() or not slot.is_dir():
        return False
    entry = registration_of(repository, slot)
    if entry is not None:
        pointer.write_text(f"gitdir: {entry}\n")
    return entry is not None


def registration_of(repository: Repository, slot: Path) -> Path | None:
    """The folder of the registration that names this slot, the one of its name first; None when there is none."""
    for entry in sorted(_registrations(repository), key=lambda entry: entry.name != slot.name):
        with contextlib.suppress(OSError):
            named = (entry / "gitdir").read_text(errors="replace").strip()
            if os.path.normpath(entry / named) == str(slot / ".git"):
                return entry
    return None
