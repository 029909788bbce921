"""Behind a wall no file outside is touched, whatever is tried, and honest work goes on. Each wall is tried for real."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.guard.posts import tool_hook
from coordinator.guard.proof import prove_wall
from coordinator.guard.walls import LEDGER, choose_wall, offered, temporary_folder, walled, writable
from resources.state.sqlite import SqliteLedger
from resources.system.errors import Failure
from tests.support.escapes import ESCAPES, PRELUDE
from tests.support.guarded import Guarded, make_guarded
from tests.support.projects import make_place
from tests.support.repos import commit, git_out

CONFIG = '[scope]\nwall = "auto"\nwall_writes = []\n'


@pytest.fixture(params=["landlock", "bwrap"])
def kind(request: pytest.FixtureRequest) -> str:
    offer = offered()
    if request.param not in offer.kinds:
        pytest.skip(offer.missing[request.param])
    return request.param


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    made = make_guarded(tmp_path, CONFIG)
    git_out(made.root, "branch", "elsewhere")
    git_out(made.root, "worktree", "add", "-q", str(tmp_path / "other"), "elsewhere")
    commit(tmp_path / "other", {"bob/held.py": "held = 2\n", "bob/more.py": "more\n"}, "bob's own work")
    (tmp_path / "outside.txt").write_text("as it was\n")
    yield made
    made.close()


def behind(guarded: Guarded, kind: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the slot behind a wall."""
    places = writable(guarded.project.repository, guarded.project.config.scope, guarded.slot)
    argv = walled(kind, ("sh", "-c", script), guarded.slot, places)
    return guarded.shell(shlex.join(argv), TMPDIR=str(temporary_folder(guarded.slot)))


def all_outside(guarded: Guarded) -> dict[str, tuple[int, int, bytes]]:
    """Every file around the slot that is not the agent's, with its mode, its links and what it holds."""
    common, name = guarded.root / ".git", guarded.held.slot.name
    own = [guarded.slot, common / "objects", common / "worktrees" / name]
    own += [common / part / "heads" / "agent" / name for part in ("refs", "logs/refs")]
    own += [guarded.project.repository.state / file for file in LEDGER]
    found = {}
    for folder, folders, files in os.walk(guarded.root.parent):
        here = Path(folder)
        folders[:] = [one for one in folders if here / one not in own]
        for file in (here / one for one in (*files, *folders) if here / one not in own):
            told = file.lstat()
            held = file.read_bytes() if file.is_file() else b""
            found[str(file)] = (told.st_mode, 0 if file.is_dir() else told.st_nlink, held)
    return found


def test_no_escape_touches_a_file_outside(guarded: Guarded, kind: str) -> None:
    behind(guarded, kind, "true")
    before = all_outside(guarded)
    assert {"outside.txt", "README.md", "config", "elsewhere"} <= {Path(path).name for path in before}
    for way, script in ESCAPES.items():
        behind(guarded, kind, PRELUDE + script)
        after = all_outside(guarded)
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        assert changed == set(), way
        guarded.undo()
        before = all_outside(guarded)


def test_nothing_written_by_hand_gets_outside_and_work_goes_on(guarded: Guarded, kind: str) -> None:
    root, outside = shlex.quote(str(guarded.root)), shlex.quote(str(guarded.root.parent / "outside.txt"))
    before, me = all_outside(guarded), os.getpid()
    for way in (
        f"echo x > {root}/README.md", f"echo x > {root}/new.txt", f"rm {root}/README.md", f"echo x > {outside}",
        f"mv {outside} mine/", f": > {outside}", f"ln {outside} mine/hard; echo x > mine/hard",
        f"ln -s {outside} mine/soft; echo x > mine/soft", "git config user.name x",
        "git update-ref refs/heads/main $(git commit-tree -m x HEAD^{tree})",
        "git -c core.hooksPath=/dev/null branch -f elsewhere", "git stash", "git worktree add ../nested",
        f"cd {root} && git -c core.hooksPath=/dev/null commit --allow-empty -qm x", "git worktree prune",
        f"python3 -c 'import os, sys; os.truncate(sys.argv[1], 0)' {outside}",
        f"sed -i s/was/is/ {outside}", *([f"chmod 600 {outside}"] if kind == "bwrap" else []),
        f"echo x > /proc/{me}/root{outside}", f"echo x > /proc/$PPID/root{outside}", f"touch /proc/{me}/cwd/not-there",
        f"mount -o remount,rw /; umount -l {root}; echo x > {outside}",
        f"unshare -Um sh -c 'mount -o remount,rw,bind /; echo x > {outside}'",
    ):  # fmt: skip
        behind(guarded, kind, way)
        assert all_outside(guarded) == before, way
    assert not Path("not-there").exists()
    guarded.undo()
    behind(guarded, kind, "echo y > mine/a.py; echo t > $TMPDIR/t; git add -A; git commit -qm 'a-1: x'")
    assert git_out(guarded.slot, "log", "-1", "--format=%s") == "a-1: x"


def test_neither_agent_reaches_the_others_slot(guarded: Guarded, kind: str) -> None:
    """Both are of one user, and a process behind a wall has a root in which its own slot can be written."""
    scope, repository = guarded.project.config.scope, guarded.project.repository
    other = guarded.root.parent / "other"
    script = ("sh", "-c", "echo $$; read line")
    neighbour = subprocess.Popen(
        walled(kind, script, other, writable(repository, scope, other)), cwd=other, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert neighbour.stdout is not None
    pid = neighbour.stdout.readline().strip()
    behind(guarded, kind, f"touch /proc/{pid}/cwd/not-there /proc/{pid}/root{shlex.quote(str(other))}/not-there")
    neighbour.communicate("go\n")
    assert neighbour.returncode == 0
    assert not (other / "not-there").exists()


def test_guards_and_commits_go_on_when_ledger_and_refs_were_tidied(guarded: Guarded, kind: str) -> None:
    call = {"hook_event_name": "PreToolUse", "cwd": str(guarded.slot), "tool_name": "Write"}
    asks = shlex.quote(json.dumps({**call, "tool_input": {"file_path": "mine/new.py"}}))
    script = "echo there; read line; set -e\n"
    script += f"printf %s {asks} | {shlex.join(tool_hook())}; echo x > mine/new.py; git add -A\n"
    script += "git -c user.name=ann -c user.email=a@b.c commit -qm 'a-1: x'"
    places = writable(guarded.project.repository, guarded.project.config.scope, guarded.slot)
    agent = subprocess.Popen(
        walled(kind, ("sh", "-c", script), guarded.slot, places), cwd=guarded.slot, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert agent.stdout is not None
    agent.stdout.readline()
    guarded.project.ledger.close()  # as it ends with a coordinator, and with a command that was the last to use it
    git_out(guarded.root, "pack-refs", "--all", "--prune")
    ledger = SqliteLedger(guarded.project.repository.state)
    _, err = agent.communicate("go\n")
    assert agent.returncode == 0, err
    with ledger.read() as snapshot:
        granted = [json.loads(row["data"])["paths"] for row in snapshot.all("events-of-kind", kind="scope.granted")]
    ledger.close()
    assert granted == [["mine/new.py"]]
    guarded.project.ledger = SqliteLedger(guarded.project.repository.state)


def test_no_agent_starts_behind_a_wall_that_lets_pass(guarded: Guarded, kind: str) -> None:
    places = writable(guarded.project.repository, guarded.project.config.scope, guarded.slot)
    prove_wall(kind, guarded.slot, places)
    with pytest.raises(Failure, match="let a forbidden write through"):
        prove_wall("none", guarded.slot, places)
    with pytest.raises(Failure, match="let a forbidden write through"):
        prove_wall(kind, guarded.slot, [*places, str(guarded.slot.parent)])
    with pytest.raises(Failure, match="lets no work through"):
        prove_wall(kind, guarded.slot, [])


@pytest.mark.parametrize("wall", ["landlock", "bwrap", "auto"])
def test_an_agent_behind_a_wall_lands_its_work_and_no_more(tmp_path: Path, wall: str) -> None:
    offer = offered()
    if not offer.kinds or wall not in (*offer.kinds, "auto"):
        pytest.skip("; ".join(offer.missing.values()))
    assert choose_wall("auto") == offer.kinds[0]
    place, outside = make_place(tmp_path / "a project"), tmp_path / "outside.txt"
    script = f"echo x > '{place.root}/stray.txt'; echo x > '{outside}'; echo 1 > one.txt; git add -A;"
    script += " git -c user.name=a -c user.email=a@b commit -qm 'a-1: one'"
    config = place.root / ".agent-worktrees" / "config.toml"
    text = config.read_text().replace('default = "scripts"', 'default = "unruly"')
    text += f'[scope]\nwall = "{wall}"\nwall_writes = []\n'
    text += f'[agents.programs.unruly]\nkind = "command"\nargv = {json.dumps(["sh", "-c", script])}\n'
    config.write_text(text)
    place.json("init")
    try:
        assert place.json("run", "--only", "a-1")["landed"] == 1
    finally:
        place.run("cleanup", "--yes")
    assert git_out(place.root, "show", "main:one.txt") == "1"
    assert not outside.exists()
    assert not (place.root / "stray.txt").exists()


def test_a_wall_that_cannot_be_had_starts_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # a machine without bubblewrap
    with pytest.raises(Failure, match="bwrap cannot be had"):
        choose_wall("bwrap")
    assert "bubblewrap is not installed" in offered().missing["bwrap"]
