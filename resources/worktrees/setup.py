"""The command that furnishes a slot (`npm ci`), run once for each state of the lock files, and only when approved.

A configuration can come with a repository, and so from anybody. A command in it runs in slots only after a person has
seen it and said so (`agent-coord pool approve`); a changed one asks again. What a slot was set up for, the command and
the lock files that it shows, is noted beside the slot's lock: when a new base brings others, the command runs again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from resources.settings import PoolSettings
from resources.system.errors import Failure
from resources.system.files import replace_file
from resources.system.process import clean_environment, run_bounded
from resources.worktrees.checkout import slot_git
from resources.worktrees.records import Records

SETUP_SECONDS = 600.0
"""How long the set-up command of one slot may take."""

LOCK_FILES = (
    "*.lock", "*.lockb", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "requirements*.txt", "go.sum",
    "mix.lock", "manifest.toml", "gradle.lockfile",
)  # fmt: skip
"""What says which dependencies are installed, at any depth."""

_APPROVED = "approved_commands"


def require_approved(records: Records, settings: PoolSettings) -> None:
    """Raise Failure("setup-not-approved") unless a person has approved the configured commands as they are."""
    wanted = _commands(settings)
    if wanted and records.note(_APPROVED) != _digest(wanted):
        raise Failure(
            "setup-not-approved",
            f"nobody has approved what shall run in every slot: {'; '.join(' '.join(argv) for argv in wanted)}",
            why="it is new, or it was changed in the configuration",
            mend="read it, then agent-coord pool approve",
        )


def approve(records: Records, settings: PoolSettings) -> list[str]:
    """Approve the configured commands; returns them as a person reads them."""
    wanted = _commands(settings)
    records.set_note(_APPROVED, _digest(wanted))
    return [" ".join(argv) for argv in wanted]


def _commands(settings: PoolSettings) -> list[tuple[str, ...]]:
    return [argv for argv in (settings.setup, settings.prove_view) if argv]


def _digest(commands: Sequence[Sequence[str]]) -> str:
    return hashlib.sha256(repr([list(argv) for argv in commands]).encode()).hexdigest()


def set_up(argv: Sequence[str], note: Path, slot: Path, variables: Mapping[str, str]) -> None:
    """Run the command in a slot, unless it ran there for these lock files; `note` is where that is remembered.

    Raises Failure("setup-failed"). The tracked files are as the commit says afterwards.
    """
    if not argv:
        return
    locks = slot_git(slot, "ls-files", "-s", "-z", "--", *(f":(glob)**/{name}" for name in LOCK_FILES), read=True).out
    wanted = hashlib.sha256(repr(list(argv)).encode() + locks).hexdigest()
    if note.is_file() and note.read_text() == wanted:
        return
    note.unlink(missing_ok=True)
    done = run_bounded(argv, cwd=slot, env=clean_environment(variables), timeout=SETUP_SECONDS)
    if done.code != 0 or done.timed_out:
        how = f"ran longer than {SETUP_SECONDS:g} s" if done.timed_out else f"ended with code {done.code}"
        raise Failure(
            "setup-failed",
            f"the set-up command {' '.join(argv)} {how} in {slot.name}",
            why=done.complaint,
            mend="mend the command, or [pool] setup in .agent-worktrees/config.toml",
        )
    slot_git(slot, "reset", "--quiet", "--hard", timeout=600)
    replace_file(note, wanted)
