"""The backend `clone`: a slot with refs, configuration, hooks, stash and index of its own, on the shared objects.

A clone borrows the objects of the main repository, so it costs what a worktree costs; nothing that an agent does to
refs or configuration in it reaches anybody else. Its work comes back by a fetch (`collect`), for which it is asked
before a landing and at release. While a clone lives the main repository must not prune what it may borrow:
`gc.pruneExpire` is `never` until the last one is gone.

A clone is ours by the file `agent-coord-main` in its git folder, which names the repository that it borrows from and
the slot that it is; so it is found under any name that a hand gives to its folder.
"""

from __future__ import annotations

import re
from pathlib import Path

from resources.system.errors import Failure
from resources.system.files import replace_file
from resources.system.git import git, registry_lock
from resources.system.repository import MAIN, Repository, clone_name, is_clone_of
from resources.worktrees.checkout import slot_git
from resources.worktrees.slots import branches_of
from resources.worktrees.trash import TRASH

_OWN = re.compile(
    r"(core\.(bare|worktree|repositoryformatversion|sparsecheckout.*)|(extensions|remote|branch|gc)\..*)\Z"
)
"""Configuration that belongs to one repository and is not handed on to its clones."""
_PRUNE, _SPARED = "gc.pruneExpire", "agent-coord.sparedFrom"


def make_clone(repository: Repository, slot: Path, base: str) -> None:
    """Make the clone `slot` without a file in it, detached at `base`."""
    slot.parent.mkdir(parents=True, exist_ok=True)
    with registry_lock(repository.common):
        _spare(repository)
    git(repository.root, "clone", "--quiet", "--shared", "--no-checkout", "--no-tags", ".", str(slot), timeout=600)
    folder = slot / ".git"
    replace_file(folder / MAIN, f"{repository.common}\n{slot.name}\n")
    excluded = repository.common / "info" / "exclude"
    if excluded.is_file():
        replace_file(folder / "info" / "exclude", excluded.read_bytes())
    _hand_on_configuration(repository, slot)
    slot_git(slot, "update-ref", "--no-deref", "HEAD", base)


def _hand_on_configuration(repository: Repository, slot: Path) -> None:
    listed = git(repository.root, "config", "--file", str(repository.common / "config"), "--list", "-z", read=True)
    for record in listed.records:
        key, _, value = record.partition("\n")
        if not _OWN.match(key):
            slot_git(slot, "config", "--add", key, value)
    # What an agent pushes goes nowhere: landing is the coordinator's.
    slot_git(slot, "config", "remote.origin.pushurl", "agent-coord-lands-the-work")
    # What is written to the slot's own configuration later (its view, its hooks) goes to a file of its own.
    slot_git(slot, "config", "extensions.worktreeConfig", "true")
    replace_file(kept_config(repository, slot), (slot / ".git" / "config").read_bytes())


def kept_config(repository: Repository, slot: Path) -> Path:
    """Where a clone's configuration is kept as it was made, out of the reach of who works in it."""
    return repository.state / "clones" / f"{slot.name}.config"


def _spare(repository: Repository) -> None:
    config = ("config", "--file", str(repository.common / "config"))
    if git(repository.root, *config, _SPARED, check=False, read=True).code == 0:
        return
    before = git(repository.root, *config, _PRUNE, check=False, read=True).text
    git(repository.root, *config, _SPARED, before)
    git(repository.root, *config, _PRUNE, "never")


def stop_sparing(repository: Repository, pool: Path) -> None:
    """Let the main repository prune as before when no clone borrows from it any more; the caller holds its lock."""
    config = ("config", "--file", str(repository.common / "config"))
    spared = git(repository.root, *config, _SPARED, check=False, read=True)
    if spared.code != 0 or clones(repository, pool):
        return
    if spared.text:
        git(repository.root, *config, _PRUNE, spared.text)
    else:
        git(repository.root, *config, "--unset-all", _PRUNE, check=False)
    git(repository.root, *config, "--unset-all", _SPARED, check=False)


def clones(repository: Repository, pool: Path) -> list[Path]:
    """The clones of this repository in the pool's folder, renamed ones too; not those that are being deleted."""
    found = sorted(pool.iterdir()) if pool.is_dir() else []
    return [path for path in found if not path.name.startswith(TRASH) and is_clone_of(repository, path)]


def renamed_clones(repository: Repository, pool: Path) -> dict[Path, Path]:
    """The clones that somebody renamed by hand: where each is now, and where it belongs."""
    named = {path: clone_name(path) for path in clones(repository, pool)}
    return {path: pool / name for path, name in named.items() if name not in ("", path.name)}


def collect(repository: Repository, slot: Path) -> None:
    """Bring the slot's branches, and what its HEAD reaches, into the main repository. Nothing to do for a worktree.

    Only `agent/<slot>/` is written there. Raises Failure("git-failed").
    """
    if not is_clone_of(repository, slot):
        return
    ours = f"refs/heads/{branches_of(slot.name)}*"
    bring(repository, slot, "HEAD")
    git(repository.root, *_FETCH, str(slot), f"+{ours}:{ours}", timeout=600)


_FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")


def bring(repository: Repository, slot: Path, commit: str) -> None:
    """Bring the objects of one commit of the slot into the main repository, under no ref."""
    if is_clone_of(repository, slot):
        slot_git(slot, "update-ref", _OUTGOING, commit)
        git(repository.root, *_FETCH, str(slot), _OUTGOING, timeout=600)
        slot_git(slot, "update-ref", "-d", _OUTGOING)


_OUTGOING = "refs/agent-coord/outgoing"


def forget_branches(repository: Repository, slot: Path) -> None:
    """Delete the slot's branches in a clone, each only while the main repository has what it reaches."""
    if not is_clone_of(repository, slot):
        return
    form = ("for-each-ref", "--format=%(objectname) %(refname)", f"refs/heads/{branches_of(slot.name)}")
    for line in slot_git(slot, *form, read=True).lines:
        tip, _, ref = line.partition(" ")
        if git(repository.root, "cat-file", "-e", f"{tip}^{{commit}}", check=False, read=True).code != 0:
            raise Failure("work-not-saved", f"{ref} of {slot.name} is not in the main repository")
        slot_git(slot, "update-ref", "-d", ref, tip)
