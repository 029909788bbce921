"""What a repository is like is said: submodules, large files, reftable, a disk with discard."""

from resources.system.repository import find_repository
from resources.worktrees.surroundings import remarks
from tests.support.repos import commit, git_out, make_repository


def told(root, mounts):
    return [remark.what for remark in remarks(find_repository(root), root / ".agent-worktrees", mounts)]


def test_a_plain_repository_has_no_remarks(tmp_path):
    root = make_repository(tmp_path / "plain", {"a.txt": "a\n"})
    (tmp_path / "mounts").write_text("/dev/a / ext4 rw,relatime 0 0\n")
    assert told(root, tmp_path / "mounts") == told(root, tmp_path / "no such file") == []


def test_what_is_different_is_said(tmp_path):
    inner = make_repository(tmp_path / "inner", {"a.txt": "a\n"})
    root = make_repository(tmp_path / "my repository", {".gitattributes": "*.bin filter=lfs diff=lfs -text\n"})
    git_out(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "lib/inner")
    commit(root, {}, "a submodule")
    git_out(root, "config", "--file", str(root / ".git/config"), "extensions.refStorage", "reftable")
    escaped = str(root).replace(" ", "\\040")
    (tmp_path / "mounts").write_text(f"/dev/a / ext4 rw 0 0\n/dev/b {escaped} ext4 rw,discard,relatime 0 0\n")

    submodules, large, references, disk = told(root, tmp_path / "mounts")

    assert "lib/inner" in submodules
    assert "git lfs is not set up" in large
    assert "reftable" in references
    assert "discard" in disk
