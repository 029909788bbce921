"""Taking back what may hold work: a slot whose lease is over, a worktree without a slot, a branch without a task.

Nothing goes before its work is landed or saved under a ref. What cannot be saved is not removed: the worktree
becomes a quarantined slot, where `agent-coord status` shows it to a person.
"""

from __future__ import annotations

from pathlib import Path

from resources.leaks.detect import Leak
from resources.leaks.outcome import GONE, RECLAIMED, Outcome, kept
from resources.leaks.repository_things import registry
from resources.monitor.watched import Watched
from resources.state.leases import Lease, is_over
from resources.system.errors import Failure
from resources.system.git import current_branch, dirty_files, git, resolve
from resources.worktrees.checkout import trouble
from resources.worktrees.clones import collect
from resources.worktrees.own_config import regain
from resources.worktrees.pool import Pool
from resources.worktrees.records import Records
from resources.worktrees.registry import remove, rename_back
from resources.worktrees.saving import Work, save_commit, save_slot
from resources.worktrees.slots import Slot, parse_name
from resources.worktrees.view import View


def reclaim_slot_lease(watched: Watched, lease: Lease) -> Outcome:
    """Give back a slot whose lease is over, as its holder would have: the pool saves the work first."""
    records = Records(watched.ledger)
    now = records.leases().get(lease.resource)
    if now is None or now.fence != lease.fence:
        return GONE
    if not is_over(now):
        return kept("it was renewed")
    if records.slot(now.resource) is None:
        return kept("it is no slot of the pool; the next coordinator, or agent-coord doctor --fix, takes it back")
    released = Pool(watched.repository, watched.ledger, watched.settings.pool, watched.databases).release(now)
    if released.quarantined:
        return Outcome("quarantined", released.quarantined)
    return Outcome("reclaimed", f"work saved as {released.saved_ref}" if released.saved_ref else "")


def reclaim_slot(watched: Watched, leak: Leak) -> Outcome:
    """Take down a slot that was left half made; set aside one that is given out to nobody."""
    said = Pool(watched.repository, watched.ledger, watched.settings.pool, watched.databases).repair_rows()
    slot = Records(watched.ledger).slot(leak.name)
    if slot is None or slot.state == "idle":
        return RECLAIMED
    if slot.state == "quarantine":
        return Outcome("quarantined", slot.note)
    return kept(next((line for line in said if leak.name in line), "somebody is at it"))


def reclaim_worktree(watched: Watched, leak: Leak) -> Outcome:
    """Save and remove a worktree of ours that the ledger does not know; quarantine it when that fails."""
    records = Records(watched.ledger)
    if records.slot(leak.name) is not None:
        return kept("it is a slot again")
    path: Path = leak.thing.facts["path"]
    home: Path | None = leak.thing.facts.get("home")
    if home is not None:
        return _renamed_back(path, home)
    try:
        saved = _save(watched, path)
    except (Failure, OSError) as error:
        purpose, number = parse_name(leak.name) or ("work", 0)
        why = f"{error.what} {error.why}".strip() if isinstance(error, Failure) else str(error)
        slot = Slot(leak.name, number, purpose, path, "making", "", View.full(0).to_json(), "", (0, 0), "")
        records.adopt(slot, f"found without a slot, and its work could not be saved: {why}")
        return Outcome("quarantined", why)
    remove(watched.repository, path)
    return _saved_as(saved)


def _renamed_back(path: Path, home: Path) -> Outcome:
    if not path.exists():
        return GONE
    # Once another worktree has its registration, git in this folder would work on that one.
    back = rename_back(path, home)
    return RECLAIMED if back else Outcome("reported", f"look into it: {home.name} was made anew meanwhile")


def _save(watched: Watched, path: Path) -> list[str]:
    if not path.exists() or not any(path.iterdir()):
        return []
    regain(watched.repository, path)
    why = trouble(path, watched.repository.common)
    if not why:
        dirty = dirty_files(path)
        nested = [name for name in dirty if name.endswith("/")]
        if not nested:
            issue = _issue(current_branch(path) or "", path.name)
            collect(watched.repository, path)
            return save_slot(_work(watched, path.name, issue), path, dirty=bool(dirty))
        why = f"it holds a git repository of its own: {nested[0]}"
    raise Failure("work-not-saved", why)


def reclaim_branch(watched: Watched, leak: Leak) -> Outcome:
    """Save what has not landed and delete the branch, unless it moved or is checked out."""
    root, tip = watched.repository.root, leak.thing.facts["tip"]
    ref = f"refs/heads/{leak.name}"
    now = resolve(root, ref)
    if now is None:
        return GONE
    if now != tip:
        return kept("it has moved")
    holder = next((entry.path for entry in registry(watched.repository) if entry.branch == leak.name), None)
    if holder is not None:
        return kept(f"it is checked out in {holder.name}")
    slot = leak.name.split("/")[1]
    saved = save_commit(_work(watched, slot, leak.thing.facts["issue"]), tip)
    if git(root, "update-ref", "-d", ref, tip, check=False).code != 0:
        return kept("it has moved")
    return _saved_as(saved)


def _work(watched: Watched, slot: str, issue: str) -> Work:
    root = watched.repository.root
    landed_on = Records(watched.ledger).base_branch() or current_branch(root) or ""
    return Work(watched.repository, slot, issue, base="", base_branch=landed_on)


def _issue(branch: str, otherwise: str) -> str:
    parts = branch.split("/")
    return parts[2] if len(parts) == 4 and parts[0] == "agent" else otherwise


def _saved_as(refs: list[str]) -> Outcome:
    return Outcome("reclaimed", f"work saved as {', '.join(refs)}" if refs else "")
