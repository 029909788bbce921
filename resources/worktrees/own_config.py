"""What git is told in a slot, put back to what we wrote before git is run where an agent has worked.

A worktree's own git folder is its agent's to write, behind every wall too: git could not work there otherwise. Three
things in it decide what git does next, and what a filter, a diff driver or an `include` names there is run by
whoever runs git in the slot, the coordinator too:

    config.worktree     ours are the view's three switches, the folder of our hooks, the list of copied files
    commondir           where the shared configuration lies
    .git (in the slot)  which git folder counts

Of a clone, whose whole git folder lies in the slot, the configuration is kept among our state when it is made.
The shared configuration is not looked at: walls keep agents off it, and without one it is theirs as much as the user's.
So are the settings of submodules. An agent that is at work can write all this again at any time: to a git that is
run beside it (the radar's) this is a hurdle, and a certainty only once it has ended.
"""

from __future__ import annotations

import os
from pathlib import Path

from resources.system.errors import Failure
from resources.system.files import replace_file
from resources.system.repository import Repository, is_clone_of
from resources.worktrees.clones import kept_config
from resources.worktrees.registry import registration_of

CONFIG = "config.worktree"
_PLACES = {"hooksPath": "agent-coord/hooks", "excludesFile": "agent-coord-excludes"}
"""What names a file of ours in the slot's git folder: the guard's hooks, and the list of copied files (`copies`)."""
_SWITCHES = {"core": ("sparseCheckout", "sparseCheckoutCone", *_PLACES), "index": ("sparse",)}
_PLAIN = {"user": ("name", "email"), "merge": ("conflictStyle",), "pull": ("rebase",), "rerere": ("enabled",)}
"""What an agent may set for itself with `git config --worktree` as long as it works: none of it runs a program."""
_FOREIGN = ("info/attributes", "commondir")
"""Files that a clone of ours never has in its git folder."""


def ours(text: str, folder: str, *, at_work: bool = False) -> tuple[str, list[str]]:
    """What of a worktree's configuration may stay, as git writes it, and the lines that may not: pure.

    `folder` is the slot's git folder. `at_work` keeps what an agent may set for itself. A spelling that is not git's
    own is nobody's.
    """
    known = _SWITCHES | (_PLAIN if at_work else {})
    kept: dict[str, list[str]] = {name: [] for name in known}
    section, foreign = "", []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, value = line.partition(" = ")[::2]
        if line[1:-1] in known and line == f"[{line[1:-1]}]":
            section = line[1:-1]
        elif section and name in known[section] and _stays(name, value, folder):
            kept[section].append(f"\t{line}\n")
        else:
            section = "" if line.startswith("[") else section
            foreign.append(line)
    return "".join(f"[{name}]\n{''.join(lines)}" for name, lines in kept.items() if lines), foreign


def _stays(name: str, value: str, folder: str) -> bool:
    if name in _PLACES:
        return value == _spelled(f"{folder}/{_PLACES[name]}")
    switch = name in _SWITCHES["core"] or name in _SWITCHES["index"]
    return value in ("true", "false") if switch else not set(value) & set('"\\#;')


def _spelled(value: str) -> str:
    """A value as git writes it into a configuration file."""
    for sign, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        value = value.replace(sign, written)
    return f'"{value}"' if value != value.strip(" ") or set(value) & set(";#") else value


def regain(repository: Repository, slot: Path, *, at_work: bool = False) -> list[str]:
    """Put back what git is told in `slot`; returns what was not ours, line by line. `at_work` as for `ours`.

    Raises Failure("slot-astray") when the folder is no slot of this repository any more.
    """
    folder = registration_of(repository, slot)
    try:
        if folder is not None:
            return _regain_pointers(folder, slot) + _regain_own(folder, at_work)
        if is_clone_of(repository, slot):
            found = _regain_clone(slot / ".git", kept_config(repository, slot))
            return found + _regain_own(slot / ".git", at_work)
    except IsADirectoryError as error:
        raise _astray(slot) from error
    raise _astray(slot)


def _astray(slot: Path) -> Failure:
    return Failure(
        "slot-astray", f"{slot.name} is no worktree of this repository any more", why=f"see {slot / '.git'}",
        mend="agent-coord doctor --fix",
    )  # fmt: skip


def _regain_pointers(folder: Path, slot: Path) -> list[str]:
    found, pointer = [], slot / ".git"
    if os.path.normpath(slot / _said(pointer).removeprefix("gitdir: ")) != str(folder):
        if pointer.is_dir() and not pointer.is_symlink():
            raise _astray(slot)  # a repository of the agent's own, and perhaps its only copy
        pointer.unlink(missing_ok=True)
        pointer.write_text(f"gitdir: {folder}\n")
        found.append(".git")
    if _said(folder / "commondir") != "../..":
        replace_file(folder / "commondir", "../..\n")
        found.append("commondir")
    return found


def _said(file: Path) -> str:
    """The one line of a file, "" for what is no file of its own."""
    return "" if file.is_symlink() or not file.is_file() else file.read_text(errors="replace").strip()


def _regain_own(folder: Path, at_work: bool) -> list[str]:
    file, copied = folder / CONFIG, _PLACES["excludesFile"]
    text = "" if file.is_symlink() or not file.is_file() else file.read_text(errors="replace")
    kept, foreign = ours(text, str(folder), at_work=at_work)
    if (folder / copied).is_file() and "excludesFile = " not in kept:
        # Without it copied secrets would be saved as work.
        kept, foreign = f"{kept}[core]\n\texcludesFile = {_spelled(f'{folder}/{copied}')}\n", [*foreign, CONFIG]
    if foreign or file.is_symlink():
        replace_file(file, kept)
    return foreign


def _regain_clone(folder: Path, kept: Path) -> list[str]:
    found = [name for name in _FOREIGN if os.path.lexists(folder / name)]
    for name in found:
        (folder / name).unlink()
    wanted = kept.read_bytes() if kept.is_file() else None
    if wanted is not None and (folder / "config").read_bytes() != wanted:
        replace_file(folder / "config", wanted)
        found.append("config")
    return found
