"""Programs take a hook that fails in any way for one that agrees: so ours refuses, whatever becomes of it."""

import fcntl
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.guard.posts import tool_hook
from tests.support.guarded import Guarded, make_guarded

ROOT = Path(__file__).parents[2]
LINE = shlex.join(tool_hook())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory):
    made = make_guarded(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


def call(guarded: Guarded, path: str, **more: object) -> str:
    common = {"hook_event_name": "PreToolUse", "cwd": str(guarded.slot), "tool_name": "Write"}
    return json.dumps({**common, "tool_input": {"file_path": path}, **more})


def hook(guarded: Guarded, script: str, text: str | bytes) -> subprocess.CompletedProcess[bytes]:
    given = text.encode() if isinstance(text, str) else text
    return subprocess.run(["sh", "-c", script], input=given, cwd=guarded.slot, capture_output=True)


@pytest.mark.parametrize(
    "script",
    [
        "d=$(mktemp -d); cd $d; rmdir $d; {}", "{} <&-", "{} < .", "{} 2>&-", "{} 2>/dev/full", "{} >&-",
        "ulimit -n 4; {}", "PATH=/bin:/usr/bin PYTHONHOME=/nowhere PYTHONPATH=. {}", "ulimit -v 4000; {}",
    ],
    ids=["folder gone", "no input", "input a folder", "no stderr", "stderr full", "no output", "no files", "odd Python",
         "no memory"],
)  # fmt: skip
def test_in_whatever_place_it_is_run(guarded: Guarded, script: str) -> None:
    assert hook(guarded, script.replace("{}", LINE), call(guarded, "bob/held.py")).returncode == 2


@pytest.mark.parametrize(
    ("python", "dies"),
    [(sys.executable, "/nowhere/python"), (sys.executable, "false"), ("agent_coord.py", "missing.py"),
     (f"{sys.executable} -I", "sh -c 'kill -9 $$'")],
    ids=["interpreter gone", "it ends with 1", "script gone", "it is killed"],
)  # fmt: skip
def test_whatever_becomes_of_the_program(guarded: Guarded, python: str, dies: str) -> None:
    shell, option, line = tool_hook()
    assert python in line
    done = hook(guarded, shlex.join([shell, option, line.replace(python, dies)]), call(guarded, "mine/a.py"))
    assert done.returncode == 2
    assert done.stderr, "Codex takes a refusal without a reason for none"


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"\xff\xfe{}", b"null", b"[" * 100_000, b'{"tool_name":"Write"}',
        b'{"tool_name":"Write","tool_input":"x"}',
        b'{"tool_name":7,"tool_input":{}}', b'{"tool_name":"Write","tool_input":{"file_path":7}}',
        b'{"tool_name":"Write","cwd":7,"tool_input":{"file_path":"mine/a.py"}}',
        b'{"tool_name":"Write","tool_input":{"file_path":"mine/\\u0000"}}',
        b'{"tool_name":"Write","tool_input":{"file_path":"mine/\\ud800"}}',
        b'{"tool_name":"Bash","tool_input":{"command":"echo \'"}}',
        b'{"tool_name":"Bash","tool_input":{"command":"echo ' + b"$(" * 3000 + b'"}}',
        b'{"hook_event_name":"PostToolUse","tool_name":"Write","tool_input":{"file_path":"mine/a.py"}}',
    ],
)  # fmt: skip
def test_whatever_it_is_told(guarded: Guarded, text: bytes) -> None:
    done = hook(guarded, LINE, text)
    assert done.returncode == 2
    assert done.stderr.startswith(b"agent-coord: ")


def test_when_it_would_be_late(guarded: Guarded) -> None:
    """A program's own limit lets the call through; ours comes before it. Here it waits for a ledger that is held."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom coordinator.entrypoints import hooks\n"
    code += "hooks.LONGEST = 1; hooks.main(['pre-tool-use'])"
    gate = os.open(guarded.project.repository.state / "ledger.lock", os.O_RDWR)
    fcntl.flock(gate, fcntl.LOCK_EX)
    try:
        script = f"{shlex.quote(sys.executable)} -I -S -c {shlex.quote(code)}"
        done = hook(guarded, script, call(guarded, "mine/new.py"))
    finally:
        os.close(gate)
    assert done.returncode == 2
    assert b"no answer in 1 s" in done.stderr


def test_an_honest_call_still_passes(guarded: Guarded) -> None:
    assert hook(guarded, LINE, call(guarded, "mine/a.py")).returncode == 0
    assert hook(guarded, f"d=$(mktemp -d); cd $d; rmdir $d; {LINE}", call(guarded, "mine/a.py")).returncode == 0
