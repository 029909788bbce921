"""Work is saved under a ref before anything is cleaned.

Refs are `refs/agent-coord/saved/<issue>/<n>`; `git log` and `git cherry-pick` read them like any commit.
Saved are uncommitted and untracked files (ignored ones are caches and stay where they are) and every commit
that neither the base branch nor another ref of ours reaches. Uncommitted work is written through a *copy*
of the index: the slot itself, its own index and any conflict in it stay as they are, nothing is stashed
(`refs/stash` is shared by all worktrees). What was staged and then edited again becomes a commit of its own
between HEAD and the saved files.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from resources.system.commits import IDENTITY
from resources.system.errors import Failure
from resources.system.git import git, tree_of
from resources.system.repository import Repository, git_dir_of
from resources.worktrees.checkout import slot_git
from resources.worktrees.clones import bring
from resources.worktrees.slots import branch_of, branches_of, next_number, ref_part

SAVED = "refs/agent-coord/saved"
ASIDE = "agent-coord-index-"
"""How the folder with a copy of the index begins."""


@dataclass(frozen=True)
class Work:
    """Whose work is saved: the repository, the slot, the issue, where it began, the branch that work lands on.

    `base` is the commit that the slot was given at: whatever reaches it, it is not this slot's work. `keep` names
    those of the slot's branches that stay: what they reach needs no other ref.
    """

    repository: Repository
    slot: str
    issue: str
    base: str
    base_branch: str
    keep: frozenset[str] = frozenset()

    @property
    def root(self) -> Path:
        """The main checkout."""
        return self.repository.root


def save_slot(work: Work, path: Path, *, dirty: bool) -> list[str]:
    """Save what the worktree at `path` holds and the issue's branches reach; returns the new refs, the files' first.

    `dirty` tells that there are uncommitted files. Nothing in the worktree changes. Of a clone the branches and the
    HEAD were collected before.
    """
    head = slot_git(path, "rev-parse", "--verify", "HEAD", read=True).text
    if dirty:
        head = _commit_files(path, head, work.issue)
        bring(work.repository, path, head)
    tips = [head, *issue_branches(work).values()]
    return [ref for tip in dict.fromkeys(tips) for ref in save_commit(work, tip)]


def save_commit(work: Work, commit: str) -> list[str]:
    """Save what a commit reaches; returns the new ref, nothing when it is safe already."""
    return [] if is_safe(work, commit) else [_new_ref(work, commit)]


def issue_branches(work: Work) -> dict[str, str]:
    """The slot's branches for the issue, without `refs/heads/`, with their tips."""
    return {name: tip for name, tip in _slot_branches(work).items() if name.startswith(_own(work))}


def _own(work: Work) -> str:
    return branch_of(work.slot, work.issue, 0).removesuffix("0")


def _slot_branches(work: Work) -> dict[str, str]:
    prefix = f"refs/heads/{branches_of(work.slot)}"
    lines = git(work.root, "for-each-ref", "--format=%(objectname) %(refname)", prefix, read=True).lines
    return {name.removeprefix("refs/heads/"): tip for tip, _, name in (line.partition(" ") for line in lines)}


def is_landed(work: Work, commit: str) -> bool:
    """Whether the base branch reaches a commit."""
    base = f"refs/heads/{work.base_branch}"
    ancestor = ("merge-base", "--is-ancestor", commit, base)
    return bool(work.base_branch) and git(work.root, *ancestor, check=False, read=True).code == 0


def is_safe(work: Work, commit: str) -> bool:
    """Whether a commit is no work, or landed, or reached by a ref of ours that stays when the issue's branches go.

    Another slot's branch does not count: work that was begun on this one reaches it, and nobody would look there.
    """
    if commit == work.base or is_landed(work, commit):
        return True
    ours = (f"refs/heads/{branches_of(work.slot)}", "refs/agent-coord")
    reaching = git(work.root, "for-each-ref", f"--contains={commit}", "--format=%(refname)", *ours, read=True).lines
    names = [name.removeprefix("refs/heads/") for name in reaching]
    return any(name in work.keep or not name.startswith(_own(work)) for name in names)


def delete_branches(work: Work) -> None:
    """Delete the issue's branches, each only when what it reaches is safe without it, and the slot's landed ones.

    What `keep` names stays, and so do the branches that other issues still need.
    """
    for name, tip in _slot_branches(work).items():
        done = is_safe(work, tip) if name.startswith(_own(work)) else is_landed(work, tip)
        if name not in work.keep and done:
            # Compare and delete: a branch that moved since is somebody's work.
            git(work.root, "update-ref", "-d", f"refs/heads/{name}", tip, check=False)


def put_away(work: Work, path: Path, changed: Sequence[str]) -> list[str]:
    """Save what stands at the changed paths of a checkout that others use too, and put back what HEAD has there.

    Returns the new ref. The caller holds whatever keeps others from the index and from these files.
    """
    names = b"".join(name.encode(errors="surrogateescape") + b"\0" for name in changed)
    head = slot_git(path, "rev-parse", "--verify", "HEAD", read=True).text
    with _copied_index(path) as aside:
        slot_git(path, "read-tree", "HEAD", env=aside)
        slot_git(path, "update-index", "--add", "--remove", "-z", "--stdin", env=aside, stdin=names)
        tree = slot_git(path, "write-tree", env=aside).text
    refs = save_commit(work, _commit(path, tree, head, f"{work.issue}: uncommitted work when the berth was given back"))
    known = set(slot_git(path, "ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD", read=True).records)
    old = b"".join(name.encode(errors="surrogateescape") + b"\0" for name in changed if name in known)
    new = [name for name in changed if name not in known]
    if old:
        back = ("--pathspec-from-file=-", "--pathspec-file-nul", "--source=HEAD", "--staged", "--worktree")
        slot_git(path, "--literal-pathspecs", "restore", *back, stdin=old)
    slot_git(path, "update-index", "--force-remove", "-z", "--stdin", stdin="\0".join([*new, ""]).encode())
    for name in new:
        (path / name).unlink(missing_ok=True)
    return refs


@contextmanager
def _copied_index(path: Path) -> Generator[dict[str, str]]:
    """The environment under which git works with a copy of the worktree's index."""
    original = git_dir_of(path) / "index"
    # In the worktree's own git folder: what a kill leaves there can be told to be ours, and goes with the worktree.
    with tempfile.TemporaryDirectory(prefix=ASIDE, dir=original.parent) as folder:
        index = Path(folder) / "index"
        if original.exists():
            # With its time: git takes a file as unchanged when it is older than the index, and rereads it otherwise.
            shutil.copy2(original, index)
        yield {"GIT_INDEX_FILE": str(index)}


def _commit_files(path: Path, head: str, issue: str) -> str:
    with _copied_index(path) as aside:
        staged = slot_git(path, "write-tree", env=aside, check=False)
        # Files outside the view count as well, hence --sparse; files that the view hides stay as they are.
        slot_git(path, "add", "--all", "--sparse", env=aside, timeout=600)
        files = slot_git(path, "write-tree", env=aside).text
    parent = head
    if staged.code == 0 and staged.text not in (files, tree_of(path, head)):
        parent = _commit(path, staged.text, parent, f"{issue}: what was staged when the slot was given back")
    return _commit(path, files, parent, f"{issue}: uncommitted work when the slot was given back")


def _commit(path: Path, tree: str, parent: str, message: str) -> str:
    return slot_git(path, "commit-tree", tree, "-p", parent, "-m", message, env=IDENTITY).text


def _new_ref(work: Work, commit: str) -> str:
    folder = f"{SAVED}/{ref_part(work.issue)}"
    number = next_number(git(work.root, "for-each-ref", "--format=%(refname)", f"{folder}/", read=True).lines)
    for attempt in range(number, number + 100):
        ref = f"{folder}/{attempt}"
        # An empty old value makes this a creation: a number that somebody took meanwhile is never overwritten.
        if git(work.root, "update-ref", ref, commit, "", check=False).code == 0:
            return ref
    raise Failure("work-not-saved", f"no ref under {folder} could be made for {commit}", mend="agent-coord doctor")
