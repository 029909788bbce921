"""What every adapter keeps, whatever its program: it is run here as the supervisor would run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.agents.adapter import Activity, Adapter, Assignment, Ending
from coordinator.agents.command import Command
from coordinator.agents.scripted import Scripted
from resources.system.errors import Failure

WORK = """
[[attempt]]
[[attempt.step]]
say = "first try"
[[attempt.step]]
write = "made/by agent.txt"
text = "1"
[[attempt.step]]
commit = "x-1: made"
[[attempt]]
[[attempt.step]]
run = ["{python}", "-c", "raise SystemExit(5)"]
"""


def scripted(folder: Path) -> Adapter:
    scripts = folder / "scripts of ours"
    scripts.mkdir()
    (scripts / "x-1.toml").write_text(WORK)
    return Scripted("demo", scripts)


def command(folder: Path) -> Adapter:
    program = (
        "import sys, json, pathlib, subprocess as s\n"
        "briefing, issue, attempt = sys.argv[1:]\n"
        "assert pathlib.Path(briefing).read_text() and issue == 'x-1'\n"
        "if attempt != '1': print('no luck'); sys.exit(1)\n"
        "pathlib.Path('made').mkdir(); pathlib.Path('made/by agent.txt').write_text('1')\n"
        "s.run(['git', 'add', '.'])\n"
        "s.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x-1: made'])\n"
        "print(json.dumps({'type': 'result', 'result': 'done', 'session_id': 's-9'}))\n"
    )
    return Command("mine", (sys.executable, "-c", program, "{briefing}", "{issue}", "{attempt}"))


@pytest.fixture(params=[scripted, command])
def adapter(request, tmp_path) -> Adapter:
    return request.param(tmp_path)


def assignment(folder: Path, attempt: int = 1) -> Assignment:
    slot = folder / "slot 1"
    if not slot.exists():
        subprocess.run(["git", "init", "-q", str(slot)], check=True)
    briefing = folder / "briefing.md"
    briefing.write_text("You work on x-1: make a file")
    return Assignment("x-1", "Make a file", attempt, slot, briefing.read_text(), briefing)


def attempt(adapter: Adapter, told: Assignment) -> tuple[Ending, list[Activity]]:
    launch = adapter.launch(told)
    done = subprocess.run(
        launch.argv, cwd=told.slot, env={**os.environ, **launch.environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    activities = [adapter.parse(line) for line in done.stdout.splitlines()]
    return adapter.classify(done.returncode, activities[-1] if activities else Activity()), activities


def test_an_attempt_works_in_the_slot_and_commits(adapter, tmp_path):
    told = assignment(tmp_path)
    ending, activities = attempt(adapter, told)
    assert ending is Ending.DONE
    assert any(activity.text for activity in activities)
    shown = subprocess.run(
        ["git", "log", "--format=%s", "--name-only"], cwd=told.slot, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split("\n") == ["x-1: made", "", "made/by agent.txt", ""]


def test_an_attempt_that_ends_badly_has_failed(adapter, tmp_path):
    ending, activities = attempt(adapter, assignment(tmp_path, attempt=2))
    assert ending is Ending.FAILED
    assert activities[-1].text


@pytest.mark.parametrize(
    "line",
    [
        "",
        "plain words",
        "{",
        "[1, 2]",
        "null",
        '{"type": 3}',
        '{"text": {"a": 1}, "files": [1]}',
        "\x00\ufffd",
        "[" * 9999,
    ],
)
def test_parse_never_raises(adapter, line):
    assert isinstance(adapter.parse(line), Activity)


def test_a_signal_is_not_a_failure_of_the_work(adapter):
    assert adapter.classify(-15, Activity()) is Ending.STOPPED


def test_a_program_that_says_it_failed_has_failed_whatever_it_returns(adapter):
    last = adapter.parse('{"type": "error", "text": "no credit", "files": ["a.py"]}')
    assert (last.text, last.failed, last.files) == ("no credit", True, ("a.py",))
    assert adapter.classify(0, last) is Ending.FAILED


def test_a_prompt_is_one_argument_and_is_not_expanded_twice(tmp_path):
    told = assignment(tmp_path)
    odd = Assignment(told.issue, told.title, 1, told.slot, 'say "{issue}"; $(rm x)', told.briefing, "")
    launch = Command("c", (sys.executable, "-p", "{prompt}", '{"a": {slot}}')).launch(odd)
    assert launch.argv[2:] == ('say "{issue}"; $(rm x)', f'{{"a": {told.slot}}}')


def test_a_missing_program_is_named(tmp_path):
    with pytest.raises(Failure, match="no-such-agent") as caught:
        Command("c", ("no-such-agent",)).launch(assignment(tmp_path))
    assert caught.value.reference == "program-missing"


def test_a_missing_scripts_folder_is_named(tmp_path):
    with pytest.raises(Failure) as caught:
        Scripted("demo", tmp_path / "none").launch(assignment(tmp_path))
    assert caught.value.reference == "no-scripts"
