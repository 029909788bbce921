"""The commands as a user meets them: answers, exit codes, and what bad input gets. Real processes, real git."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.projects import Place, make_place, step, writes
from tests.support.repos import commit, git_out


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project")
    yield made
    made.run("cleanup", "--yes")


def test_run_lands_everything_in_the_order_of_the_dependencies(place: Place) -> None:
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.script("a-2", writes("two.txt", "2", "a-2: two"))
    assert place.json("init")["slots"] == ["pool-wt-1", "pool-wt-2"]
    assert place.json("init")["made"] == []
    assert place.json("run")["landed"] == 2
    subjects = git_out(place.root, "log", "--first-parent", "--format=%s", "main").splitlines()
    assert subjects[:2] == ["Land a-2: Write two.txt", "Land a-1: Write one.txt"]
    records = [json.loads(line) for line in (place.root / ".beads" / "issues.jsonl").read_text().splitlines()]
    assert {record["status"] for record in records} == {"closed"}
    status = place.json("status")
    assert [slot["state"] for slot in status["slots"]] == ["idle", "idle"]
    assert status["tasks"] == {"landed": 2}
    assert git_out(place.root, "branch", "--list", "agent/*") == ""
    assert place.run("cleanup").stdout.startswith("would:")
    place.run("cleanup", "--yes")
    answer = place.json("detect-leaks", program="resource-monitor")
    assert (answer["complete"], answer["leaks"]) == (True, [])


def test_a_repository_without_a_commit_is_told_what_to_do(tmp_path: Path) -> None:
    place = Place(tmp_path / "new")
    place.root.mkdir()
    git_out(place.root, "init", "--quiet", "--initial-branch=main")
    refused = place.run("init")
    assert (refused.returncode, "no commit yet" in refused.stderr) == (1, True)
    assert "git commit --allow-empty" in refused.stderr
    assert "agent-coord init" in place.run("doctor").stdout.splitlines()[-3]
    assert place.run("doctor").stdout.endswith("agent-coord doctor --fix\n")


def test_what_people_read_is_aligned_and_names_the_next_command(place: Place) -> None:
    place.json("init")
    place.run("reserve", "add", "docs/**", "--why", "a long look at it")
    heads, row = place.run("pool", "status").stdout.splitlines()[:2]
    assert (heads.split(), row.split()) == (["SLOT", "STATE", "VIEW"], ["pool-wt-1", "idle", "full"])
    heads, row = place.run("reserve", "list").stdout.splitlines()
    assert heads.index("PATHS") == row.index("docs/**")
    assert heads.index("WHY") == row.index("a long look at it")
    told = place.run("status", program="resource-monitor").stdout
    assert "slots      2 idle" in told
    assert "to start it: resource-monitor start" in told
    assert "to look now: resource-monitor detect-leaks" in told
    events = place.run("monitor", "--until-idle", "--json").stdout.splitlines()
    assert {json.loads(line)["schema"] for line in events} == {1}
    assert "slot.announced" in {json.loads(line)["kind"] for line in events}


def test_a_red_gate_goes_back_to_the_author_with_the_evidence(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    check = (
        "from pathlib import Path; assert 'bad' not in map(Path.read_text, Path().glob('one.*')), 'one.txt is not good'"
    )
    config.write_text(
        config.read_text()
        + f'[[gate.checks]]\nname = "content"\nrun = [{json.dumps(sys.executable)}, "-c", {json.dumps(check)}]\n'
    )
    place.script("a-1", writes("one.txt", "bad", "a-1: one"), writes("one.txt", "good", "a-1: mended"))
    place.json("init")
    assert place.json("run", "--only", "a-1")["landed"] == 1
    assert git_out(place.root, "show", "main:one.txt") == "good"
    briefing = (place.root / ".agent-worktrees" / "logs" / "a-1" / "2.briefing.md").read_text()
    assert "one.txt is not good" in briefing
    past = place.json("merge", "status")["past"]
    assert [entry["state"] for entry in past] == ["landed", "bounced"]


def test_an_issue_that_never_succeeds_is_handed_off_with_its_work_kept(place: Place) -> None:
    place.script("a-1", writes("one.txt", "1", "a commit that names nothing"))
    place.json("init")
    left = place.json("run", "--only", "a-1")["left"]
    assert [(task["issue"], task["state"]) for task in left] == [("a-1", "handed_off")]
    record = json.loads((place.root / ".beads" / "issues.jsonl").read_text().splitlines()[0])
    assert record["status"] == "open"
    assert "needs-followup" in record["labels"]
    kept = [word.rstrip(";,") for word in record["notes"].split() if word.startswith("refs/agent-coord/saved/")]
    assert git_out(place.root, "show", f"{kept[0]}:one.txt") == "1"


def test_by_hand_from_assign_to_landing(place: Place) -> None:
    place.json("init")
    held = place.json("assign", "ann", "a-1")
    assert place.run("assign", "bob", "a-1").returncode == 4
    slot = Path(held["path"])
    commit(slot, {"one.txt": "by hand\n"}, "a-1: by hand")
    place.json("merge", "enqueue", held["branch"])
    place.run("monitor", "--until-idle", "--interval", "0.1")
    assert git_out(place.root, "show", "main:one.txt") == "by hand"
    assert place.json("status")["slots"][0]["state"] == "idle"


def test_an_issue_assigned_by_hand_and_closed_by_hand_gives_its_slot_back(place: Place) -> None:
    place.json("init")
    held = place.json("assign", "ann", "a-1")
    (Path(held["path"]) / "draft.txt").write_text("not committed\n")
    tracker = place.root / ".beads" / "issues.jsonl"
    tracker.write_text(tracker.read_text().replace('"status":"in_progress"', '"status":"closed"'))
    assert f"{held['slot']} is free: a-1 was closed" in place.run("doctor", "--fix").stdout
    assert {slot["state"] for slot in place.json("status")["slots"]} == {"idle"}
    assert place.issues["a-1"]["status"] == "closed"
    assert git_out(place.root, "show", "refs/agent-coord/saved/a-1/1:draft.txt") == "not committed"


def test_an_epic_is_closed_with_its_last_child(place: Place) -> None:
    tracker = place.root / ".beads" / "issues.jsonl"
    tracker.write_text(tracker.read_text() + '{"id":"a","title":"Both","status":"open","issue_type":"epic"}\n')
    for issue, name in (("a-1", "one"), ("a-2", "two")):
        place.script(issue, writes(f"{name}.txt", name, f"{issue}: {name}"))
    edge = '{"issue_id":"%s","depends_on_id":"a","type":"parent-child"}'
    lines = [json.loads(line) for line in tracker.read_text().splitlines()]
    for record in lines[:2]:
        record.setdefault("dependencies", []).append(json.loads(edge % record["id"]))
    tracker.write_text("".join(json.dumps(record) + "\n" for record in lines))
    place.json("init")
    assert place.json("run")["landed"] == 2
    assert place.issues["a"]["status"] == "closed"


def test_release_keeps_what_was_not_landed(place: Place) -> None:
    place.json("init")
    held = place.json("assign", "ann", "a-1")
    (Path(held["path"]) / "draft.txt").write_text("not committed\n")
    saved = place.json("release", held["slot"])["saved"]
    assert git_out(place.root, "show", f"{saved}:draft.txt") == "not committed"
    assert place.run("release", held["slot"]).returncode == 1


def test_reservations_are_refused_with_the_holder(place: Place) -> None:
    place.json("init")
    place.json("reserve", "add", "src/**", "--why", "a refactoring")
    held = place.json("reserve", "list")["reservations"]
    assert held[0]["pattern"] == "src/**"
    place.json("reserve", "release", str(held[0]["id"]))
    assert place.json("reserve", "list")["reservations"] == []


def test_of_two_that_wait_for_each_other_the_younger_gives_way(place: Place) -> None:
    place.json("init")
    for agent, path in (("ann", "src/**"), ("bob", "docs/**")):
        place.environment["AGENT_COORD_AGENT"] = agent
        place.json("reserve", "add", path, "--why", "mine")
    younger = place.start("reserve", "add", "src/a.py", "--why", "too", "--wait", "60")
    place.environment["AGENT_COORD_AGENT"] = "ann"
    elder = place.start("reserve", "add", "docs/a.md", "--why", "too", "--wait", "60")
    _, said = younger.communicate(timeout=60)
    assert younger.returncode == 4
    assert "bob waits for itself: bob -> ann -> bob each wait for the next" in said
    place.environment["AGENT_COORD_AGENT"] = "bob"
    place.json("reserve", "release")
    out, err = elder.communicate(timeout=60)
    assert (elder.returncode, out) == (0, "held: docs/a.md\n"), err


def test_scope_apply_hides_the_rest(place: Place) -> None:
    commit(place.root, {"src/a.py": "", "docs/b.md": ""}, "more files")
    place.json("init", "--slots", "1")
    view = place.json("scope", "apply", "pool-wt-1", "docs/**")["view"]
    assert view["mode"] == "exact"
    slot = place.root / ".agent-worktrees" / "pool-wt-1"
    assert (slot / "docs/b.md").exists()
    assert (slot / "README.md").exists()
    assert not (slot / "src/a.py").exists()


@pytest.mark.parametrize(
    ("argv", "code", "reference"),
    [
        (("status",), 1, "not-initialised"),
        (("spawn", "two"), 2, "usage"),
        (("spawn", "0"), 2, "bad-count"),
        (("spawn", "1", "some"), 2, "bad-filter"),
        (("--repo", "/", "status"), 1, "not-a-repository"),
        (("--config", "nowhere.toml", "init"), 1, "no-config"),
    ],
)
def test_bad_calls(place: Place, argv: tuple[str, ...], code: int, reference: str) -> None:
    done = place.run(*argv, "--json")
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["error"]["reference"] == reference
    assert f"[{reference}]" in done.stderr


def test_an_unknown_key_names_the_nearest(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text().replace("maximum", "maximun"))
    done = place.run("init")
    assert done.returncode == 1
    assert "did you mean `maximum`?" in done.stderr


def test_a_tracker_with_conflict_markers_still_works(place: Place) -> None:
    tracker = place.root / ".beads" / "issues.jsonl"
    tracker.write_text("<<<<<<< ours\n" + tracker.read_text() + ">>>>>>> theirs\n")
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.json("init")
    answer = place.json("recommend", program="track-analyzer")
    assert {problem["where"].rpartition(":")[2] for problem in answer["problems"]} >= {"1", "4"}
    assert place.json("run", "--only", "a-1")["landed"] == 1


def test_no_tracker_is_told(place: Place) -> None:
    (place.root / ".beads" / "issues.jsonl").unlink()
    place.json("init")
    done = place.run("spawn", "1", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["reference"] == "no-tracker"


def test_a_spawn_beyond_the_pool_is_queued(place: Place) -> None:
    place.script("a-1", step("sleep = 600.0"))
    place.script("a-2", step("sleep = 600.0"))
    place.json("init")
    answer = place.json("spawn", "5", "all")
    assert [one["issue"] for one in answer["started"]] == ["a-1"]
    assert [one["issue"] for one in answer["queued"]] == ["a-2"]
    again = place.run("spawn", "1")
    assert again.returncode == 4
    assert "maximum" in again.stderr
    second = place.run("run", "--json")
    assert second.returncode == 4
    assert json.loads(second.stdout)["error"]["reference"] == "coordinator-running"
    place.run("cleanup", "--yes")
    assert place.json("status")["tasks"] == {"released": 2}


@pytest.mark.parametrize(
    ("settings", "reference"),
    [
        ('binaries = "/nowhere"', "postgres-missing"),
        ('provider = "dsn"\ndsn = "postgresql://nobody@127.0.0.1:1/none"', "database-unreachable"),
    ],
)
def test_no_postgres_is_told_before_anything_is_made(place: Place, settings: str, reference: str) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text().replace('provider = "none"', settings))
    done = place.run("init", "--json")
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["reference"] == reference
    assert error["mend"]
    assert [path.name for path in (place.root / ".agent-worktrees").iterdir()] == ["config.toml"]
    assert place.json("status")["slots"] == []
    config.write_text(config.read_text().replace(settings, 'provider = "none"'))
    assert place.json("init")["slots"] == ["pool-wt-1", "pool-wt-2"]
