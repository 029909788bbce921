"""What stands in slots is captured as git would commit it, and nothing of a slot is touched."""

import shutil
from pathlib import Path

import pytest

from resources.system.repository import git_dir_of
from resources.worktrees.captures import capture
from resources.worktrees.pool import View
from tests.support.pools import Yardful, make_pool
from tests.support.repos import commit, git_out, write

FILES = {
    ".gitignore": "*.cache\n",
    ".gitattributes": "*.txt text=auto\n",
    "edited.txt": "1\n2\n",
    "dos.txt": "kept\r\n",
    "moved.py": "m\n" * 9,
    "gone/only.py": "g\n",
    "tool.sh": "t\n",
    "link": "l\n",
    "file": "f\n",
    "folder/in.py": "i\n",
    "staged.py": "s\n",
    "src/a.py": "a\n",
    "docs/b.md": "b\n",
}


@pytest.fixture(params=["worktree", "clone"])
def yard(tmp_path, request):
    made = make_pool(tmp_path, 2, files=FILES, backend=request.param)
    yield made
    made.ledger.close()


def lend(yard: Yardful, issue: str, view: View | None = None) -> Path:
    return yard.pool.acquire(issue, "ada", base=yard.head, view=view or View.full(0)).slot.path


def as_git_adds(slot: Path, aside: Path) -> str:
    """The tree that `git add --all` makes of a slot."""
    shutil.copy2(git_dir_of(slot) / "index", aside)
    git_out(slot, "add", "--all", "--sparse", GIT_INDEX_FILE=str(aside))
    return git_out(slot, "write-tree", GIT_INDEX_FILE=str(aside))


def change_everything(slot: Path) -> set[str]:
    """One change of each kind; returns the paths."""
    write(slot, {"edited.txt": "1\ntwo\n", "new/deep/one.py": "n\n", "new/left.cache": "", 'a "new" \\ na\nme': "n\n"})
    (slot / "dos.txt").write_bytes(b"kept\r\nand more\r\n")
    (slot / "moved.py").rename(slot / "moved away.py")
    (slot / "gone/only.py").unlink()
    (slot / "tool.sh").chmod(0o755)
    for name in ("link", "file", "folder/in.py"):
        (slot / name).unlink()
    (slot / "link").symlink_to("edited.txt")
    write(slot, {"file/now.py": "a folder\n"})
    (slot / "folder").rmdir()
    (slot / "folder").symlink_to("src")
    write(slot, {"staged.py": "staged\n", "forced.cache": "forced\n"})
    git_out(slot, "add", "--force", "staged.py", "forced.cache")
    write(slot, {"staged.py": "and edited again\n"})
    changed = {"edited.txt", "dos.txt", "moved.py", "moved away.py", "gone/only.py", "tool.sh", "link", "file"}
    return changed | {
        "file/now.py", "folder", "folder/in.py", "staged.py", "forced.cache", "new/deep/one.py", 'a "new" \\ na\nme',
    }  # fmt: skip


def test_every_kind_of_change_is_captured_as_git_would_commit_it(yard, tmp_path):
    slot, still = lend(yard, "demo-1"), lend(yard, "demo-2")
    changed = change_everything(slot)
    before = (git_dir_of(slot) / "index").read_bytes(), git_out(slot, "status", "--porcelain")
    refs, packs = yard.git("for-each-ref"), sorted(yard.repository.common.glob("objects/pack/*"))
    seen = capture(yard.repository, {slot: yard.head, still: yard.head})
    assert seen[slot].dirty == changed
    assert yard.git("rev-parse", f"{seen[slot].commit}^{{tree}}") == as_git_adds(slot, tmp_path / "index")
    assert yard.git("rev-parse", f"{seen[slot].commit}^") == yard.head
    assert (seen[still].commit, seen[still].dirty) == (yard.head, frozenset())
    assert before == ((git_dir_of(slot) / "index").read_bytes(), git_out(slot, "status", "--porcelain"))
    assert yard.git("for-each-ref") == refs
    assert sorted(yard.repository.common.glob("objects/pack/*")) == packs, "packs would pile up"
    assert capture(yard.repository, {slot: yard.head})[slot] == seen[slot], "the same work is the same commit"


def test_each_slot_is_captured_over_its_own_head(yard):
    first, second = lend(yard, "demo-1"), lend(yard, "demo-2")
    tip = commit(first, {"edited.txt": "committed\n"}, "demo-1: work")
    write(first, {"src/a.py": "first\n"})
    write(second, {"src/a.py": "second\n"})
    seen = capture(yard.repository, {first: yard.head, second: yard.head})
    assert [yard.git("show", f"{seen[slot].commit}:src/a.py") for slot in (first, second)] == ["first", "second"]
    assert [(seen[slot].head, seen[slot].dirty) for slot in (first, second)] == [
        (tip, {"src/a.py"}), (yard.head, {"src/a.py"}),
    ]  # fmt: skip
    assert yard.git("show", f"{seen[first].commit}:edited.txt") == "committed"


def test_what_a_view_hides_stays_as_it_is(yard, tmp_path):
    slot = lend(yard, "demo-1", View("closure", ("src",)))
    assert not (slot / "docs").exists()
    write(slot, {"src/a.py": "changed\n", "docs/outside.md": "written outside the view\n"})
    seen = capture(yard.repository, {slot: yard.head})[slot]
    assert seen.dirty == {"src/a.py", "docs/outside.md"}
    assert yard.git("rev-parse", f"{seen.commit}^{{tree}}") == as_git_adds(slot, tmp_path / "index")


def test_an_unfinished_merge_is_captured_as_its_files_stand(yard):
    slot = lend(yard, "demo-1")
    side = commit(slot, {"edited.txt": "side\n"}, "side")
    git_out(slot, "reset", "--quiet", "--hard", yard.head)
    commit(slot, {"edited.txt": "other\n"}, "other")
    with pytest.raises(Exception, match="merge"):
        git_out(slot, "merge", side)
    seen = capture(yard.repository, {slot: yard.head})[slot]
    assert seen.dirty == {"edited.txt"}
    assert yard.git("show", f"{seen.commit}:edited.txt") == (slot / "edited.txt").read_text().rstrip("\n")


def test_a_repository_within_is_left_out_and_a_slot_that_cannot_be_read(yard):
    slot, broken = lend(yard, "demo-1"), lend(yard, "demo-2")
    git_out(slot, "init", "--quiet", "vendor")
    write(slot, {"vendor/x.py": "x\n", "src/a.py": "changed\n"})
    write(broken, {"src/a.py": "changed too\n"})
    (git_dir_of(broken) / "index").write_text("no index")
    seen = capture(yard.repository, {slot: yard.head, broken: yard.head})
    assert {path: one.dirty for path, one in seen.items()} == {slot: {"src/a.py"}}
