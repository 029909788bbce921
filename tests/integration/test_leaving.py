"""`cleanup --all` leaves a repository as it was, but for landed work and unsaved work. Real processes, real git."""

import json
from pathlib import Path

import pytest

from tests.support.projects import Place, make_place, writes
from tests.support.repos import git_out

GITS_OWN = {"ORIG_HEAD", "COMMIT_EDITMSG", "index", "FETCH_HEAD", "packed-refs"}


def ours(place: Place) -> dict[str, str]:
    """What a repository says of us: configuration, excludes, refs, hooks and whatever else lies in the git folder."""
    folder = place.root / ".git"
    skipped = ("objects", "logs", "refs")
    files = {
        str(file.relative_to(folder)): file.read_text(errors="replace")
        for file in folder.rglob("*")
        if file.is_file() and file.name not in GITS_OWN and file.relative_to(folder).parts[0] not in skipped
    }
    return files | {"refs": git_out(place.root, "for-each-ref", "--format=%(refname)")}


def set_up(tmp_path: Path, backend: str = "worktree") -> Place:
    """A place whose configuration lies outside of it, so that `init` has none to write."""
    place = make_place(tmp_path / "a project")
    config = place.root / ".agent-worktrees" / "config.toml"
    text = config.read_text().replace("[pool]", f'[pool]\nbackend = "{backend}"', 1)
    (tmp_path / "config.toml").write_text(text.replace(f"{place.root}/.agent-worktrees", str(tmp_path)))
    config.unlink()
    config.parent.rmdir()
    return place


def script(tmp_path: Path, issue: str, text: str) -> None:
    (tmp_path / "scripts").mkdir(exist_ok=True)
    (tmp_path / "scripts" / f"{issue}.toml").write_text(f"[[attempt]]\n{text}")


@pytest.mark.parametrize("backend", ["worktree", "clone"])
def test_nothing_of_ours_is_left(tmp_path: Path, backend: str) -> None:
    place = set_up(tmp_path, backend)
    before = ours(place)
    script(tmp_path, "a-1", writes("one.txt", "1", "a-1: one"))
    config = ("--config", str(tmp_path / "config.toml"))
    place.json(*config, "init")
    assert place.json(*config, "run", "--only", "a-1")["landed"] == 1
    assert "would: delete" in place.run(*config, "cleanup", "--all").stdout
    assert place.json(*config, "cleanup", "--all", "--yes")["kept"] == []
    assert ours(place) == before
    assert not (place.root / ".agent-worktrees").exists()
    assert git_out(place.root, "status", "--porcelain") == " M .beads/issues.jsonl"
    assert git_out(place.root, "log", "-1", "--format=%s") == "Land a-1: Write one.txt"
    assert "agent-coord init" in place.run(*config, "status").stderr


def test_unlanded_work_and_what_a_person_wrote_stay_and_are_told(tmp_path: Path) -> None:
    place = make_place(tmp_path / "a project")
    git_out(place.root, "config", "extensions.worktreeConfig", "true")
    place.json("init")
    slot = Path(place.json("assign", "ann", "a-1")["path"])
    (slot / "half.txt").write_text("half")
    kept = place.json("cleanup", "--all", "--yes")["kept"]
    assert "config.toml in" in kept[0]
    assert kept[1].startswith("1 pieces of unlanded work stay: git for-each-ref refs/agent-coord/saved")
    assert git_out(place.root, "show", "refs/agent-coord/saved/a-1/1:half.txt") == "half"
    assert [path.name for path in (place.root / ".agent-worktrees").iterdir()] == ["config.toml"]
    assert "/.agent-worktrees/" in (place.root / ".git" / "info" / "exclude").read_text()
    assert git_out(place.root, "config", "extensions.worktreeConfig") == "true", "it was so before us"
    assert not (place.root / ".git" / "agent-coord").exists()
    place.json("init")
    assert place.json("cleanup", "--yes")["done"] != []


def test_what_cannot_be_given_back_keeps_the_ledger(tmp_path: Path) -> None:
    place = make_place(tmp_path / "a project")
    place.json("init")
    slot = Path(place.json("assign", "ann", "a-1")["path"])
    git_out(slot, "init", "--quiet", "nested")
    git_out(slot / "nested", "-c", "user.name=a", "-c", "user.email=b", "commit", "--quiet", "--allow-empty", "-m", "x")
    kept = place.json("cleanup", "--all", "--yes")["kept"]
    assert "pool-wt-1 stays: it is quarantine" in kept[0]
    assert (slot / "nested" / ".git").is_dir()
    assert [one["slot"] for one in place.json("status")["slots"]] == ["pool-wt-1"]
    place.run("cleanup", "--yes")


def test_the_server_of_the_slots_goes_too_and_so_does_a_configuration_that_nobody_touched(tmp_path: Path) -> None:
    place = make_place(tmp_path / "a project")
    config = place.root / ".agent-worktrees" / "config.toml"
    config.unlink()
    place.json("init", "--slots", "1")
    assert config.exists()
    server = (place.root / ".git" / "agent-coord" / "postgres" / "cluster.json").read_text()
    cluster = Path(json.loads(server)["folder"])
    assert cluster.is_dir()
    assert place.json("cleanup", "--all", "--yes")["kept"] == []
    assert not cluster.exists()
    assert not (place.root / ".git" / "agent-coord").exists()
    assert not config.parent.exists()
