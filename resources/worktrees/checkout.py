"""One worktree: checked out, put on a branch, found to be what it should be, put back to a clean base.

Two rules hold everywhere below. Git never looks above the slot's folder for a repository
(`GIT_CEILING_DIRECTORIES`): a slot that lost its `.git` file would otherwise answer for the main checkout
around it, and be reset in its place. And nothing destructive runs before `trouble` has found the worktree
to be what the ledger says.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.system.errors import Failure
from resources.system.files import disk_failure
from resources.system.git import Answer, git
from resources.system.process import kill_group
from resources.system.repository import main_of
from resources.worktrees.slots import branches_of

_FULL_BELOW = 1 << 20
"""Free bytes below which a file that could not be written tells of a full disk."""

_LEFT_OPEN = {
    "rebase-merge": ("rebase", "--quit"),
    "rebase-apply": ("am", "--quit"),
    "sequencer": ("cherry-pick", "--quit"),
    "BISECT_LOG": ("bisect", "reset", "HEAD"),
}
"""What an unfinished operation leaves in the git folder after `reset --hard`, and how git forgets it."""


def slot_git(slot: Path, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> Answer:
    """`git` in a slot, which never answers for a repository around it. Options as for `resources.system.git.git`.

    Raises Failure("tree-not-written") when files could not be written: `git checkout` ends with code 0 then, and
    leaves a tree of cut-off files.
    """
    answer = git(slot, *arguments, env={"GIT_CEILING_DIRECTORIES": str(slot.parent), **(env or {})}, **options)
    if "error: unable to " in answer.err:
        lines = answer.err.strip().splitlines()
        raise Failure("tree-not-written", f"git could not write {len(lines)} files in {slot.name}", why=lines[0])
    return answer


@contextlib.contextmanager
def telling_disk_full(path: Path) -> Generator[None]:
    """Turn whatever a full disk made of git's or our own writes into Failure("disk-full")."""
    try:
        yield
    except OSError as error:
        raise disk_failure(error, path) from error
    except Failure as failure:
        if _tells_of_full_disk(failure, path):
            raise disk_failure(OSError(errno.ENOSPC, failure.why), path) from failure
        raise


def _tells_of_full_disk(failure: Failure, path: Path) -> bool:
    if "No space left on device" in failure.why or "quota exceeded" in failure.why:
        return True
    # Git names the file that it could not write, but not why.
    return failure.reference == "tree-not-written" and shutil.disk_usage(path.parent).free < _FULL_BELOW


@dataclass(frozen=True)
class Standing:
    """Where git says a worktree is: its folder, its own git folder, the commit, the full branch ref ("HEAD": none)."""

    toplevel: Path
    git_dir: Path
    commit: str
    branch: str


def standing(slot: Path) -> Standing:
    """Ask git. Raises Failure("git-failed") when the folder is no worktree."""
    lines = slot_git(
        slot, "rev-parse", "--show-toplevel", "--absolute-git-dir", "HEAD", "--symbolic-full-name", "HEAD", read=True
    ).lines
    return Standing(Path(lines[0]), Path(lines[1]), lines[2], lines[3])


def detach(slot: Path, base: str) -> None:
    """Check out `base` without a branch; refuses (Failure) where that would overwrite changes."""
    slot_git(slot, "checkout", "--quiet", "--detach", base, timeout=600)


def start_branch(slot: Path, branch: str) -> bool:
    """A new branch at HEAD; False when it is there already. No start point is named: 3 ms, else 8 to 323.

    Raises Failure("branch-in-the-way") when a branch of the user's own makes the name impossible.
    """
    made = slot_git(slot, "switch", "--quiet", "--create", branch, check=False)
    if made.code == 0 or f"'{branch}' already exists" in made.err:
        return made.code == 0
    parents = [str(parent) for parent in Path(branch).parents if str(parent) != "."]
    there = slot_git(
        slot, "for-each-ref", "--format=%(refname:short)", *(f"refs/heads/{one}" for one in parents), read=True
    ).lines
    blocking = [name for name in there if name in parents]
    if blocking:
        raise Failure(
            "branch-in-the-way",
            f"the branch {blocking[0]} of this repository leaves no room for {branch}",
            mend=f"git branch -m {blocking[0]} {blocking[0]}-old",
        )
    raise Failure("git-failed", f"git could not start {branch} in {slot.name}", why=made.err.strip())


def verify(slot: Path, branch: str, base: str) -> None:
    """That the slot is its own worktree, on `branch` ("": detached), at `base`. Raises Failure("slot-astray")."""
    found = standing(slot)
    wanted = (slot, f"refs/heads/{branch}" if branch else "HEAD", base)
    if (found.toplevel, found.branch, found.commit) != wanted:
        raise Failure(
            "slot-astray",
            f"{slot.name} stands on {found.branch} at {found.commit[:12]} in {found.toplevel}",
            why=f"it should be {wanted[1]} at {base[:12]} in {slot}",
        )


def trouble(slot: Path, common: Path) -> str:
    """Why nobody may clean this folder now, "" when it is the worktree it should be and no git runs in it."""
    if not slot.is_dir():
        return "its folder is gone"
    try:
        found = standing(slot)
    except Failure as failure:
        return f"git does not know it as a worktree ({failure.why.splitlines()[-1] if failure.why else failure.what})"
    linked = found.git_dir.parent == common / "worktrees"
    if found.toplevel != slot or not (linked or main_of(slot) == common):
        return f"its folder belongs to the repository {found.git_dir}"
    places = (found.git_dir, common / "refs" / "heads" / branches_of(slot.name))
    locks = [lock for place in places for lock in sorted(place.rglob("*.lock"))]
    if locks and (users := processes_in(slot)):
        return f"{locks[0].name} is taken and {users} still runs there"
    for lock in locks:
        lock.unlink(missing_ok=True)  # no process is left in the slot that could own it
    return ""


def processes_in(slot: Path) -> str:
    """The processes whose working directory is in the slot, for a message; "" when there is none that we can see."""
    import psutil

    found: list[str] = []
    for process in psutil.process_iter(["pid", "name", "cwd"]):
        cwd = process.info["cwd"]
        if cwd and Path(cwd).is_relative_to(slot):
            found.append(f"{process.info['name']} (pid {process.info['pid']})")
    return ", ".join(found)


def stop_children_in(slot: Path) -> None:
    """Kill what this process itself started in a slot that is being made (after Ctrl-C git and set-up would run on)."""
    import psutil

    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if Path(child.cwd()).is_relative_to(slot):
                kill_group(child.pid)


def unhide(slot: Path, *, everything: bool) -> None:
    """Let git see what `git update-index` hid from it: an edit that it does not see is neither saved nor cleaned.

    `everything`: the slot shows all files, so that none may be skipped. In a view git itself sees those that are there.
    """
    entries = slot_git(slot, "ls-files", "-v", "-z", "--sparse", read=True, timeout=600).records
    skipped = [entry[2:] for entry in entries if entry[0] in "Ss"] if everything else []
    assumed = [entry[2:] for entry in entries if entry[0].islower()]
    for option, paths in (("--no-assume-unchanged", assumed), ("--no-skip-worktree", skipped)):
        if paths:
            names = "".join(f"{path}\0" for path in paths).encode(errors="surrogateescape")
            slot_git(slot, "update-index", option, "-z", "--stdin", stdin=names)


def clean_to(slot: Path, base: str) -> None:
    """Back to a clean tree, detached at `base`. Ignored files stay: they are the caches a slot is kept for.

    Whatever is here must have been saved before. Raises Failure("slot-not-clean") when something remains.
    """
    slot_git(slot, "reset", "--quiet", "--hard", timeout=600)
    _finish_operations(slot)
    _clean(slot)
    detach(slot, base)
    if slot_git(slot, "config", "--bool", "core.sparseCheckout", check=False, read=True).text == "true":
        slot_git(slot, "sparse-checkout", "reapply", timeout=600)
    if left := _dirty(slot):
        _clean(slot)  # another base may ignore fewer files
        left = _dirty(slot)
    if left:
        raise Failure("slot-not-clean", f"{slot.name} still differs from its base: {', '.join(left[:5])}")


def _clean(slot: Path) -> None:
    slot_git(slot, "clean", "-ffdq", timeout=600)


def _dirty(slot: Path) -> list[str]:
    return slot_git(slot, "status", "--porcelain", "-z", read=True, timeout=600).records


def _finish_operations(slot: Path) -> None:
    folder = Path(slot_git(slot, "rev-parse", "--absolute-git-dir", read=True).text)
    for trace, command in _LEFT_OPEN.items():
        if (folder / trace).exists():
            slot_git(slot, *command, check=False)
        if (folder / trace).is_dir():
            slot_git(slot, "rebase", "--quit", check=False)
        if (folder / trace).exists():
            raise Failure("slot-not-clean", f"{slot.name} is in the middle of an operation ({trace})")
