"""The landing queue through the commands, with scripted agents: what a person sees and does."""

import os
import signal
from pathlib import Path

import pytest

from coordinator.bootstrap import Project
from coordinator.entrypoints.terminal import TERMINAL
from coordinator.entrypoints.work_commands import serve
from coordinator.running import serve as driver
from coordinator.running.loop import WishFor
from coordinator.running.serve import Served
from tests.support.projects import Place, make_place, writes
from tests.support.repos import commit, git_out


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project", {"tests/test_one.py": "def test_one():\n    assert 1 == 1\n"})
    yield made
    made.run("cleanup", "--yes")


def configure(place: Place, text: str) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text() + text)


def landings(place: Place) -> list[str]:
    log = git_out(place.root, "log", "--first-parent", "--format=%s", "main").splitlines()
    return [line for line in log if line.startswith("Land")]


def test_a_weakened_test_waits_for_a_person_and_lands_when_approved(place: Place) -> None:
    place.script("a-1", writes("tests/test_one.py", "def test_one(): pass", "a-1: mend the test"))
    place.json("init")
    assert place.json("run", "--only", "a-1")["landed"] == 0
    (entry,) = place.json("merge", "status")["waiting"]
    assert entry["state"] == "look"
    assert "tests/test_one.py lost 1 assertions" in entry["why"]
    assert f"merge approve {entry['id']}" in entry["why"]
    assert {slot["state"] for slot in place.json("status")["slots"]} == {"idle"}
    place.json("merge", "approve", str(entry["id"]))
    place.until(lambda now: now["tasks"] == {"landed": 1} and not now["coordinator"])
    assert landings(place) == ["Land a-1: Write one.txt"]
    assert place.issues["a-1"]["status"] == "closed"
    assert place.run("merge", "approve", str(entry["id"])).returncode == 1


def test_what_is_queued_while_a_coordinator_ends_is_not_left_lying(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.json("init")
    slot = place.json("assign", "ann", "a-1")
    commit(Path(slot["path"]), {"one.txt": "1"}, "a-1: one")
    branch = git_out(Path(slot["path"]), "branch", "--show-current")
    whole, ended = driver.serve, []

    # The moment between the last look at the queue and the release of the lock is too short to be met: it is made here.
    def ends_as_something_is_queued(project: Project, wish_for: WishFor) -> Served:
        if ended:
            return whole(project, wish_for)
        ended.append(place.json("merge", "enqueue", branch))
        return Served(0, True)

    monkeypatch.setattr(driver, "serve", ends_as_something_is_queued)
    monkeypatch.setattr(TERMINAL, "repo", place.root)
    assert serve() == 0
    assert landings(place) == ["Land a-1: Write one.txt"]


def test_finished_work_outlives_the_coordinator(place: Place) -> None:
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.json("init")
    place.json("merge", "pause")
    place.json("spawn", "1", "only:a-1")
    place.until(lambda now: any(entry["issue"] == "a-1" for entry in now["merge"]))
    pid, _ = (place.root / ".git" / "agent-coord" / "coordinator.lock").read_text().split()
    os.kill(int(pid), signal.SIGKILL)
    place.json("merge", "resume")
    place.until(lambda now: now["tasks"] == {"landed": 1} and not now["coordinator"])
    assert landings(place) == ["Land a-1: Write one.txt"]
    assert len(place.json("report")["attempts"]) == 1
    assert place.issues["a-1"]["status"] == "closed"


def test_a_conflict_goes_back_to_its_author_with_both_sides_named(place: Place) -> None:
    place.script("a-1", writes("README.md", "mine", "a-1: mine"), writes("README.md", "mine too", "a-1: again"))
    place.json("init")
    place.json("merge", "pause")
    place.json("spawn", "1", "only:a-1")
    place.until(lambda now: any(entry["issue"] == "a-1" for entry in now["merge"]))
    (place.root / "README.md").write_text("theirs\n")
    git_out(place.root, "commit", "-qam", "a person was faster")
    place.json("merge", "resume")
    place.until(lambda now: now["tasks"] == {"landed": 1})
    (bounced,) = [one for one in place.json("merge", "status")["past"] if one["state"] == "bounced"]
    assert bounced["why"] == "conflicts with main in README.md"
    briefing = (place.root / ".agent-worktrees" / "logs" / "a-1" / "2.briefing.md").read_text()
    assert "a person was faster" in briefing
    assert "yours: agent/" in briefing


def test_lanes_verify_the_tree_afterwards(place: Place) -> None:
    configure(place, '[merge]\nmode = "lanes"\nworkers = 2\n[merge.targets]\none = ["one*"]\ntwo = ["two*"]\n')
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.script("a-2", writes("two.txt", "2", "a-2: two"))
    place.json("init")
    assert place.json("run")["landed"] == 2
    assert git_out(place.root, "rev-parse", "refs/agent-coord/verified") == git_out(place.root, "rev-parse", "main")
    answer = place.json("detect-leaks", program="resource-monitor")
    assert (answer["complete"], answer["leaks"]) == (True, [])
