"""A view applied to a worktree: git's sparse-checkout, and the proof that it took.

Everything is written to the worktree's own configuration (`extensions.worktreeConfig` is on before the
first slot is made), so that no other worktree changes with it. A view left behind by the tenant before is
git's best hidden trap, since `status` stays clean; so what is shown is read back each time.

Git changes the view of a tree by expanding its whole index, 0.2 to 0.9 s at 92,000 files. A clean tree needs that
not (`swap`, 0.04 s): the new view's files are written through an index of their own, that index takes the place of
the old one, and last the files that left are deleted. Killed at any point, the tree still is clean to git, because a
file that is there though the index hides it counts by its content.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from resources.system.errors import Failure
from resources.system.git import dirty_files
from resources.worktrees.checkout import slot_git
from resources.worktrees.view import SPARSE_INDEX_ABOVE, Cone, View, hidden_wrongly, sparse_lines


def apply(slot: Path, view: View) -> View:
    """Make the worktree show `view`; returns it with the counts that git reports.

    Files with uncommitted changes stay even where the view hides them. Raises Failure("view-not-applied").
    """
    if view.mode == "full":
        show_all(slot)
    else:
        _set(slot, view)
    return count(slot, view)


def swap(slot: Path, view: View) -> View:
    """`apply` for a slot in which nobody works: the same outcome, for a closure in a tenth of the time.

    A tree that is not clean is left to git, which keeps what was changed. Raises Failure("view-not-applied").
    """
    if view.mode != "closure" or dirty_files(slot):
        return apply(slot, view)
    index = Path(slot_git(slot, "rev-parse", "--path-format=absolute", "--git-path", "index", read=True).text)
    wanted = Cone(view.directories)
    leaving = [path for path in _visible(slot) if not wanted.shows(path)]
    fresh = index.with_name(f"index.{secrets.token_hex(4)}")
    try:
        aside = {"GIT_INDEX_FILE": str(fresh)}
        _set(slot, view, env=aside)
        slot_git(slot, "read-tree", "--reset", "-u", "HEAD", env=aside, timeout=600)
        fresh.replace(index)
    finally:
        fresh.unlink(missing_ok=True)
    _delete(slot, leaving)
    return count(slot, view)


def _visible(slot: Path) -> list[str]:
    records = slot_git(slot, "ls-files", "-t", "-z", "--sparse", read=True).records
    return [record[2:] for record in records if not record.startswith("S ")]


def _delete(slot: Path, paths: Iterable[str]) -> None:
    folders = {parent for path in paths for parent in (slot / path).parents if parent.is_relative_to(slot)} - {slot}
    for path in paths:
        (slot / path).unlink(missing_ok=True)
    for folder in sorted(folders, key=lambda one: -len(one.parts)):
        with contextlib.suppress(OSError):  # caches and other ignored files stay, and so does their folder
            folder.rmdir()


def show_all(slot: Path) -> None:
    """Hide nothing. In a worktree that was not checked out yet this counts from the first checkout on."""
    if is_sparse(slot):
        slot_git(slot, "sparse-checkout", "disable", timeout=600)


def _set(slot: Path, view: View, env: dict[str, str] | None = None) -> None:
    lines = sparse_lines(view)
    if any("\n" in line for line in lines):
        raise Failure("view-not-applied", "a pattern of the view holds a line break")
    sparse_index = view.mode == "closure" and view.total > SPARSE_INDEX_ABOVE
    slot_git(
        slot, "sparse-checkout", "set", "--cone" if view.mode == "closure" else "--no-cone",
        "--sparse-index" if sparse_index else "--no-sparse-index", "--stdin",
        stdin="".join(f"{line}\n" for line in lines).encode(errors="surrogateescape"), env=env,
        timeout=600,
    )  # fmt: skip


def is_sparse(slot: Path) -> bool:
    """Whether the worktree hides anything by its configuration."""
    return slot_git(slot, "config", "--bool", "core.sparseCheckout", check=False, read=True).text == "true"


def count(slot: Path, view: View) -> View:
    """`view` with the number of files shown; and of all, unless the index is sparse: then `total` stays as it was.

    Raises Failure("view-not-applied") when git hides a file that the view shows.
    """
    records = slot_git(slot, "ls-files", "-t", "-z", "--sparse", read=True).records
    hidden = [record[2:] for record in records if record.startswith("S ")]
    shown = len(records) - len(hidden)
    total = view.total if any(path.endswith("/") for path in hidden) else len(records)
    # A file that git could not hide (changed, or in conflict) is shown beyond the view; never the other way round.
    wrong = hidden_wrongly(view, hidden)
    if wrong or (view.mode != "full" and records and not is_sparse(slot)):
        raise Failure(
            "view-not-applied",
            f"{slot.name} shows {shown} files, and not all that its {view.mode} view has",
            why=f"hidden: {', '.join(wrong[:3])}" if wrong else "git hides nothing there",
            mend="agent-coord doctor --fix",
        )
    return replace(view, shown=shown, total=total)
