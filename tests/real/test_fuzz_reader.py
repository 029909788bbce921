"""The reader under what no unit test can afford: coverage-guided fuzzing, and a tracker of 50 MB."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.backlogs import lines, record

ROOT = Path(__file__).parents[2]
RUNS, SECONDS = 200_000, 60
pytestmark = pytest.mark.real

FUZZ = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import atheris
with atheris.instrument_imports():
    from analyzer.backlog.beads import read_issues
    from analyzer.backlog.readiness import Rules, resolve, standings

def one(data):
    reading = read_issues(data, "t.jsonl")
    standings(resolve(reading.issues, Rules(0.0)), Rules(0.0))

atheris.Setup(sys.argv, one)
atheris.Fuzz()
"""


def test_coverage_guided_fuzzing_finds_no_way_to_make_it_raise(tmp_path):
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed (uv pip install atheris)")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for folder in (ROOT / "tests/fixtures").glob("bd-*"):
        for file in folder.glob("*.json*"):
            (corpus / f"{folder.name}-{file.name}").write_bytes(file.read_bytes()[:4000])
    (tmp_path / "fuzz.py").write_text(FUZZ)
    limits = [f"-runs={RUNS}", f"-max_total_time={SECONDS}", "-max_len=8000", "-timeout=20"]
    command = [sys.executable, str(tmp_path / "fuzz.py"), str(corpus), *limits]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS + 120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_fifty_megabytes_with_one_broken_line_are_planned(tmp_path):
    tracker = tmp_path / "issues.jsonl"
    text = "Edit `src/module_{n}.py` and say why. " * 60
    with tracker.open("wb") as stream:
        for number in range(21_000):
            status = "open" if number % 70 == 0 else "closed"
            stream.write(lines(record(f"a-{number}", status=status, description=text.format(n=number % 900))))
            if number == 10_000:
                stream.write(b'{"id": "a-broken", "title": "cut of\n')
    assert tracker.stat().st_size > 50_000_000
    words = ["track-analyzer", "recommend", "--json", "--issues", str(tracker)]
    command = [sys.executable, str(ROOT / "agent_coord.py"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert [problem["where"] for problem in found["problems"]] == [f"{tracker}:10002"]
    assert len(found["ready"]) == 300
