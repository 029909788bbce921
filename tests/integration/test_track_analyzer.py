"""`track-analyzer` as a process: on a repository, on real trackers, and on what is wrong with either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.analyzers import answer, run
from tests.support.backlogs import data, lines, record
from tests.support.repos import commit, git_out, make_repository

FILES = {"src/app.py": "import src.auth\n", "src/auth.py": "x = 1\n", "docs/guide.md": "words\n"}
BACKLOG = lines(
    record("s-1", title="Log in", description="Edit `src/auth.py`.", priority=1),
    record("s-2", "s-1", title="Log out"),
    record("s-3", title="Forget", description="Also edit `src/auth.py`."),
    record("s-4", "s-3", title="Then tell"),
    record("s-5", issue_type="epic", title="All of it"),
    record("s-6", "s-9", title="Waits for a stranger", status="open"),
    record("s-7", status="closed", title="Was done"),
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = make_repository(tmp_path / "my repository", FILES)
    (root / ".beads").mkdir()
    (root / ".beads/issues.jsonl").write_bytes(BACKLOG)
    return root


def test_recommend_answers_the_contract(repository):
    found = answer("recommend", "--slots", "2", cwd=repository)
    assert list(found) == [
        "schema", "source", "problems", "ready", "blocked", "cycles", "tracks", "conflicts", "waves", "assignments",
        "queued", "makespan",
    ]  # fmt: skip
    assert found["source"] == {"kind": "jsonl", "path": ".beads/issues.jsonl", "issues": 7, "stale": None}
    assert set(found["ready"]) == {"s-1", "s-3", "s-6"}
    assert {one["id"]: one["waits_for"] for one in found["blocked"]} == {"s-2": ["s-1"], "s-4": ["s-3"]}
    assert [set(track) for track in found["tracks"]] == [{"id", "issues", "status", "priority", "scope"}] * 3
    assert all(set(track["scope"]) == {"write", "files", "hot"} for track in found["tracks"])
    (conflict,) = found["conflicts"]
    assert (conflict["issues"], conflict["witness"]) == (["s-1", "s-3"], "src/auth.py")
    assert not any({conflict["a"], conflict["b"]} <= {*wave} for wave in found["waves"])
    assert [one["slot"] for one in found["assignments"]] == ["slot-1", "slot-2"]
    assert all(one["why"] for one in found["assignments"] + found["queued"])
    assert found["makespan"]["expected"] >= found["makespan"]["lower_bound"] > 0
    assert found["problems"][0]["where"] == ".beads/issues.jsonl:6"


def test_every_command_answers_in_text_and_json(repository):
    for command in ("analyze", "recommend", "conflicts", "full", "explain s-3", "scope s-3", "graph"):
        assert answer(*command.split(), cwd=repository)["schema"] == 1
        text = run(*command.split(), "--no-color", cwd=repository)
        assert text.returncode == 0
        assert "s-3" in text.stdout
    scope = answer("scope", "s-3", cwd=repository)
    assert set(scope) == {"schema", "id", "files", "new", "write", "view"}
    assert scope["files"][0]["path"] == "src/auth.py"
    assert set(scope["view"]) == {"mode", "directories", "shown", "total"}


def test_a_plan_ends_with_the_next_command_and_says_why_there_is_none(repository):
    told = run("recommend", "--no-color", cwd=repository).stdout
    assert told.endswith("\nnext: agent-coord spawn 2 independent\n")
    assert "1 issue," in told
    assert "1 issues" not in told
    tracker = repository / ".beads/issues.jsonl"
    elsewhere = run("recommend", "--no-color", "--issues", tracker, cwd=repository).stdout
    assert "agent-coord" not in elsewhere, "what lies in a file is no backlog to be worked on"
    tracker.write_bytes(lines(record("s-7", status="closed", title="Was done")))
    assert "every issue is closed" in run("recommend", cwd=repository).stdout
    tracker.write_bytes(lines(record("s-8", "s-9", title="One"), record("s-9", "s-8", title="Other")))
    assert "track-analyzer analyze" in run("recommend", cwd=repository).stdout


@pytest.mark.parametrize(
    ("form", "begin"), [("mermaid", "flowchart"), ("dot", "digraph"), ("svg", "<svg"), ("html", "<!doctype")]
)
def test_the_graph_is_drawn_and_titles_cannot_break_it(repository, form, begin):
    evil = record("s-8", title='</text><script>alert("x")</script>')
    (repository / ".beads/issues.jsonl").write_bytes(BACKLOG + lines(evil))
    drawn = run("graph", "--format", form, cwd=repository).stdout
    assert drawn.startswith(begin)
    assert "s-8" in drawn
    assert "<script>alert" not in drawn or form == "dot"


def test_the_tracker_is_that_of_the_main_checkout(repository):
    commit(repository, {".beads/issues.jsonl": BACKLOG.decode()}, "tracker")
    slot = repository / ".agent-worktrees/slot"
    git_out(repository, "worktree", "add", "--quiet", "--detach", str(slot))
    (repository / ".beads/issues.jsonl").write_bytes(lines(record("s-1", status="closed"), record("s-2", "s-1")))
    assert answer("recommend", cwd=slot)["ready"] == ["s-2"]


def test_history_is_kept_and_read_on(repository):
    answer("recommend", cwd=repository)
    kept = repository / ".git/agent-coord/cache/past.json"
    assert len(json.loads(kept.read_text())["commits"]) == 1
    commit(repository, {"src/new.py": "n = 1\n"}, "s-7: add a file")
    answer("recommend", cwd=repository)
    newest, *_ = json.loads(kept.read_text())["commits"]
    assert newest[2:] == ["s-7: add a file", ["src/new.py"]]
    git_out(repository, "commit", "--quiet", "--amend", "-m", "s-7: said better")
    kept_before = kept.read_text()
    answer("recommend", cwd=repository)
    assert [entry[2] for entry in json.loads(kept.read_text())["commits"]] == ["s-7: said better", "first commit"]
    kept.write_text(kept_before[:50])
    answer("recommend", cwd=repository)


def test_options_may_stand_before_the_command(repository):
    assert answer("--repo", repository, "recommend", "--only=s-3")["ready"] == ["s-3"]
    assert answer("--repo", repository, "--slots", 1, "recommend")["waves"][0] == ["T1"]


def test_at_goes_back_in_time(repository):
    old = record("s-1", created_at="2026-01-01T00:00:00Z", status="closed", closed_at="2026-03-01T00:00:00Z")
    (repository / ".beads/issues.jsonl").write_bytes(
        lines(old, record("s-2", "s-1", created_at="2026-02-01T00:00:00Z"))
    )
    ready = {
        when: answer("recommend", "--at", when, cwd=repository)["ready"]
        for when in ("2026-01-15", "2026-02-15", "2026-04-01")
    }
    assert ready == {"2026-01-15": ["s-1"], "2026-02-15": ["s-1"], "2026-04-01": ["s-2"]}


def test_bd_is_asked_when_the_file_is_behind(repository, tmp_path):
    # No real bd here: a program of that name stands in for it and says what `bd export` would.
    (repository / ".beads/metadata.json").write_text('{"database": "dolt", "backend": "dolt"}')
    stale = answer("recommend", cwd=repository)
    assert "Dolt" in stale["source"]["stale"]
    program = tmp_path / "bin/bd"
    program.parent.mkdir()
    export = json.dumps(record("s-1", title="from bd"))
    program.write_text(f"#!/bin/sh\n[ \"$1\" = export ] && echo '{export}' && exit 0\necho unknown flag >&2; exit 1\n")
    program.chmod(0o755)
    fresh = answer("recommend", cwd=repository, path=f"{program.parent}:/usr/bin:/bin")
    assert fresh["source"] == {"kind": "bd", "path": "bd export", "issues": 1, "stale": None}


def test_a_difference_to_what_bd_calls_ready_is_a_problem(repository, tmp_path):
    # No real bd here either (tests/real has one): a stand-in that offers what waits, and not what is ready.
    program = tmp_path / "bin/bd"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho \'{"data": [{"id": "s-2"}, {"id": "s-3"}, {"id": "s-6"}]}\'\n')
    program.chmod(0o755)
    found = answer("recommend", "--cross-check", cwd=repository, path=f"{program.parent}:/usr/bin:/bin")
    assert set(found["ready"]) == {"s-1", "s-3", "s-6"}
    told = [problem["what"] for problem in found["problems"] if problem["where"] == "bd ready --limit 0 --json"]
    assert told == [
        "s-1 is not in it, though nothing holds it back",
        "s-2 is in it, though it is held back: waits for s-1",
    ]
    (alone,) = answer("recommend", "--cross-check", cwd=repository, path="/usr/bin:/bin")["problems"][:1]
    assert "neither bd nor br" in alone["what"]


def test_plan_settings_come_from_the_configuration(repository):
    config = repository / ".agent-worktrees/config.toml"
    config.parent.mkdir()
    config.write_text("[plan]\nconflict_at = 1.0\nunknown_blocks = true\n")
    assert answer("recommend", cwd=repository)["conflicts"] == []
    config.write_text("[plan]\nconflict_att = 0.5\n")
    done = run("recommend", cwd=repository)
    assert done.returncode == 1
    assert "conflict_att" in done.stderr
    assert "did you mean `conflict_at`?" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["recommend", "--issues", "/no/such.jsonl"], 1, "unreadable"), (["explain", "s-99"], 1, "no-such-issue"),
        (["recommend", "--slots", "0"], 2, "usage"), (["frobnicate"], 2, "usage"), (["scope"], 2, "usage"),
        (["recommend", "--at", "soon"], 2, "bad-time"), (["graph", "--format", "png"], 2, "unknown-format"),
        (["recommend", "--config", "/no/config.toml"], 1, "no-config"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_exit_code(repository, arguments, code, word):
    done = run(*arguments, cwd=repository)
    assert (done.returncode, done.stdout) == (code, "")
    assert f"[{word}]" in done.stderr


def test_no_tracker_and_no_repository_say_what_to_do(repository, tmp_path):
    (repository / ".beads/issues.jsonl").unlink()
    done = run("recommend", "--json", cwd=repository)
    assert (done.returncode, json.loads(done.stdout)["error"]["reference"]) == (1, "no-tracker")
    assert "bd init" in done.stderr
    for _ in range(2):
        outside = run("recommend", cwd=tmp_path)
        assert (outside.returncode, "[not-a-repository]" in outside.stderr) == (1, True)
        (tmp_path / ".git").mkdir(exist_ok=True)  # a folder of that name alone makes no repository


def test_a_tracker_with_conflict_markers_still_plans(repository):
    text = b"<<<<<<< HEAD\n" + lines(record("s-1")) + b"=======\n" + lines(record("s-2")) + b">>>>>>> theirs\n"
    (repository / ".beads/issues.jsonl").write_bytes(text)
    done = run("recommend", "--json", cwd=repository)
    assert json.loads(done.stdout)["ready"] == ["s-1", "s-2"]
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == [f".beads/issues.jsonl:{n}" for n in (1, 3, 5)]


def blockers(file: Path) -> dict[str, set[str]]:
    """Issue -> what (transitively) blocks it, read from the file in the simplest way."""
    direct: dict[str, set[str]] = {}
    done: set[str] = set()
    for line in file.read_text(errors="replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if found.get("status") in ("closed", "tombstone", "done"):
            done.add(found.get("id"))
        edges = [edge for edge in found.get("dependencies") or [] if isinstance(edge, str) or edge["type"] == "blocks"]
        direct[found.get("id")] = {edge if isinstance(edge, str) else edge["depends_on_id"] for edge in edges}
    closed: dict[str, set[str]] = {}
    for name in direct.keys() - done:
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            fresh = (direct.get(waiting.pop(), set()) & direct.keys()) - done - seen
            seen |= fresh
            waiting += fresh
        closed[name] = seen
    return closed


def test_every_real_tracker_is_planned():
    for file in sorted(data("beads").glob("*.jsonl")):
        done = run("recommend", "--issues", file, "--slots", "4", "--json")
        assert done.returncode == 0, f"{file.name}: {done.stderr}"
        found = json.loads(done.stdout)
        broken = {
            f"{file}:{number}"
            for number, line in enumerate(file.read_bytes().split(b"\n"), 1)
            if line and not _is_json(line)
        }
        assert broken <= {problem["where"] for problem in found["problems"]}
        assert all(where in done.stderr for where in broken)
        blocked = blockers(file)
        members = {track["id"]: track["issues"] for track in found["tracks"]}
        for wave in found["waves"]:
            for track in wave:
                others = {name for other in wave if other != track for name in members[other]}
                assert not any(blocked.get(name, set()) & others for name in members[track]), (file.name, wave)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
