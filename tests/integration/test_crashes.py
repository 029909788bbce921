"""Whatever is killed, nothing is lost, nothing is done twice, nothing stays behind. Real processes."""

import json
import os
import signal
from pathlib import Path

import pytest

from resources.state.sqlite import SqliteLedger
from resources.system.process import ProcessId, is_alive, start_of
from resources.system.repository import find_repository
from tests.support.projects import Place, make_place, step, writes
from tests.support.repos import git_out


@pytest.fixture
def place(tmp_path: Path):
    made = make_place(tmp_path / "a project")
    yield made
    made.run("cleanup", "--yes")


def coordinator_of(place: Place) -> ProcessId:
    pid, start = (place.root / ".git" / "agent-coord" / "coordinator.lock").read_text().split()
    return ProcessId(int(pid), start)


def at_work(status: dict) -> bool:
    return any(slot["task"] == "working" and slot["activity"] == "thinking" for slot in status["slots"])


def thinks(then: str = "") -> str:
    return step('write = "draft.txt"\ntext = "half done"') + step('say = "thinking"') + step("sleep = 60.0") + then


def landings(place: Place) -> list[str]:
    return git_out(place.root, "log", "--first-parent", "--format=%s", "main").splitlines()


def agents(place: Place) -> list[ProcessId]:
    """The living players of this place's scripts."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        start = start_of(int(folder.name))
        if b"coordinator.agents.player" in line and str(place.root).encode() in line and start:
            found.append(ProcessId(int(folder.name), start))
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


@needs_proc
def test_kill_9_of_the_coordinator_with_four_agents_at_work(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text().replace("size = 2", "size = 4").replace("maximum = 2", "maximum = 4"))
    tracker = place.root / ".beads" / "issues.jsonl"
    tracker.write_text("".join(f'{{"id":"b-{n}","title":"Write {n}.txt","status":"open"}}\n' for n in range(4)))
    go = place.root / ".agent-worktrees" / "go"
    for n in range(4):
        waits = step('say = "thinking"') + step(f"""run = ["sh", "-c", "until [ -e '{go}' ]; do sleep 0.05; done"]""")
        place.script(f"b-{n}", waits + writes(f"{n}.txt", f"{n}", f"b-{n}: {n}"))
    place.json("init")
    place.json("spawn", "4", "all")
    place.until(lambda now: sum(slot["activity"] == "thinking" for slot in now["slots"]) == 4)
    before = {agent.pid for agent in agents(place)}
    os.kill(coordinator_of(place).pid, signal.SIGKILL)
    place.until(lambda now: not now["coordinator"])

    run = place.start("run", "--json")
    place.until(lambda _: len(place.events("attempt.adopted")) == 4)
    assert {agent.pid for agent in agents(place)} == before
    go.touch()
    out, err = run.communicate(timeout=60)

    assert json.loads(out)["landed"] == 4, err
    assert sorted(landings(place)[:4]) == [f"Land b-{n}: Write {n}.txt" for n in range(4)]
    assert [one["data"]["attempt"] for one in place.events("attempt.started")] == [1, 1, 1, 1]
    assert agents(place) == []
    assert {slot["state"] for slot in place.json("status")["slots"]} == {"idle"}
    assert git_out(place.root, "for-each-ref", "refs/agent-coord/saved/") == ""


def test_doctor_clears_up_after_a_killed_command_while_a_coordinator_works(place: Place) -> None:
    place.script("a-1", thinks())
    place.json("init")
    place.json("spawn", "1", "all")
    working = {slot["slot"] for slot in place.until(at_work)["slots"] if slot["task"] == "working"}
    (other,) = {"pool-wt-1", "pool-wt-2"} - working
    ledger = SqliteLedger(find_repository(place.root).state)
    with ledger.write() as tx:
        tx.change("slot-state", name=other, old="idle", new="making", note="", changed_at=0)
    ledger.close()
    git_out(place.root, "branch", "agent/pool-wt-9/a-9/1")
    assert f"{other} was left half made and was removed" in place.run("doctor", "--fix").stdout
    assert place.json("detect-leaks", program="resource-monitor")["leaks"] == []
    assert [slot["slot"] for slot in place.json("status")["slots"]] == [*working]
    assert at_work(place.json("status"))


@needs_proc
def test_kill_9_of_the_coordinator_and_its_agent(place: Place) -> None:
    place.script("a-1", thinks(), writes("one.txt", "1", "a-1: one"))
    place.script("a-2", writes("two.txt", "2", "a-2: two"))
    place.json("init")
    place.json("spawn", "1", "all")
    place.until(at_work)
    (agent,) = agents(place)
    os.kill(coordinator_of(place).pid, signal.SIGKILL)
    assert is_alive(agent)
    os.killpg(agent.pid, signal.SIGKILL)

    assert place.json("run")["landed"] == 2

    assert not is_alive(agent)
    assert [line for line in landings(place) if line.startswith("Land")] == [
        "Land a-2: Write two.txt",
        "Land a-1: Write one.txt",
    ]
    assert git_out(place.root, "show", "refs/agent-coord/saved/a-1/1:draft.txt") == "half done"
    place.json("cleanup", "--yes")
    answer = place.json("detect-leaks", program="resource-monitor")
    assert (answer["complete"], answer["leaks"]) == (True, [])


@needs_proc
def test_two_interrupts_give_everything_back(place: Place) -> None:
    place.script("a-1", thinks())
    place.json("init")
    run = place.start("run", "--only", "a-1")
    place.until(at_work)
    run.send_signal(signal.SIGINT)
    assert run.stderr is not None
    while "draining" not in run.stderr.readline():
        assert run.poll() is None
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=30)
    assert run.returncode == 1
    assert agents(place) == []
    status = place.json("status")
    assert {slot["state"] for slot in status["slots"]} == {"idle"}
    assert status["tasks"] == {"released": 1}
    assert place.issues["a-1"]["status"] == "open"
    assert git_out(place.root, "show", "refs/agent-coord/saved/a-1/1:draft.txt") == "half done"


def test_one_interrupt_lets_what_is_under_way_land_and_starts_nothing_more(place: Place) -> None:
    go = place.root / ".agent-worktrees" / "go"
    waits = step('say = "thinking"') + step(f"""run = ["sh", "-c", "until [ -e '{go}' ]; do sleep 0.05; done"]""")
    place.script("a-1", waits + writes("one.txt", "1", "a-1: one"))
    place.json("init")
    run = place.start("run")
    place.until(at_work)
    run.send_signal(signal.SIGINT)
    assert run.stderr is not None
    while "draining" not in run.stderr.readline():
        assert run.poll() is None
    go.touch()
    run.communicate(timeout=60)
    assert run.returncode == 1
    assert landings(place)[0] == "Land a-1: Write one.txt"
    assert place.json("status")["tasks"].get("working", 0) == 0
    assert place.issues["a-2"]["status"] == "open"


def test_work_that_comes_back_unchanged_is_handed_off_at_once(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    check = '[gate]\nchecks = [{name = "never", run = ["sh", "-c", "echo no; test ! -e one.txt"]}]\n'
    config.write_text(check + config.read_text().replace("[agents]", "[agents]\nattempts = 5", 1))
    place.script("a-1", writes("one.txt", "1", "a-1: one"), step('say = "it is fine as it is"'))
    place.json("init")
    done = place.run("run", "--only", "a-1", "--json")
    (left,) = json.loads(done.stdout)["left"]
    assert left["state"] == "handed_off"
    assert left["why"].startswith("no progress on attempt 2 of 5: check never")


def test_an_issue_closed_in_the_tracker_frees_its_slot(place: Place) -> None:
    place.script("a-1", thinks())
    place.json("init")
    place.json("spawn", "1", "only:a-1")
    place.until(at_work)
    tracker = place.root / ".beads" / "issues.jsonl"
    tracker.write_text(tracker.read_text().replace('"status":"in_progress"', '"status":"closed"'))
    status = place.until(lambda now: not now["coordinator"])
    assert status["tasks"] == {"released": 1}
    assert place.issues["a-1"]["status"] == "closed"
    assert {slot["state"] for slot in status["slots"]} == {"idle"}


def test_an_issue_that_vanishes_from_the_tracker_stops_nobody(place: Place) -> None:
    place.script("a-1", step('say = "thinking"') + step("sleep = 1.0") + writes("one.txt", "1", "a-1: one"))
    place.json("init")
    run = place.start("run", "--only", "a-1")
    place.until(at_work)
    tracker = place.root / ".beads" / "issues.jsonl"
    tracker.write_text("".join(line + "\n" for line in tracker.read_text().splitlines() if '"a-1"' not in line[:12]))
    _, err = run.communicate(timeout=60)
    assert "the tracker was not written" in err
    assert landings(place)[0] == "Land a-1: Write one.txt"
    assert {slot["state"] for slot in place.json("status")["slots"]} == {"idle"}


def test_an_agent_that_says_nothing_is_stopped_and_tried_again(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text().replace('default = "scripts"', 'default = "scripts"\nidle_minutes = 0.02'))
    place.script("a-1", thinks(), writes("one.txt", "1", "a-1: one"))
    place.json("init")
    assert place.json("run", "--only", "a-1")["landed"] == 1


def test_a_slot_deleted_by_hand_is_made_again(place: Place) -> None:
    import shutil

    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.json("init")
    shutil.rmtree(place.root / ".agent-worktrees" / "pool-wt-1")
    assert place.json("run", "--only", "a-1")["landed"] == 1
    place.run("init")
    assert (place.root / ".agent-worktrees" / "pool-wt-1" / "README.md").exists()


def test_edits_in_the_main_checkout_hold_the_landing_until_they_are_gone(place: Place) -> None:
    place.script("a-1", writes("README.md", "agent", "a-1: readme"))
    place.json("init")
    (place.root / "README.md").write_text("a person's edit\n")
    place.json("spawn", "1", "only:a-1")
    held = place.until(lambda now: any(entry["state"] == "held" for entry in now["merge"]))
    assert "README.md" in held["merge"][0]["why"]
    assert (place.root / "README.md").read_text() == "a person's edit\n"
    git_out(place.root, "checkout", "README.md")
    place.until(lambda now: now["tasks"] == {"landed": 1})
    assert (place.root / "README.md").read_text() == "agent"


def test_a_program_that_is_not_there_uses_up_no_attempt(place: Place) -> None:
    config = place.root / ".agent-worktrees" / "config.toml"
    config.write_text(config.read_text() + '[agents.programs.ghost]\nargv = ["no-such-program-anywhere", "{prompt}"]\n')
    place.json("init")
    done = place.run("run", "--agent", "ghost", "--only", "a-1", "--json")
    assert done.returncode == 0
    (left,) = json.loads(done.stdout)["left"]
    assert (left["issue"], left["state"]) == ("a-1", "waiting")
    assert "no-such-program-anywhere is not on PATH" in done.stderr
    assert place.json("report")["attempts"] == []
    assert place.issues["a-1"]["status"] == "open"
    assert {slot["state"] for slot in place.json("status")["slots"]} == {"idle"}
