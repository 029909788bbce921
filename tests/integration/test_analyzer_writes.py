"""The commands of `track-analyzer` that may write: shown first, written when told so, nothing else touched."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.analyzers import answer, run
from tests.support.backlogs import lines, record
from tests.support.repos import make_repository

EDIT = {"description": "Edit `src/auth.py`: it must refuse an empty word, and a test should show it."}
ODD = b'{"_type":"memory","id":"m"}\n<<<<<<< ours\n{"id":"s-9","title":"w\\u00f6rter","status":"closed","x":1.50}\n'
BACKLOG = lines(record("s-1", priority=1, **EDIT), record("s-2", **EDIT), record("s-3", custom=[1], **EDIT)) + ODD
TASKS = """## Layer 1
- [x] s-1 Done by hand
- [ ] T1 @ana Begin
  Blocks: T2
## Layer 2
- [ ] T2 Go on
- [ ] no id here
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = make_repository(tmp_path / "my repository", {"src/auth.py": "x = 1\n", "docs/guide.md": "words\n"})
    (root / ".beads").mkdir()
    (root / ".beads/issues.jsonl").write_bytes(BACKLOG)
    return root


def tracker(repository: Path) -> Path:
    return repository / ".beads/issues.jsonl"


def records(file: Path) -> dict[str, dict]:
    found = [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]
    return {each["id"]: each for each in found if "_type" not in each}


def test_dependencies_are_shown_and_then_written(repository):
    shown = answer("recommend", "--write-deps", cwd=repository)
    assert shown["written"] is False
    assert [(each["issue"], each["depends_on"]) for each in shown["dependencies"]] == [("s-2", "s-1"), ("s-3", "s-2")]
    assert shown["dependencies"][0]["witness"] == "src/auth.py"
    assert "nothing was written" in run("recommend", "--write-deps", cwd=repository).stdout
    assert tracker(repository).read_bytes() == BACKLOG

    assert answer("recommend", "--write-deps", "--yes", cwd=repository)["written"] is True
    found = records(tracker(repository))
    (edge,) = found["s-3"]["dependencies"]
    assert (edge["issue_id"], edge["depends_on_id"], edge["type"]) == ("s-3", "s-2", "blocks")
    assert found["s-3"]["custom"] == [1]
    assert tracker(repository).read_bytes().endswith(ODD)
    assert tracker(repository).read_bytes().splitlines()[0] == BACKLOG.splitlines()[0]
    plan = answer("recommend", cwd=repository)
    assert (plan["ready"], plan["cycles"], plan["conflicts"]) == (["s-1"], [], [])
    written = tracker(repository).read_bytes()
    assert answer("recommend", "--write-deps", "--yes", cwd=repository)["dependencies"] == []
    assert tracker(repository).read_bytes() == written


def test_a_file_of_ones_own_is_written_to_as_well(tmp_path):
    file = tmp_path / "mine.jsonl"
    file.write_bytes(lines(record("s-1", **EDIT), record("s-2", **EDIT)))
    assert answer("recommend", "--issues", file, "--write-deps", "--yes", cwd=tmp_path)["tracker"] == str(file)
    assert "dependencies" in records(file)["s-2"]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.jsonl"]


def test_bd_writes_where_the_tracker_is_its_own(repository, tmp_path):
    # No real bd here: a program of that name notes how it was called.
    (repository / ".beads/beads.db").write_bytes(b"")
    program = tmp_path / "bin/bd"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$BD_ACTOR $*" >> "{tmp_path}/calls"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{Path(sys.executable).parent}:/usr/bin:/bin"
    assert answer("recommend", "--write-deps", "--yes", cwd=repository, path=path)["tracker"] == "bd"
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call for call in calls if " dep " in call] == [
        "agent-coord dep add s-2 s-1 --json",
        "agent-coord dep add s-3 s-2 --json",
    ]
    assert tracker(repository).read_bytes() == BACKLOG


def test_layered_tasks_in_and_out(repository):
    file = repository / "layered-tasks.md"
    assert answer("layered", "export", file, cwd=repository)["tasks"] == 4
    assert "- [x] s-9 wörter" in file.read_text()
    refused = run("layered", "export", file, cwd=repository)
    assert (refused.returncode, "[file-exists]" in refused.stderr) == (1, True)
    plans = [answer("recommend", "--issues", path, cwd=repository) for path in (file, tracker(repository))]
    assert set(plans[0]["ready"]) == set(plans[1]["ready"])
    assert "## Layer 1" in run("layered", "export", "-", cwd=repository).stdout

    file.write_text(TASKS)
    shown = run("layered", "import", file, cwd=repository)
    assert [json.loads(line)["id"] for line in shown.stdout.splitlines()] == ["s-1", "T1", "T2"]
    assert f"{file}:7: a task without an id" in shown.stderr
    assert tracker(repository).read_bytes() == BACKLOG
    done = answer("layered", "import", file, "--yes", cwd=repository)
    assert (done["added"], done["closed"]) == (["T1", "T2"], ["s-1"])
    found = records(tracker(repository))
    assert (found["s-1"]["status"], found["s-1"]["description"]) == ("closed", EDIT["description"])
    assert found["T2"]["dependencies"][0]["depends_on_id"] == "T1"
    again = answer("layered", "import", file, "--yes", cwd=repository)
    assert (again["added"], again["closed"]) == ([], [])


def test_lint_stops_a_script_at_an_unfit_issue(repository):
    tracker(repository).write_bytes(BACKLOG + lines(record("s-4", title="Fix bug")))
    whole = answer("lint", cwd=repository)
    assert whole["summary"]["unfit"] == 1
    assert run("lint", "s-1", "s-2", cwd=repository).returncode == 0
    asked = run("lint", "s-1", "s-4", cwd=repository)
    assert asked.returncode == 1
    assert "s-4  unfit" in asked.stdout
    assert run("lint", "s-99", cwd=repository).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ("analyze --write-deps", 2, "usage"), ("layered frobnicate x.md", 2, "usage"), ("layered import", 2, "usage"),
        ("layered import /no/such.md", 1, "unreadable"), ("recommend --write-deps --yes --at 2026-01-01", 2, "past"),
        ("recommend --write-deps --yes --issues layered.md", 1, "not-a-tracker"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_exit_code(repository, arguments, code, word):
    (repository / "layered.md").write_text("- [ ] T1 Begin\n")
    done = run(*arguments.split(), cwd=repository)
    assert (done.returncode, f"[{word}]" in done.stderr) == (code, True), done.stderr
    assert tracker(repository).read_bytes() == BACKLOG
