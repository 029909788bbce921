"""What a slot shows: views applied, widened and kept across a release. Real git."""

import sys
from pathlib import Path

import pytest

from resources.system.errors import NotNow
from resources.worktrees.pool import View
from resources.worktrees.view import SPARSE_INDEX_ABOVE
from tests.support.pools import FILES, make_pool, open_pool
from tests.support.repos import make_repository, write

PRODUCT = Path(__file__).parents[2]


def test_a_view_hides_files_survives_a_release_and_can_be_widened(tmp_path):
    yard = make_pool(tmp_path, 2)
    view = View("closure", ("src/auth",))
    held = yard.pool.acquire("demo-1", "ada", base=yard.head, view=view, prefer="pool-wt-2")
    path = held.slot.path
    assert (held.slot.view["shown"], held.slot.view["total"]) == (4, 6)
    assert not (path / "docs").exists()
    assert (path / "src/app.py").exists()
    write(path, {"docs/hidden.md": "written outside the view\n"})
    assert "docs/a.md" in yard.pool.widen("pool-wt-2", ["docs/**"]).path.joinpath("docs/a.md").as_posix()
    assert (path / "docs/a.md").exists()
    ref = yard.pool.release(held.lease).saved_ref
    assert yard.git("show", f"{ref}:docs/hidden.md") == "written outside the view"
    assert "D" not in yard.git("diff", "--name-status", "main", str(ref))

    wider = View("closure", ("docs", "src/auth"))
    assert yard.pool.acquire("demo-2", "ada", base=yard.head, view=wider).slot.name == "pool-wt-2", "view affinity"
    full = yard.pool.acquire("demo-3", "bob", base=yard.head)
    assert (full.slot.name, (full.slot.path / "docs/a.md").exists()) == ("pool-wt-1", True)
    with pytest.raises(NotNow):
        yard.pool.acquire("demo-4", "cy", base=yard.head)


def test_an_exact_view_shows_its_patterns_and_what_every_view_shows(tmp_path):
    yard = make_pool(
        tmp_path, 1, files=FILES | {"web/package.json": "{}", "web/src/a.ts": "", ".beads/issues.jsonl": ""}
    )
    held = yard.pool.acquire("demo-1", "ada", base=yard.head, view=View("exact", (), ("src/auth/**",)))
    shown = {str(file.relative_to(held.slot.path)) for file in held.slot.path.rglob("*") if file.is_file()} - {".git"}
    assert shown == {"README.md", ".gitignore", "src/auth/login.py", "web/package.json", ".beads/issues.jsonl"}
    yard.pool.release(held.lease)
    assert yard.pool.acquire("demo-2", "bob", base=yard.head).slot.view["shown"] == 9, "the next tenant sees everything"


def test_the_slots_of_a_sparse_main_checkout_are_full(tmp_path):
    root = make_repository(tmp_path / "sparse main", FILES)
    yard = open_pool(root)
    yard.git("sparse-checkout", "set", "--cone", "docs")
    (slot,) = yard.pool.grow(1)
    assert (slot.path / "src/billing/tax.py").exists()
    assert not (root / "src/billing").exists()


def test_another_view_of_an_idle_slot_leaves_nothing_of_the_one_before(tmp_path):
    yard = make_pool(tmp_path, 1)
    first = yard.pool.acquire("demo-1", "ada", base=yard.head, view=View("closure", ("src/auth", "docs")))
    path = first.slot.path
    write(path, {"src/auth/build.cache": "a cache\n"})
    yard.pool.release(first.lease)

    held = yard.pool.acquire("demo-2", "bob", base=yard.head, view=View("closure", ("src/billing",)))

    shown = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()} - {".git"}
    assert shown == {"README.md", ".gitignore", "src/app.py", "src/billing/tax.py", "src/auth/build.cache"}
    assert yard.git("status", "--porcelain", at=path) == ""
    assert (held.slot.view["shown"], held.slot.view["total"]) == (4, 6)


def test_what_was_changed_in_an_idle_slot_survives_another_view(tmp_path):
    yard = make_pool(tmp_path, 1)
    (slot,) = yard.pool.slots()
    write(slot.path, {"docs/a.md": "edited by a person\n"})
    yard.pool.acquire("demo-1", "ada", base=yard.head, view=View("closure", ("src/auth",)))
    assert (slot.path / "docs/a.md").read_text() == "edited by a person\n"


def test_a_view_that_was_left_half_changed_is_put_right_at_release(tmp_path):
    yard = make_pool(tmp_path, 1)
    held = yard.pool.acquire("demo-1", "ada", base=yard.head, view=View("closure", ("src/auth",)))
    yard.git("sparse-checkout", "set", "--cone", "docs", at=held.slot.path)
    assert yard.pool.release(held.lease).quarantined is None
    assert (held.slot.path / "src/auth/login.py").exists()
    assert not (held.slot.path / "docs").exists()


def test_a_view_in_which_the_fast_check_fails_is_given_up_once_and_for_all(tmp_path):
    check = "import pathlib, sys; pathlib.Path('ran.txt').touch(); sys.exit(not pathlib.Path('docs').exists())"
    yard = make_pool(tmp_path, 1, prove_view=(sys.executable, "-c", check))
    held = yard.pool.acquire("demo-1", "ada", base=yard.head, view=View("closure", ("src/auth",)))
    assert (held.slot.view["mode"], (held.slot.path / "docs/a.md").exists()) == ("full", True)
    assert not (held.slot.path / "ran.txt").exists()
    assert "pool-wt-1 shows everything" in yard.said[-1]
    yard.pool.release(held.lease)

    held = yard.pool.acquire("demo-2", "ada", base=yard.head, view=View("closure", ("docs",)))
    assert held.slot.view["mode"] == "closure"


def test_an_idle_slot_of_a_large_tree_shows_little(tmp_path):
    tree = {f"m{n // 100}/d{n % 100 // 4}/f{n}.txt": "" for n in range(SPARSE_INDEX_ABOVE)}
    yard = make_pool(tmp_path, 1, files=FILES | tree)
    (slot,) = yard.pool.slots()
    assert not (slot.path / "src").exists()
    assert (slot.path / "README.md").exists()
    held = yard.pool.acquire("demo-1", "ada", base=yard.head, view=View("closure", ("m3/d2", "src"), total=20_006))
    assert len(list((held.slot.path / "m3/d2").iterdir())) == 4
    assert len(yard.git("ls-files", "--sparse", at=held.slot.path).splitlines()) < 300, "the index is sparse"
    assert not yard.pool.release(held.lease).quarantined
