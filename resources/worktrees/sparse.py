"""A view applied to a worktree: git's sparse-checkout, and the proof that it took.

Everything is written to the worktree's own configuration (`extensions.worktreeConfig` is on before the
first slot is made), so that no other worktree changes with it. A view left behind by the tenant before is
git's best hidden trap, since `status` stays clean; so the count of shown files is read back each time.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resources.system.errors import Failure
from resources.worktrees.checkout import slot_git
from resources.worktrees.view import SPARSE_INDEX_ABOVE, View, cone_shows, sparse_lines


def apply(slot: Path, view: View) -> View:
    """Make the worktree show `view`; returns it with the counts that git reports.

    Files with uncommitted changes stay even where the view hides them. Raises Failure("view-not-applied").
    """
    if view.mode == "full":
        show_all(slot)
    else:
        _set(slot, view)
    return count(slot, view)


def show_all(slot: Path) -> None:
    """Hide nothing. In a worktree that was not checked out yet this counts from the first checkout on."""
    if is_sparse(slot):
        slot_git(slot, "sparse-checkout", "disable", timeout=600)


def _set(slot: Path, view: View) -> None:
    lines = sparse_lines(view)
    if any("\n" in line for line in lines):
        raise Failure("view-not-applied", "a pattern of the view holds a line break")
    sparse_index = view.mode == "closure" and view.total > SPARSE_INDEX_ABOVE
    slot_git(
        slot, "sparse-checkout", "set", "--cone" if view.mode == "closure" else "--no-cone",
        "--sparse-index" if sparse_index else "--no-sparse-index", "--stdin",
        stdin="".join(f"{line}\n" for line in lines).encode(errors="surrogateescape"), timeout=600,
    )  # fmt: skip


def is_sparse(slot: Path) -> bool:
    """Whether the worktree hides anything by its configuration."""
    return slot_git(slot, "config", "--bool", "core.sparseCheckout", check=False, read=True).text == "true"


def count(slot: Path, view: View) -> View:
    """`view` with the counts of shown and of all files that the worktree's index holds.

    Raises Failure("view-not-applied") when git shows other files than the view says.
    """
    paths = slot_git(slot, "ls-files", "-t", "-z", read=True).records
    shown = sum(not record.startswith("S ") for record in paths)
    expected = len(paths) if view.mode == "full" else shown
    if view.mode == "closure":
        expected = cone_shows(view.directories, (record[2:] for record in paths))
    # A file that git could not hide (changed, or in conflict) is shown beyond the view; never the other way round.
    if shown < expected or (view.mode != "full" and paths and not is_sparse(slot)):
        raise Failure(
            "view-not-applied",
            f"{slot.name} shows {shown} of {len(paths)} files where its {view.mode} view has {expected}",
            mend="agent-coord doctor --fix",
        )
    return replace(view, shown=shown, total=len(paths))
