"""What every adapter keeps, whatever its program: it is run here as the supervisor would run it.

Claude Code and Codex are run for real where they are installed, against a model of our own.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from coordinator.agents.adapter import Adapter, Assignment
from coordinator.agents.claude import Claude
from coordinator.agents.codex import Codex
from coordinator.agents.command import Command
from coordinator.agents.guard import Guard
from coordinator.agents.scripted import Scripted
from coordinator.transcripts.activity import Activity, Ending
from resources.system.errors import Failure
from tests.support.model import Model, Refuse, Say, Shell, Write
from tests.support.programs import arguments, environment, program
from tests.support.repos import PINNED

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


@dataclass
class World:
    """An adapter whose program works on x-1: the first attempt is good, the second fails."""

    adapter: Adapter
    environment: dict[str, str] = field(default_factory=dict)


def scripted(folder: Path) -> World:
    scripts = folder / "scripts of ours"
    scripts.mkdir()
    (scripts / "x-1.toml").write_text(WORK)
    return World(Scripted("demo", scripts))


def command(folder: Path) -> World:
    words = (
        "import sys, json, pathlib, subprocess as s\n"
        "briefing, issue, attempt = sys.argv[1:]\n"
        "assert pathlib.Path(briefing).read_text() and issue == 'x-1'\n"
        "if attempt != '1': print('no luck'); sys.exit(1)\n"
        "pathlib.Path('made').mkdir(); pathlib.Path('made/by agent.txt').write_text('1')\n"
        "s.run(['git', 'add', '.'])\n"
        "s.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x-1: made'])\n"
        "print(json.dumps({'type': 'result', 'result': 'done', 'session_id': 's-9'}))\n"
    )
    return World(Command("mine", (sys.executable, "-c", words, "{briefing}", "{issue}", "{attempt}")))


@contextmanager
def real(name: str, folder: Path, guard: Guard | None = None, **scripts) -> Iterator[tuple[World, Model]]:
    """Claude Code or Codex with a model that does what the scripts say."""
    path = str(program(name))
    with Model(scripts) as model:
        more = arguments(name, model.url)
        adapter = (Claude if name == "claude" else Codex)(name, (path, *more), guard)
        yield World(adapter, environment(model.url, folder / "home")), model


MAKES = [
    Write("made/by agent.txt", "1"),
    Shell("git add . && git commit -qm 'x-1: made'"),
    Say("done"),
    Refuse(400, "invalid_request_error"),
]


@pytest.fixture(
    params=[
        "scripted",
        "command",
        pytest.param("claude", marks=pytest.mark.real),
        pytest.param("codex", marks=pytest.mark.real),
    ]
)
def world(request, tmp_path) -> Iterator[World]:
    if request.param in ("scripted", "command"):
        yield {"scripted": scripted, "command": command}[request.param](tmp_path)
        return
    with real(request.param, tmp_path, **{"x-1": MAKES}) as (made, _):
        yield made


ALL = {
    "scripted": Scripted("demo", Path("/none")),
    "command": Command("mine", ("none",)),
    "claude": Claude("claude"),
    "codex": Codex("codex"),
}


@pytest.fixture(params=ALL)
def adapter(request) -> Adapter:
    """An adapter of which no program is started."""
    return ALL[request.param]


def assignment(folder: Path, attempt: int = 1) -> Assignment:
    slot = folder / "slot 1"
    if not slot.exists():
        subprocess.run(["git", "init", "-q", str(slot)], check=True)
        for key, value in (("user.name", "A"), ("user.email", "a@b")):
            subprocess.run(["git", "config", key, value], cwd=slot, check=True)
    briefing = folder / "briefing.md"
    briefing.write_text(f"# x-1: make a file\n\nYou are alone in the git worktree `{slot}`.\n")
    return Assignment("x-1", "Make a file", attempt, slot, briefing.read_text(), briefing, slot / ".git" / "room")


@dataclass
class Tried:
    ending: Ending
    activities: list[Activity]
    session: str

    @property
    def texts(self) -> str:
        return "\n".join(activity.text for activity in self.activities)


def attempt(world: World, told: Assignment) -> Tried:
    world.adapter.install_guard(told)
    world.adapter.prove_guard(told, {})
    launch = world.adapter.launch(told)
    inherited = {key: value for key, value in os.environ.items() if key not in launch.without}
    done = subprocess.run(
        launch.argv, cwd=told.slot, env=inherited | PINNED | world.environment | dict(launch.environment),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
    )  # fmt: skip
    activities = [world.adapter.parse(line) for line in done.stdout.splitlines()]
    sessions = [launch.session, *(activity.session for activity in activities)]
    last = [one for one in activities if one.final] or [one for one in activities if one.text] or [Activity()]
    ending = world.adapter.classify(done.returncode, last[-1])
    return Tried(ending, activities, next((one for one in sessions if one), ""))


def test_an_attempt_works_in_the_slot_and_commits(world, tmp_path):
    told = assignment(tmp_path)
    tried = attempt(world, told)
    assert tried.ending is Ending.DONE, tried.texts
    assert tried.texts
    assert any(path.endswith("made/by agent.txt") for one in tried.activities for path in one.files) or isinstance(
        world.adapter, Command
    )
    shown = subprocess.run(
        ["git", "log", "--format=%s", "--name-only"], cwd=told.slot, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split("\n") == ["x-1: made", "", "made/by agent.txt", ""]


def test_an_attempt_that_ends_badly_has_failed(world, tmp_path):
    if isinstance(world.adapter, (Claude, Codex)):
        attempt(world, assignment(tmp_path))
    tried = attempt(world, assignment(tmp_path, attempt=2))
    assert tried.ending is Ending.FAILED
    assert tried.activities[-1].text


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
    assert adapter.classify(1, Activity()) is Ending.FAILED


def test_a_prompt_is_one_argument_and_is_not_expanded_twice(tmp_path):
    told = assignment(tmp_path)
    odd = replace(told, prompt='say "{issue}"; $(rm x)')
    launch = Command("c", (sys.executable, "-p", "{prompt}", '{"a": {slot}}')).launch(odd)
    assert launch.argv[2:] == ('say "{issue}"; $(rm x)', f'{{"a": {told.slot}}}')


@pytest.mark.parametrize(
    "make",
    [lambda word: Command("c", (word,)), lambda word: Claude("c", (word,)), lambda word: Codex("c", (word,))],
)
def test_a_missing_program_is_named(make, tmp_path):
    with pytest.raises(Failure, match="no-such-agent") as caught:
        make("no-such-agent").launch(assignment(tmp_path))
    assert caught.value.reference == "program-missing"


def test_a_missing_scripts_folder_is_named(tmp_path):
    with pytest.raises(Failure) as caught:
        Scripted("demo", tmp_path / "none").launch(assignment(tmp_path))
    assert caught.value.reference == "no-scripts"
