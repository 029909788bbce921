"""The gate as agents meet it: classification and review, through the real loop."""

import json
import sys
from pathlib import Path

from tests.support.projects import make_place, step, writes

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
