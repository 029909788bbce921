"""Agents that behave badly: each ends in a named state, and nothing is lost. Real processes, real git."""

import json
import sys
from pathlib import Path

import pytest

from resources.system.process import start_of
from tests.support.projects import Place, make_place
from tests.support.repos import git_out

COMMIT = "git add -A && git -c user.name=a -c user.email=a@b commit -qm 'a-1: one'"


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project")
    yield made
    made.run("cleanup", "--yes")


def run(place: Place, script: str, *, attempts: int = 1) -> tuple[dict, str]:
    """Let an agent that is `script` (for sh) work on a-1; the answer of `run`, and what it said."""
    config = place.root / ".agent-worktrees" / "config.toml"
    text = config.read_text().replace('default = "scripts"', f'default = "unruly"\nattempts = {attempts}')
    argv = json.dumps(["sh", "-c", script.replace("{python}", f"'{sys.executable}'")])
    config.write_text(f'{text}[agents.programs.unruly]\nkind = "command"\nargv = {argv}\n')
    place.json("init")
    done = place.run("run", "--only", "a-1", "--json")
    return json.loads(done.stdout), done.stderr


def saved(place: Place) -> list[str]:
    return git_out(place.root, "for-each-ref", "--format=%(refname)", "refs/agent-coord/saved/").splitlines()


@pytest.mark.parametrize(
    "prints",
    [
        "head -c 300000 /dev/urandom",
        "printf '\\377\\376\\000{\"type\":\\n[[[[{\\n'",
        "head -c 100000000 /dev/zero",
        'yes \'{"type":"assistant","session_id":7,"message":[1]}\' | head -c 2000000',
    ],
    ids=["garbage", "no UTF-8", "100 MB without a newline", "records of odd shapes"],
)
def test_whatever_it_prints_its_commit_counts(place: Place, prints: str) -> None:
    answer, err = run(place, f"{prints}; echo 1 > one.txt; {COMMIT}")
    assert answer["landed"] == 1, err


def test_it_ends_well_having_done_nothing(place: Place) -> None:
    answer, _ = run(place, "echo all done")
    (left,) = answer["left"]
    assert (left["state"], "no commit was made" in left["why"]) == ("handed_off", True)


def test_it_commits_on_a_branch_of_its_own(place: Place) -> None:
    answer, err = run(place, f"git switch -qc mine; echo 1 > one.txt; {COMMIT}")
    if answer["landed"]:
        assert git_out(place.root, "show", "main:one.txt") == "1"
    else:
        assert answer["left"][0]["state"] == "handed_off", err
        assert any(git_out(place.root, "show", f"{ref}:one.txt") == "1" for ref in saved(place))


def test_it_deletes_its_worktree(place: Place) -> None:
    answer, err = run(place, f'echo 1 > one.txt; {COMMIT}; rm -rf "$PWD"')
    states = {left["state"] for left in answer["left"]}
    assert answer["landed"] == 1 or states <= {"handed_off", "released", "retry"}, err
    assert "Traceback" not in err
    tips = git_out(place.root, "log", "--all", "--format=%s").splitlines()
    assert "a-1: one" in tips, "the commit is kept"
    place.json("init")
    assert (place.root / ".agent-worktrees" / "pool-wt-1" / "README.md").exists()


def test_what_it_leaves_running_is_ended_with_it(place: Place, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    answer, _ = run(place, f"sleep 300 & echo $! > '{pid}'; echo 1 > one.txt; {COMMIT}")
    assert answer["landed"] == 1
    assert start_of(int(pid.read_text())) is None, "ended; whoever inherits it may not have reaped it yet"


def test_what_it_leaves_running_in_a_session_of_its_own_is_ended_before_the_slot_is_cleaned(
    place: Place, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    writes = (
        f"import os, time; os.setsid(); open('{pid}', 'w').write(str(os.getpid()))\n"
        "while True: open('late.txt', 'w').close(); time.sleep(0.001)"
    )
    (tmp_path / "late.py").write_text(writes)
    begun = f"{{python}} '{tmp_path}/late.py' & while [ ! -s '{pid}' ]; do sleep 0.1; done"
    answer, err = run(place, f"echo late.txt > .gitignore; {begun}; {COMMIT}")
    assert answer["landed"] == 1, err
    assert start_of(int(pid.read_text())) is None
    assert {slot["state"] for slot in place.json("status")["slots"]} == {"idle"}


def test_it_writes_into_the_main_checkout(place: Place) -> None:
    answer, _ = run(place, f"echo stray > '{place.root}/stray.txt'; echo 1 > one.txt; {COMMIT}")
    assert answer["landed"] == 1
    assert (place.root / "stray.txt").read_text() == "stray\n", "what is not ours is not touched"
    assert "stray.txt" not in git_out(place.root, "ls-tree", "--name-only", "main")
