"""kill -9 of us, and of git, at each git call and each write to the ledger: the next repair puts everything right."""

import itertools
import shutil
from pathlib import Path

import pytest

from resources.leaks.repository_things import branches
from resources.state import leases
from tests.support.killing import SETTINGS, WAYS, killed
from tests.support.pools import Yardful, make_pool, open_pool
from tests.support.repos import commit, write
from tests.support.watched import bury

PATIENCE = 4
"""Repairs after which the pool must be in order."""


def prepare(folder: Path, operation: str, backend: str) -> tuple[Yardful, str]:
    """A pool before the operation; and, before a release, the commit that must not be lost."""
    yard = make_pool(folder, 0 if operation == "grow" else 2, backend=backend, **SETTINGS)
    work = ""
    if operation == "release":
        held = yard.pool.acquire("demo-1", "ada", base=yard.head)
        work = commit(held.slot.path, {"src/new.py": "committed\n"}, "work")
        write(held.slot.path, {"docs/a.md": "edited\n", "untracked.txt": "untracked\n"})
    if operation in ("refresh", "acquire"):
        commit(yard.root, {"docs/b.md": "next\n"}, "next")
    yard.ledger.close()
    return yard, work


def assert_whole(root: Path, work: str, backend: str, *, locks_may_stay: bool = False) -> None:
    """Nothing is lost, nothing is left over, and every slot can be lent.

    A git that was killed itself leaves the lock of a ref behind; the leak sweep takes it once nobody holds it.
    """
    yard = open_pool(root, backend=backend, **SETTINGS)
    try:
        with yard.ledger.read() as snapshot:
            held = leases.live(snapshot)
        for lease in held:
            bury(yard.ledger, lease)
        said = [said for _ in range(PATIENCE) for said in yard.pool.repair()]
        assert yard.pool.repair() == [], said
        slots = sorted(yard.states())
        assert set(yard.states().values()) <= {"idle"}, said
        assert yard.leases() == []
        registered = slots if backend == "worktree" else []
        assert (yard.folders(), yard.worktrees()) == (slots, registered)
        entries = yard.repository.common / "worktrees"
        assert (sorted(path.name for path in entries.iterdir()) if entries.exists() else []) == registered
        locks = set(yard.repository.common.rglob("*.lock")) - set(yard.repository.state.rglob("*.lock"))
        assert locks_may_stay or not locks, "git's locks are gone"
        if work:
            # Under the name, or under "quarantine" when whoever repaired could not tell whose it is.
            refs = yard.git("for-each-ref", "--format=%(refname)", "refs/agent-coord/saved").splitlines()
            assert yard.git("for-each-ref", f"--contains={work}", "refs/agent-coord/saved")
            shown = {yard.git("show", f"{ref}:docs/a.md") for ref in refs}
            assert "edited" in shown
            assert "untracked" in {yard.git("ls-tree", "--name-only", ref, "untracked.txt")[:9] for ref in refs}
        left = yard.git("branch", "--list", "agent/*", "--format=%(refname:short)").splitlines()
        assert left == [leak.name for leak in branches(yard.repository, yard.root / ".agent-worktrees")], (
            "a leak at most"
        )
        for number, name in enumerate(slots):
            held = yard.pool.acquire(f"again-{number}", "ada", base=yard.head)
            assert yard.git("status", "--porcelain", at=held.slot.path) == "", name
            assert (held.slot.path / "src/billing/tax.py").exists()
    finally:
        yard.ledger.close()


@pytest.mark.parametrize(
    ("operation", "way", "backend"),
    [
        *itertools.product(["release"], WAYS, ["worktree"]),
        ("acquire", "during", "worktree"),
        ("grow", "before", "worktree"),
        ("grow", "git", "worktree"),
        ("shrink", "git", "worktree"),
        ("release", "before", "clone"),
        ("grow", "during", "clone"),
    ],
)
def test_a_kill_at_any_step_loses_nothing_and_leaves_nothing(tmp_path, operation, way, backend):
    yard, work = prepare(tmp_path / "place", operation, backend)
    (tmp_path / "place").rename(tmp_path / "before")
    step = WAYS.index(way) + 1  # so that each step is hit in one of the ways
    while True:
        # Worktrees know where they are, so each kill is dealt to a copy that lies in the same place.
        shutil.copytree(tmp_path / "before", tmp_path / "place", symlinks=True)
        was_killed = killed(yard.root, operation, step, way, backend)
        assert_whole(yard.root, work, backend, locks_may_stay=way == "git")
        shutil.rmtree(tmp_path / "place")
        if not was_killed:
            break
        step += len(WAYS)
    assert step > len(WAYS)
