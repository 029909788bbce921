"""The replay benchmark on a tiny corpus: the builder, the yardsticks, and a run through the real commands."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.building import TRACKER, Setting, build
from benchmarks.corpus import Corpus, read_corpus
from benchmarks.wholeness import broken_landings
from benchmarks.yardsticks import Yardsticks, measure
from tests.support.repos import git_out

REPLAY = Path(__file__).parents[2] / "benchmarks" / "replay.py"


def an_issue(name: str, *needs: str, created: int = 0) -> dict:
    deps = [[other, "blocks"] for other in needs]
    words = {"description": f"Work on {name}", "design": "", "acceptance_criteria": "", "labels": []}
    kinds = {"issue_type": "task", "priority": 2, "deps": deps, "parent": None, "created_ts": 1_700_000_000 + created}
    return {"kind": "issue", "id": name, "title": name, **words, **kinds, "files": ["told/to/nobody.py"]}


def a_commit(sha: str, issue: str, **files: tuple) -> dict:
    edits = [{"path": f"{path}.py", "status": status, "hunks": hunks} for path, (status, *hunks) in files.items()]
    return {"kind": "commit", "sha": sha * 40, "t": 1_700_000_000, "issues": [issue], "files": edits}


@pytest.fixture
def corpus_file(tmp_path: Path) -> Path:
    """Four issues: `t-2` replaces lines that `t-1` brings, and only their creation tells the order."""
    records = [
        {"kind": "base", "sha": "0" * 40, "files": {"loans.py": 10, "web.py": 6, "old.py": 3}},
        an_issue("t-1"),
        an_issue("t-2", created=60),
        an_issue("t-3", "gone-1", created=120),
        an_issue("t-4", "t-3", created=180),
        a_commit("a", "t-1", loans=("M", [3, 2, 3], [10, 0, 1])),
        a_commit("b", "t-2", loans=("M", [4, 1, 2])),
        a_commit("c", "t-3", web=("M", [1, 1, 1]), new=("A", [0, 0, 4])),
        a_commit("d", "t-4", new=("M", [2, 1, 0]), old=("D", [1, 3, 0])),
        a_commit("e", "t-4", web=("M", [6, 0, 2])),
    ]
    file = tmp_path / "tiny.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


@pytest.fixture
def corpus(corpus_file: Path) -> Corpus:
    return read_corpus(corpus_file)


def test_the_repository_holds_the_base_and_the_truth_apart(corpus, tmp_path):
    built = build(corpus, tmp_path, Setting(2))
    assert git_out(built.root, "show", "main:loans.py").splitlines() == [f"loans.py:{n}" for n in range(1, 11)]
    told = git_out(built.root, "show", f"main:{TRACKER}")
    assert [json.loads(line)["id"] for line in told.splitlines()] == ["t-1", "t-2", "t-3", "t-4"]
    assert "nobody.py" not in told
    first = git_out(built.root, "show", f"{built.commits['t-1'][0]}:loans.py").splitlines()
    assert first[1:6] == ["loans.py:2", *(f"loans.py@aaaaaaa:{n}" for n in (1, 2, 3)), "loans.py:5"]
    assert first[-2:] == ["loans.py:10", "loans.py@aaaaaaa:4"]
    last = built.commits["t-4"][-1]
    assert sorted(git_out(built.root, "ls-tree", "--name-only", last).split()) == [
        ".beads",
        "loans.py",
        "new.py",
        "web.py",
    ]
    assert git_out(built.root, "log", "-1", "--format=%s", last).startswith("t-4: ")


def test_the_yardsticks_and_what_they_leave_alone(corpus, tmp_path):
    built = build(corpus, tmp_path, Setting(2))
    assert measure(built, corpus.issues) == Yardsticks(sequential=4, naive=2, patient=4)
    assert measure(built, corpus.issues[1::-1]) == Yardsticks(sequential=1, naive=1, patient=2)
    crossed = [corpus.issues[0] | {"deps": [["t-2", "blocks"]]}, corpus.issues[1]]
    assert measure(built, crossed) == Yardsticks(sequential=2, naive=1, patient=0)
    assert git_out(built.root, "rev-parse", "main") == built.base


def test_a_landing_that_is_not_whole_is_found(corpus, tmp_path):
    built = build(corpus, tmp_path, Setting(2))
    root = built.root
    git_out(root, "checkout", "--quiet", "-b", "work")
    git_out(root, "cherry-pick", *built.commits["t-1"])
    git_out(root, "checkout", "--quiet", "main")
    git_out(root, "merge", "--quiet", "--no-ff", "-m", "whole", "work")
    whole = git_out(root, "rev-parse", "main")
    assert broken_landings(root, built.base, {whole: "t-1"}, corpus.changes) == []
    (root / "loans.py").write_text((root / "loans.py").read_text().replace("loans.py@aaaaaaa:2\n", ""))
    git_out(root, "commit", "--quiet", "--amend", "--no-edit", "--all")
    part = git_out(root, "rev-parse", "main")
    found = broken_landings(root, built.base, {part: "t-1"}, corpus.changes)
    assert len(found) == 1
    assert "t-1) is not whole in loans.py" in found[0]
    assert "did not come through the queue" in broken_landings(root, built.base, {}, corpus.changes)[0]


def test_a_file_that_came_meanwhile_need_not_be_deleted(tmp_path):
    records = [
        {"kind": "base", "sha": "0" * 40, "files": {"web.py": 6}},
        an_issue("t-1"),
        an_issue("t-2", created=60),
        a_commit("a", "t-1", new=("A", [0, 0, 4])),
        a_commit("b", "t-2", new=("D", [1, 4, 0]), web=("M", [1, 1, 1])),
    ]
    file = tmp_path / "moved.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    corpus = read_corpus(file)
    built = build(corpus, tmp_path, Setting(2))

    def land(issue: str, *begun: str) -> str:
        git_out(built.root, "checkout", "--quiet", "--detach", *begun)
        git_out(built.root, "cherry-pick", *built.commits[issue])
        tip = git_out(built.root, "rev-parse", "HEAD")
        git_out(built.root, "checkout", "--quiet", "main")
        git_out(built.root, "merge", "--quiet", "--no-ff", "-m", issue, tip)
        return git_out(built.root, "rev-parse", "main")

    first = land("t-1", "main")
    beside = land("t-2", built.base)
    assert broken_landings(built.root, built.base, {first: "t-1", beside: "t-2"}, corpus.changes) == []
    git_out(built.root, "reset", "--quiet", "--hard", first)
    git_out(built.root, "checkout", "--quiet", "--detach")
    git_out(built.root, "cherry-pick", "--no-commit", *built.commits["t-2"])
    git_out(built.root, "checkout", "--quiet", first, "new.py")
    git_out(built.root, "commit", "--quiet", "-m", "kept what it had seen")
    after = git_out(built.root, "rev-parse", "HEAD")
    git_out(built.root, "branch", "--quiet", "--force", "main", after)
    found = broken_landings(built.root, built.base, {first: "t-1", after: "t-2"}, corpus.changes)
    assert len(found) == 1
    assert "t-2) is not whole in new.py" in found[0]


def test_two_agents_land_all_of_it(corpus_file):
    argv = [sys.executable, str(REPLAY), str(corpus_file), "--agents", "2", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result.pop("wall_s") > 0
    attempts, conflicts = result.pop("attempts"), result.pop("conflicts")
    assert attempts == 4 + conflicts
    assert result.pop("attempts_per_landed") == attempts / 4
    assert result.pop("conflicts_at_landing") <= conflicts
    assert result.pop("conflicts_foreseen") >= 0
    assert result == {
        "schema": 1,
        "corpus": "tiny",
        "agents": 2,
        "foresight": "predicted",
        "issues": 4,
        "landed": 4,
        "handed_off": [],
        "broken_mains": 0,
        "leaks": 0,
        "gates": None,
        "sequential": {"landed": 4, "gates": 20.0},
        "naive": {"landed": 2},
        "patient": {"landed": 4},
    }


def test_a_play_lands_the_same_and_foresight_saves_attempts(corpus_file):
    argv = [sys.executable, str(REPLAY), str(corpus_file), "--agents", "1", "3", "--played"]
    done = subprocess.run([*argv, "--foresight", "none", "oracle"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    plays = {(one["agents"], one["foresight"]): one for one in map(json.loads, done.stdout.splitlines())}
    assert {one["landed"] for one in plays.values()} == {4}
    assert plays[3, "oracle"]["attempts"] == 4 < plays[3, "none"]["attempts"]
    # One agent that wastes nothing works on while the gate does: of four gate runs only the last takes time.
    assert plays[1, "oracle"]["of_sequential"] == 0.85 > plays[3, "oracle"]["of_sequential"]
    assert plays[3, "oracle"]["conflicts_foreseen"] > 0 == plays[3, "none"]["conflicts_foreseen"]


def test_a_gate_that_takes_time_gives_the_wall_clock_a_unit(corpus_file):
    argv = [sys.executable, str(REPLAY), str(corpus_file), "--limit", "2", "--foresight", "oracle", "--json"]
    done = subprocess.run([*argv, "--unit", "0.2"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert (result["landed"], result["attempts"], result["conflicts_foreseen"]) == (2, 2, 0)
    assert result["gates"] >= 10
