"""The scripted agent as a process in a real repository: what it does, and how it says what it cannot do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.agents.player import CONFLICT


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=Tess", "-c", "user.email=tess@example.org", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def slot(tmp_path) -> Path:
    folder = tmp_path / "slot"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "list.txt").write_text("one\ntwo\nthree\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "start")
    return folder


def play(slot: Path, script: str) -> tuple[int, list[dict]]:
    scripts = slot.parent / "scripts"
    scripts.mkdir(exist_ok=True)
    (scripts / "x-1.toml").write_text(script)
    briefing = slot.parent / "briefing.md"
    briefing.write_text("# x-1\nDo it.")
    told = {"ISSUE": "x-1", "ATTEMPT": "1", "BRIEFING": str(briefing), "AGENT": "agent-7"}
    environment = {**os.environ, **{f"AGENT_COORD_{key}": value for key, value in told.items()}}
    argv = [sys.executable, "-I", "-m", "coordinator.agents.player", str(scripts)]
    done = subprocess.run(argv, cwd=slot, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def steps(*tables: str) -> str:
    return "[[attempt]]\n" + "\n".join(f"[[attempt.step]]\n{table}" for table in tables)


def test_every_edit_lands_in_one_commit_by_the_agent(slot):
    code, told = play(
        slot,
        steps(
            'replace = "list.txt"\nold = "two"\nnew = "2"',
            'insert_after = "list.txt"\nanchor = "one"\ntext = "1.5\\n"',
            'append = "list.txt"\ntext = "four\\n"',
            'append = "list.txt"\ntext = "four\\n"\nunless = "four"',
            'write = "new/file.txt"\ntext = "x"',
            'write = "aside.txt"\ntext = "x"',
            'delete = "aside.txt"',
            'run = ["{python}", "-c", "raise SystemExit(1)"]\nmay_fail = true',
            'commit = "x-1: all of it"',
        ),
    )
    assert code == 0
    assert (slot / "list.txt").read_text() == "one\n1.5\n2\nthree\nfour\n"
    assert [line["files"] for line in told if line["type"] == "edit"][:2] == [["list.txt"], ["list.txt"]]
    assert git(slot, "log", "--format=%an %s") == "agent-7 x-1: all of it\nTess start"
    assert git(slot, "status", "--porcelain") == ""


def test_a_commit_holds_what_was_touched_and_nothing_else(slot):
    (slot / "of somebody.txt").write_text("not mine")
    code, _ = play(slot, steps('write = "mine.txt"\ntext = "x"', 'delete = "list.txt"', 'commit = "x-1: mine"'))
    assert code == 0
    assert git(slot, "show", "--format=%an %s", "--name-status") == "agent-7 x-1: mine\n\nD\tlist.txt\nA\tmine.txt"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ('replace = "list.txt"\nold = "e"\nnew = "f"', "list.txt holds 'e' 3 times, not once"),
        ('insert_after = "list.txt"\nanchor = "five"\ntext = ""', "list.txt holds 'five' 0 times, not once"),
        ('append = "../out.txt"\ntext = "x"', "../out.txt is outside"),
        ('replace = "none.txt"\nold = "a"\nnew = "b"', "none.txt is not in"),
        ('run = ["{python}", "-c", "print(7 * 6); raise SystemExit(2)"]', "ended with 2: 42"),
        ('commit = "x-1: nothing"', "no file was touched"),
        ('sing = "la"', "attempt 1, step 1: needs exactly one of"),
        ('write = "a"', "attempt 1, step 1: write needs the text text"),
        ("sleep = true", "sleep cannot be True"),
    ],
)
def test_what_cannot_be_done_is_the_last_line(slot, step, said):
    code, told = play(slot, steps(step))
    assert code == 1
    assert told[-1]["type"] == "error"
    assert said in told[-1]["text"]


def side(slot: Path, old: str, new: str) -> str:
    """A commit on another branch that changes one line."""
    git(slot, "checkout", "-q", "-b", f"side-{new}", "main")
    (slot / "list.txt").write_text((slot / "list.txt").read_text().replace(old, new))
    git(slot, "commit", "-qam", f"x-1: {new}")
    git(slot, "checkout", "-q", "main")
    return git(slot, "rev-parse", f"side-{new}")


def test_commits_are_taken_over(slot):
    commits = [side(slot, "three", "3"), side(slot, "one", "1")]
    code, told = play(slot, steps(f"cherry_pick = {json.dumps(commits)}"))
    assert (code, told[-1]["type"]) == (0, "commit")
    assert git(slot, "log", "--format=%an %s") == "Tess x-1: 1\nTess x-1: 3\nTess start"


def test_a_conflict_takes_everything_back(slot):
    commits = [side(slot, "three", "3"), side(slot, "one", "1"), side(slot, "one", "I")]
    code, told = play(slot, steps(f"cherry_pick = {json.dumps(commits)}"))
    assert code == CONFLICT
    assert told[-1] == {"type": "error", "text": "conflict in list.txt", "files": ["list.txt"]}
    assert git(slot, "log", "--format=%s") == "start"
    assert git(slot, "status", "--porcelain") == ""


def test_a_commit_that_is_not_there_is_no_conflict(slot):
    code, told = play(slot, steps('cherry_pick = ["0123456789"]'))
    assert code == 1
    assert "0123456789" in told[-1]["text"]
