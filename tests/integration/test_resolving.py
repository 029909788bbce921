"""Agents that say that their issue needs no change: believed when git bears it out. Real processes, real git."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.projects import Place, make_place
from tests.support.repos import commit

SAY = "'{python}' -m agent_coord task resolve a-1 --as"
WHY = "--why 'one.txt is written by the build since the last release'"


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project")
    yield made
    made.run("cleanup", "--yes")


def run(place: Place, script: str, more: str = "") -> tuple[dict, dict]:
    """Let an agent that is `script` (for sh) work on a-1; the answer of `run`, and the issue then."""
    config = place.root / ".agent-worktrees" / "config.toml"
    text = config.read_text().replace('default = "scripts"', 'default = "saying"\nattempts = 2')
    argv = json.dumps(["sh", "-c", script.replace("{python}", sys.executable)])
    config.write_text(f'{text}[agents.programs.saying]\nkind = "command"\nargv = {argv}\n{more}')
    place.json("init")
    done = place.run("run", "--only", "a-1", "--json")
    return json.loads(done.stdout), place.issues["a-1"]


def test_an_issue_that_needs_no_change_is_closed_with_the_reason(place: Place) -> None:
    answer, issue = run(place, f"{SAY} no-change {WHY}")
    assert (answer["landed"], answer["left"]) == (0, [])
    assert issue["status"] == "closed"
    assert issue["close_reason"].startswith("no change needed: one.txt is written")
    (bar,) = place.json("report")["attempts"]
    assert bar["outcome"] == "no change needed"
    assert place.json("status")["tasks"] == {"released": 1}


def test_a_person_may_want_to_look_first(place: Place) -> None:
    answer, issue = run(place, f"{SAY} obsolete {WHY}", '[gate]\nresolutions = "person"\n')
    (left,) = answer["left"]
    assert left["state"] == "handed_off"
    assert "a person confirms it: obsolete" in left["why"]
    assert issue["status"] == "open"


def test_what_has_landed_before_is_found_by_the_name_of_the_issue(place: Place) -> None:
    done = commit(place.root, {"one.txt": "1\n"}, "a-1: one")
    _, issue = run(place, f"{SAY} already-done {WHY}")
    assert issue["close_reason"].startswith(f"already done in {done[:12]}: ")


def test_a_word_that_git_does_not_bear_out_is_refused_and_the_agent_told(place: Place) -> None:
    answer, issue = run(
        place, f"rm -f litter.txt; {SAY} already-done {WHY}; {SAY} no-change {WHY}; echo x > litter.txt"
    )
    (left,) = answer["left"]
    assert "no progress on attempt 2 of 2: it cannot be closed as no-change" in left["why"]
    assert "undo litter.txt" in left["why"]
    assert issue["status"] == "open"
    log = (place.root / ".agent-worktrees" / "logs" / "a-1" / "1.log").read_text()
    assert "no commit on the base branch names a-1" in log
    told = (place.root / ".agent-worktrees" / "logs" / "a-1" / "2.briefing.md").read_text()
    assert "undo litter.txt" in told


def test_only_the_one_who_works_on_it_may_say_so(place: Place) -> None:
    place.json("init")
    refused = place.run(
        "task", "resolve", "a-1", "--as", "obsolete", "--why", "nobody wants it any more, ask the board"
    )
    assert refused.returncode == 4
    assert "not being worked on" in refused.stderr
