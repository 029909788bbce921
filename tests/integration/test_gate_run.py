"""The gate as agents meet it: classification and review, through the real loop."""

import json
import os
import sys
import tomllib
from pathlib import Path

from tests.support.projects import make_place, step, writes
from tests.support.repos import commit

CODE_ONLY = '[[gate.checks]]\nname = "tests"\nrun = ["false"]\non = "code"\n'
# Refuses what the file does not promise; the finding is what the author gets.
REVIEWER = """import json, pathlib
ok = "tested" in pathlib.Path("one.txt").read_text()
print(json.dumps({"approved": ok, "findings": [] if ok else ["one.txt: says nothing of tests"]}))
"""


def test_documentation_lands_without_the_checks_of_code(tmp_path: Path) -> None:
    place = make_place(tmp_path / "docs")
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text() + CODE_ONLY)
    place.script("a-1", writes("guide.md", "how", "a-1: guide"))
    place.script("a-2", *[writes("two.py", "x", "a-2: two") for _ in range(3)])
    assert "the gate: tests" in place.run("init").stdout
    place.run("run", "--max-agents", "1")
    assert place.issues["a-1"]["status"] == "closed"
    assert place.issues["a-2"]["status"] != "closed", "code that the gate refuses does not land"


def test_a_refusing_reviewer_sends_the_change_back_with_the_finding(tmp_path: Path) -> None:
    place = make_place(tmp_path / "review")
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text() + f"[gate.review]\nrun = {json.dumps([sys.executable, '-c', REVIEWER])}\n")
    mended = step('write = "one.txt"\ntext = "tested"') + step('commit = "a-1: say it"')
    place.script("a-1", writes("one.txt", "bare", "a-1: one"), mended)
    place.run("init")
    done = place.run("run", "--max-agents", "1", "--only", "a-1")
    assert place.issues["a-1"]["status"] == "closed", done.stderr
    second = (place.root / ".agent-worktrees" / "logs" / "a-1" / "2.briefing.md").read_text()
    assert "check review failed" in second
    assert "one.txt: says nothing of tests" in second


def test_a_verdict_is_kept_until_a_tool_of_the_gate_is_another(tmp_path: Path) -> None:
    place = make_place(tmp_path / "tools")
    tool, runs = tmp_path / "bin" / "judge", tmp_path / "runs"
    tool.parent.mkdir()
    place.environment["PATH"] = f"{tool.parent}:{os.environ['PATH']}"
    install(tool, f"echo run >> '{runs}'; test ! -e one.txt")
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text() + '[gate]\nreruns = 0\nchecks = [{name = "judge", run = ["env", "judge"]}]\n')
    place.json("init")
    held = place.json("assign", "ann", "a-1")
    commit(Path(held["path"]), {"one.txt": "1\n"}, "a-1: one")
    for _ in range(2):
        place.json("merge", "enqueue", held["branch"])
        place.until(lambda now: not now["coordinator"])
    assert runs.read_text() == "run\n" * 2, "once for the work and once for main: what is known is not asked again"
    assert [entry["state"] for entry in place.json("merge", "status")["past"]] == ["bounced", "bounced"]
    install(tool, f"echo run >> '{runs}'; exit 0")
    place.json("merge", "enqueue", held["branch"])
    place.until(lambda now: not now["coordinator"])
    assert place.issues["a-1"]["status"] == "closed"
    assert runs.read_text() == "run\n" * 3


def install(tool: Path, script: str) -> None:
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)


def test_init_writes_the_checks_that_the_files_ask_for(tmp_path: Path) -> None:
    files = {"pyproject.toml": "[tool.ruff]\n", "uv.lock": "", "tests/test_a.py": ""}
    place = make_place(tmp_path / "presets", files)
    config = place.root / ".agent-worktrees" / "config.toml"
    config.unlink()
    assert "the gate: lint, tests" in place.run("init", "--slots", "1").stdout
    text = config.read_text()
    assert "Found by `agent-coord init`: python-uv, because of pyproject.toml and uv.lock" in text
    assert [" ".join(check["run"]) for check in tomllib.loads(text)["gate"]["checks"]] == [
        "uv run --locked ruff check .", "uv run --locked pytest -q"
    ]  # fmt: skip
    place.run("cleanup", "--yes")
