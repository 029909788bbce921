"""What every adapter keeps, whatever its program.

Claude Code and Codex are run for real where they are installed, against a model of our own.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from coordinator.agents.adapter import Adapter
from coordinator.agents.claude import Claude
from coordinator.agents.codex import Codex
from coordinator.agents.command import Command
from coordinator.agents.guard import Guard
from coordinator.agents.scripted import Scripted
from coordinator.transcripts.activity import Activity, Ending
from resources.system.errors import Failure
from tests.support.worlds import MAKES, World, assignment, attempt, command, guard, real, scripted

HOOKED = pytest.mark.parametrize("name", ["claude", "codex"])


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
    with real(request.param, tmp_path, MAKES) as (made, _):
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


@HOOKED
@pytest.mark.parametrize("then", ["exit 1", "exit 0", "exit 2", "sleep 1; exit 1"])
def test_a_guard_that_would_let_a_write_through_is_found_before_anybody_starts(name, then, tmp_path):
    adapter = (Claude if name == "claude" else Codex)(name, guard=guard(tmp_path, then))
    with pytest.raises(Failure, match="lets `git stash` through") as caught:
        adapter.prove_guard(assignment(tmp_path), {})
    assert caught.value.reference == "guard-dead"


@HOOKED
def test_a_guard_that_is_not_there_or_refuses_everything_is_found(name, tmp_path):
    kind = Claude if name == "claude" else Codex
    with pytest.raises(Failure, match="not installed"):
        kind(name, guard=Guard((str(tmp_path / "none"),))).prove_guard(assignment(tmp_path), {})
    with pytest.raises(Failure, match="even to look"):
        kind(name, guard=Guard(("sh", "-c", "echo no >&2; exit 2"))).prove_guard(assignment(tmp_path), {})


def test_servers_of_tools_are_given_for_the_run_alone(tmp_path):
    file = tmp_path / "servers.json"
    server = {"command": "npx", "args": ["-y", 'a "b"'], "env": {"LEVEL": "1"}}
    file.write_text(json.dumps({"mcpServers": {"my browser": server}}))
    told = assignment(tmp_path)
    argv = Claude("claude", (sys.executable,), mcp=file, disallow=("WebFetch",)).launch(told).argv
    assert argv[argv.index("--mcp-config") + 1] == str(file)
    assert "--strict-mcp-config" in argv
    assert "mcp__my browser" in argv[argv.index("--allowedTools") + 1].split(",")
    assert "WebFetch" in argv[argv.index("--disallowedTools") + 1].split(",")
    words = Codex("codex", (sys.executable,), mcp=file).launch(told).argv
    given = tomllib.loads("\n".join(word for flag, word in pairwise(words) if flag == "-c"))
    assert given["mcp_servers"] == {"my browser": server}
    file.write_text("[]")
    with pytest.raises(Failure) as caught:
        Codex("codex", (sys.executable,), mcp=file).launch(told)
    assert caught.value.reference == "bad-mcp-file"
