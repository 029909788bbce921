"""`scope apply`: a slot shows what was asked for, with what that imports."""

from tests.support.projects import make_place

FILES = {
    "app/users.py": "from app.store import rows\n",
    "app/store/rows.py": "",
    "app/__init__.py": "",
    "docs/a.md": "",
    "web/page.ts": "",
    "web/deep/other.ts": "",
}


def test_a_closure_holds_what_its_files_import(tmp_path):
    place = make_place(tmp_path / "a project", FILES)
    place.json("init")
    slot = place.root / ".agent-worktrees" / "pool-wt-1"
    view = place.json("scope", "apply", "pool-wt-1", "app/users.py", "--mode", "closure")["view"]
    assert view["mode"] == "closure"
    assert (slot / "app/store/rows.py").exists()
    assert not (slot / "web").exists()
    assert place.run("scope", "apply", "pool-wt-1", "app", "--mode", "all").returncode == 2
    assert place.json("scope", "apply", "pool-wt-1", "app", "--mode", "full")["view"]["mode"] == "full"
    assert (slot / "web/page.ts").exists()


def test_commands_of_the_configuration_run_only_when_approved(tmp_path):
    place = make_place(tmp_path / "a project")
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text().replace("size = 2", 'size = 1\nsetup = ["touch", "furnished.txt"]'))
    refused = place.run("init")
    assert (refused.returncode, "touch furnished.txt" in refused.stderr) == (1, True)
    assert "agent-coord pool approve" in refused.stderr
    assert place.json("pool", "approve")["approved"] == ["touch furnished.txt"]
    place.json("init")
    assert (place.root / ".agent-worktrees" / "pool-wt-1" / "furnished.txt").exists()
