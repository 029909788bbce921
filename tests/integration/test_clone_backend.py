"""The whole way of two issues with clones as slots: agents work, the gate judges, both land, nothing is left."""

from tests.support.projects import CONFIG, make_place, writes
from tests.support.repos import git_out


def test_issues_land_from_clones(tmp_path):
    place = make_place(tmp_path / "a project")
    config = place.root / ".agent-worktrees" / "config.toml"
    assert CONFIG in config.read_text()
    config.write_text(config.read_text().replace("size = 2", 'size = 2\nbackend = "clone"'))
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.script("a-2", writes("two.txt", "2", "a-2: two"))
    place.json("init")
    assert (place.root / ".agent-worktrees" / "pool-wt-1" / ".git").is_dir()
    assert place.json("run")["landed"] == 2
    assert git_out(place.root, "ls-tree", "--name-only", "main").splitlines()[-2:] == ["one.txt", "two.txt"]
    assert git_out(place.root, "branch", "--list", "agent/*") == ""
    place.json("cleanup", "--yes")
    assert place.json("detect-leaks", program="resource-monitor")["leaks"] == []
