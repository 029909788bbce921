"""What stands in slots, uncommitted edits included, as commits that nothing points at: for looking at work under way.

A slot's own index is read once, by `git status`, and never copied or written: the changed files alone go through a
small index beside it, which filters them and finds their modes as a commit would. `git fast-import` then lays them over
their HEADs, for all slots in one process. At 12,000 files that takes 8 ms a slot where a copy of the index takes 20.

The same work is the same commit, however often it is captured: its date is fixed, so nothing piles up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from resources.system.errors import Failure
from resources.system.git import Change, git, state_of
from resources.system.repository import Repository, git_dir_of, is_clone_of
from resources.worktrees.checkout import slot_git
from resources.worktrees.clones import bring
from resources.worktrees.own_config import regain
from resources.worktrees.saving import ASIDE

_REF = "refs/agent-coord/capture"
"""What fast-import calls the branch that it makes commits on, and forgets at its end without having written it."""


@dataclass(frozen=True)
class Capture:
    """What stands in a slot: the commit at HEAD, the one that holds everything, the paths in which the two differ."""

    head: str
    commit: str
    dirty: frozenset[str]


@dataclass(frozen=True)
class _Overlay:
    """What lies over a commit: for each path "mode id" of what stands there, "" for nothing."""

    head: str
    entries: Mapping[str, str]


def capture(repository: Repository, slots: Mapping[Path, str]) -> dict[Path, Capture]:
    """Capture the slots (each with the commit that counts as HEAD where it has none) into the main repository.

    A slot is left out when it cannot be read, or a file vanishes or changes its kind meanwhile.
    """
    overlays: dict[Path, _Overlay] = {}
    for slot, base in slots.items():
        with suppress(Failure):
            regain(repository, slot, at_work=True)
            head, changes = state_of(slot)
            overlays[slot] = _Overlay(head or base, _entries(slot, changes) if changes else {})
    clones = [slot for slot in overlays if is_clone_of(repository, slot)]
    shared = [slot for slot in overlays if slot not in clones]
    commits = dict(zip(shared, _commits(repository.root, [overlays[slot] for slot in shared]), strict=True))
    for slot in clones:
        with suppress(Failure):
            [commit] = _commits(slot, [overlays[slot]])
            bring(repository, slot, commit)
            commits[slot] = commit
    return {slot: Capture(overlays[slot].head, tip, frozenset(overlays[slot].entries)) for slot, tip in commits.items()}


def _entries(slot: Path, changes: Sequence[Change]) -> dict[str, str]:
    """The entries of an overlay, with what stands there written to the slot's objects."""
    own = [change for change in changes if not change.path.endswith("/")]  # a repository within is none of ours
    there = [change for change in own if not change.gone]
    with tempfile.TemporaryDirectory(prefix=ASIDE, dir=git_dir_of(slot)) as folder:
        aside = {"GIT_INDEX_FILE": f"{folder}/index"}
        # What is tracked keeps its line ends, and its mode where the file system has none: git looks at the old entry.
        staged = _records(f"{change.staged}\t{change.path}" for change in there if change.staged)
        slot_git(slot, "update-index", "-z", "--index-info", env=aside, stdin=staged)
        paths = _records(change.path for change in there)
        slot_git(slot, "update-index", "--add", "--remove", "-z", "--stdin", env=aside, stdin=paths)
        listed = slot_git(slot, "ls-files", "--stage", "-z", env=aside, read=True).records
    found = {path: entry.rpartition(" ")[0] for entry, _, path in (line.partition("\t") for line in listed)}
    return {change.path: found.get(change.path, "") for change in own}


def _records(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\0" for line in lines).encode(errors="surrogateescape")


def _commits(place: Path, overlays: Sequence[_Overlay]) -> list[str]:
    """The commits of the overlays in the repository at `place`, in order, by one process for all."""
    laid = [one for one in overlays if one.entries]
    stream = "".join(map(_stream, laid)) + f"reset {_REF}\nfrom {'0' * len(laid[0].head)}\n" if laid else ""
    # As single objects: a pack for each look would pile up.
    command = ("-c", "fastimport.unpackLimit=1000000", "fast-import", "--quiet")
    made = iter(git(place, *command, stdin=stream.encode(errors="surrogateescape")).lines if laid else ())
    return [next(made) if one.entries else one.head for one in overlays]


def _stream(overlay: _Overlay) -> str:
    gone = [f"D {_quoted(path)}\n" for path, entry in overlay.entries.items() if not entry]
    there = [f"M {entry} {_quoted(path)}\n" for path, entry in overlay.entries.items() if entry]
    start = f"commit {_REF}\nmark :1\ncommitter agent-coord <agent-coord@localhost> 0 +0000\ndata 0\n"
    # A file may have become a folder: what is gone makes room first.
    return f"{start}from {overlay.head}\n{''.join((*gone, *there))}\nget-mark :1\n"


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
