"""In a repository whose file system takes `SRC/a.py` for `src/a.py`, a scope holds whatever the spelling.

Git says so itself (`core.ignoreCase`), and the guard asks git; so this is tried on every file system.
"""

from pathlib import Path

import pytest

from coordinator.bootstrap import init_project
from coordinator.guard.posts import Post, post_guard
from coordinator.merging.lane import Lane
from coordinator.tasks.lifecycle import Outcome
from resources.system.errors import NotNow
from tests.support.guarded import NO_HOOKS, Guarded, make_guarded
from tests.support.projects import Place
from tests.support.repos import git_out

PLANT = f"git -c {NO_HOOKS} update-index --add --cacheinfo 100644,$(git hash-object -w mine/b.py),Bob/n.py"


@pytest.fixture
def guarded(tmp_path: Path):
    made = make_guarded(tmp_path)
    git_out(made.root, "config", "core.ignoreCase", "true")
    init_project(made.root).close()
    post_guard(made.project.repository, made.project.config.scope, Post(made.held, "main"))
    yield made
    made.close()


def test_no_spelling_slips_by_the_hook_and_none_is_refused_falsely(guarded: Guarded) -> None:
    slot = str(guarded.slot)
    for path in (
        "BOB/held.py",
        "Bob/new.py",
        ".Beads/issues.jsonl",
        ".GIT/config",
        f"{guarded.root}/README.MD".upper(),
    ):
        assert guarded.sign("Write", {"file_path": path}).returncode == 2, path
    for command in ("rm -rf BOB", "echo x > Bob/held.py", "mv mine/a.py bOB/"):
        assert guarded.sign("Bash", {"command": command}).returncode == 2, command
    (guarded.slot / "Bob").mkdir()
    (guarded.slot / "Bob" / "stray.py").touch()
    assert guarded.sign("Bash", {"command": "rm Bob/stray.py"}).returncode == 0
    assert guarded.sign("Bash", {"command": "rm Bob/Held.py"}).returncode == 2
    told = guarded.sign("Write", {"file_path": "BOB/held.py"}).stderr
    assert "bob holds bob/**" in told, "what is told keeps its spelling"
    for path in ("MINE/A.py", f"{slot.upper()}/mine/a.py", "noise.log"):
        done = guarded.sign("Write", {"file_path": path})
        assert done.returncode == 0, done.stderr


def test_nothing_lands_under_another_spelling(guarded: Guarded) -> None:
    assert guarded.shell(f"{PLANT}; git commit -qm 'a-1: x'").returncode != 0
    guarded.undo()
    assert guarded.shell(f"{PLANT}; git -c {NO_HOOKS} commit -qm 'a-1: x'").returncode == 0
    lane = Lane(guarded.project, lambda issue: issue)
    ruling = guarded.land(lane)
    lane.close()
    assert ruling is not None
    assert (ruling.outcome, ruling.paths) == (Outcome.CONFLICT, ("Bob/n.py",))


def test_a_spelling_of_what_is_held_cannot_be_reserved(guarded: Guarded) -> None:
    with pytest.raises(NotNow, match=r"bob holds bob/\*\*"):
        guarded.reserve("Bob/held.py", agent="cat")
    place = Place(guarded.root)
    assert place.run("scope", "widen", "a-1", "BOB/n.py", "--why", "x").returncode == 4
    assert "no attempt may write" in place.run("scope", "widen", "a-1", ".BEADS/**", "--why", "x").stderr
    assert place.run("scope", "widen", "a-1", "Mine/New.py", "--why", "x").returncode == 0


def test_where_case_counts_nothing_changes(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path)
    git_out(guarded.root, "config", "core.ignoreCase", "false")
    init_project(guarded.root).close()
    assert guarded.sign("Write", {"file_path": "BOB/held.py"}).returncode == 0
    guarded.reserve("Bob/held.py", agent="cat")
    guarded.close()
