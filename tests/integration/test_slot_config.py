"""What an agent writes into its slot's git folder is not obeyed by the coordinator. Real processes, real git."""

import json
from pathlib import Path

import pytest

from resources.worktrees.own_config import ours
from tests.support.projects import Place, make_place
from tests.support.repos import git_out

COMMIT = "git add -A && git -c user.name=a -c user.email=a@b commit -qm 'a-1: one'"


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project")
    yield made
    made.run("cleanup", "--yes")


def run(place: Place, script: str) -> tuple[dict, str]:
    """Let an agent that is `script` (for sh) work on a-1; the answer of `run`, and what it said."""
    config = place.root / ".agent-worktrees" / "config.toml"
    text = config.read_text().replace('default = "scripts"', 'default = "unruly"\nattempts = 1')
    config.write_text(f'{text}[agents.programs.unruly]\nkind = "command"\nargv = {json.dumps(["sh", "-c", script])}\n')
    place.json("init")
    done = place.run("run", "--only", "a-1", "--json")
    return json.loads(done.stdout), done.stderr


SPY = """#!/bin/sh
# What the agent itself starts has its variables.
[ -n "$AGENT_COORD_ISSUE" ] || echo "$@" >> "{ran}"
[ "$1" != filter ] || cat
"""
PLANTED = """[core]
\tfsmonitor = {spy} fsmonitor
\thooksPath = {hooks}
[filter "x"]
\tclean = {spy} filter
\tsmudge = {spy} filter
[include]
\tpath = {more}
"""
MORE = """[diff]
\texternal = {spy} external
[log]
\tshowSignature = true
[gpg]
\tprogram = {spy}
"""


OURS = ["core.excludesfile", "core.hookspath"]


def plant(tmp_path: Path) -> Path:
    """The configuration that an agent plants; all that it names writes into the file `ran` when others run it."""
    spy, hooks = tmp_path / "spy", tmp_path / "hooks"
    spy.write_text(SPY.format(ran=tmp_path / "ran"))
    spy.chmod(0o755)
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-commit"):
        (hooks / name).symlink_to(spy)
    (tmp_path / "more").write_text(MORE.format(spy=spy))
    (tmp_path / "planted").write_text(PLANTED.format(spy=spy, hooks=hooks, more=tmp_path / "more"))
    return tmp_path / "planted"


@pytest.mark.parametrize("backend", ["worktree", "clone"])
def test_programs_that_an_agent_plants_are_not_run_by_the_coordinator(
    place: Place, tmp_path: Path, backend: str
) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text().replace("[pool]", f'[pool]\nbackend = "{backend}"', 1))
    (place.root / ".env").write_text("SECRET=1\n")
    planted, files = plant(tmp_path), ["config.worktree"] + ["config"] * (backend == "clone")
    puts = "".join(f"""cat '{planted}' >> "$(git rev-parse --git-dir)/{name}"; """ for name in files)
    leaves = "echo '* filter=x' > .gitattributes; echo 1 > one.txt; echo more >> README.md"
    answer, err = run(place, f"git config --worktree --unset core.excludesFile; {puts} {leaves}")
    assert answer["landed"] == 0
    assert "git's settings there are as we made them again" in err
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()
    saved = git_out(place.root, "ls-tree", "--name-only", "refs/agent-coord/saved/a-1/1").splitlines()
    assert ".env" not in saved, "what was copied into the slot stays ignored there"
    assert git_out(place.root, "show", "refs/agent-coord/saved/a-1/1:one.txt") == "1", "its work is saved all the same"
    slot = place.root / ".agent-worktrees" / "pool-wt-1"
    assert sorted(git_out(slot, "config", "--worktree", "--name-only", "--list").split()) == OURS
    assert str(tmp_path / "spy") not in git_out(slot, "config", "--list")
    assert place.json("status")["slots"][0]["state"] == "idle"


def test_nor_are_they_by_a_look_of_the_radar(place: Place, tmp_path: Path) -> None:
    place.json("init")
    slot = Path(place.json("assign", "ann", "a-1")["path"])
    folder = Path(git_out(slot, "rev-parse", "--absolute-git-dir"))
    with (folder / "config.worktree").open("a") as file:
        file.write(plant(tmp_path).read_text())
    (slot / ".gitattributes").write_text("* filter=x\n")
    (slot / "README.md").write_text("changed\n")
    assert [piece["issue"] for piece in place.json("radar")["pieces"]] == ["a-1"]
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()


@pytest.mark.parametrize("pointer", ["gitdir: /nowhere", "gitdir: {fake}", "nonsense", ""])
def test_a_slot_whose_pointer_was_bent_is_still_the_slot(place: Place, tmp_path: Path, pointer: str) -> None:
    git_out(tmp_path, "init", "-q", "fake")
    text = pointer.format(fake=tmp_path / "fake" / ".git")
    answer, err = run(place, f"echo 1 > one.txt; {COMMIT}; rm .git; [ -z '{text}' ] || echo '{text}' > .git")
    assert answer["landed"] == 1, err
    assert place.json("status")["slots"][0]["state"] == "idle"


def test_a_repository_of_the_agents_own_in_place_of_the_slots_is_kept(place: Place) -> None:
    own = f"rm .git; git init -q; echo 2 > two.txt; {COMMIT.replace('a-1: one', 'mine')}"
    answer, err = run(place, f"echo 1 > one.txt; {COMMIT}; {own}")
    assert answer["landed"] == 1, "what it committed before is on its branch"
    assert "pool-wt-1 is no worktree of this repository any more" in err
    assert place.json("status")["slots"][0]["state"] == "quarantine"
    slot = place.root / ".agent-worktrees" / "pool-wt-1"
    assert git_out(slot, "log", "--format=%s") == "mine"


def test_what_git_writes_for_us_is_known_and_nothing_else() -> None:
    text = "[core]\n\tsparseCheckout = true\n\thooksPath = /a b/agent-coord/hooks\n[index]\n\tsparse = false\n"
    assert ours(text, "/a b") == (text, [])
    assert ours(text, "/else")[1] == ["hooksPath = /a b/agent-coord/hooks"]
    own = '[user]\n\tname = Ann\n\temail = "x\n[merge]\n\tconflictStyle = zdiff3\n\tdriver = sh\n'
    assert ours(own, "", at_work=True)[0] == "[user]\n\tname = Ann\n[merge]\n\tconflictStyle = zdiff3\n"
    assert ours(own, "")[0] == "", "the next tenant has a name of its own"
    bent = text + '[core "x"]\n\tsparseCheckout = true\n[core]\n\tsparse = true\n\tsparseCheckout = !sh\n'
    assert ours(bent, "/a b")[0] == text
    assert ours('[include]\n\tpath = x\n[core] fsmonitor = "x\\\n"\n', "")[0] == ""


@pytest.mark.parametrize("name", ["a b", 'a "b" \\ c', "c# ; d"])
def test_our_own_settings_are_known_as_git_spells_them(tmp_path: Path, name: str) -> None:
    folder, file = tmp_path / name, tmp_path / "config"
    git_out(tmp_path, "config", "--file", str(file), "core.excludesFile", f"{folder}/agent-coord-excludes")
    assert ours(file.read_text(), str(folder)) == (file.read_text(), [])
