"""Every known way round a scope, tried for real with git: nothing of it lands, and nobody else's refs move."""

import json
from pathlib import Path

import pytest

from coordinator.guard.posts import Post, hook_command, post_guard
from coordinator.guard.proof import prove
from coordinator.mail import reservations
from coordinator.merging import queue
from coordinator.merging.lane import Lane
from coordinator.running.byhand import release_by_hand
from coordinator.tasks import claims
from coordinator.tasks.lifecycle import Outcome
from resources.system.errors import Failure, NotNow
from resources.system.process import run
from tests.support.escapes import ESCAPES, PRELUDE, REFS
from tests.support.guarded import NO_HOOKS, Guarded, make_guarded, ruled
from tests.support.projects import Place
from tests.support.repos import commit, git_out


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory):
    made = make_guarded(tmp_path_factory.mktemp("house"))
    git_out(made.root, "branch", "elsewhere")
    git_out(made.root, "worktree", "add", "-q", str(made.root.parent / "other"), "elsewhere")
    commit(made.root.parent / "other", {"bob/held.py": "held = 2\n", "bob/more.py": "more\n"}, "bob's own work")
    lane = Lane(made.project, lambda issue: issue)
    yield made, lane
    lane.close()
    made.close()


@pytest.mark.parametrize("way", ESCAPES)
def test_nothing_of_it_lands(house: tuple[Guarded, Lane], way: str) -> None:
    guarded, lane = house
    before = guarded.shell(REFS).stdout
    bobs = git_out(guarded.root, "rev-parse", "main:bob", "main:.beads")
    try:
        guarded.shell(PRELUDE + ESCAPES[way])
        ruling = guarded.land(lane)
        if ruling is not None and ruling.outcome is not Outcome.LANDED:
            assert "out of scope" in ruling.why or ruling.outcome is Outcome.CONFLICT
        assert git_out(guarded.root, "rev-parse", "main:bob", "main:.beads") == bobs
        if ruling is None or ruling.outcome is not Outcome.LANDED:
            assert guarded.shell(REFS).stdout == before
    finally:
        guarded.undo()


def test_what_is_in_scope_lands_and_the_refusal_tells_the_way_out(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path)
    lane = Lane(guarded.project, lambda issue: issue)
    try:
        guarded.shell(f"echo x > bob/held.py; git -c {NO_HOOKS} commit -qam 'a-1: x'")
        ruling = guarded.land(lane)
        assert ruling is not None
        assert (ruling.outcome, ruling.paths) == (Outcome.CONFLICT, ("bob/held.py",))
        assert "bob holds bob/** for issue-of-bob" in ruling.evidence
        assert f"agent-coord scope widen {guarded.held.slot.name} bob/held.py" in ruling.evidence
        guarded.undo()
        done = guarded.shell("echo x > mine/new.py; git add -A; git commit -qm 'a-1: x'")
        assert done.returncode == 0, done.stderr
        ruling = guarded.land(lane)
        assert ruling is not None
        assert ruling.outcome is Outcome.LANDED
        with guarded.project.ledger.read() as snapshot:
            granted = [json.loads(row["data"])["paths"] for row in snapshot.all("events-of-kind", kind="scope.granted")]
        assert ["mine/new.py"] in granted
        again = guarded.land(lane)
        assert again is not None
        assert again.outcome is Outcome.LANDED, "a person may queue what has landed once more"
    finally:
        lane.close()
        guarded.close()


def test_a_reservation_made_while_the_gate_ran_counts(tmp_path: Path) -> None:
    slow = '[[gate.checks]]\nname = "slow"\nrun = ["sh", "-c", "while [ ! -e \\"$GO\\" ]; do sleep 0.05; done"]\n'
    go = tmp_path / "go"
    guarded = make_guarded(tmp_path, slow.replace("$GO", str(go)))
    lane = Lane(guarded.project, lambda issue: issue)
    try:
        guarded.shell(f"echo x > late.py; git add -A; git -c {NO_HOOKS} commit -qm 'a-1: x'")
        with guarded.project.ledger.write() as tx:
            task = claims.find_task(tx, "a-1")
            assert task is not None
            tip = git_out(guarded.root, "rev-parse", guarded.held.branch)
            queue.enqueue(tx, queue.Finished("a-1", guarded.held.branch, tip, task.fence))
        assert lane.tick() == []
        with guarded.project.ledger.write() as tx:
            # The grant that the first look made is given back, and bob is faster the second time.
            reservations.release(tx, [one.id for one in reservations.live(tx) if one.pattern == "late.py"])
        guarded.reserve("late.py")
        go.touch()
        ruling = ruled(lane)
        assert ruling.outcome is Outcome.CONFLICT
        assert ruling.paths == ("late.py",)
    finally:
        lane.close()
        guarded.close()


@pytest.mark.parametrize(
    "command",
    [
        "echo x > bob/held.py", "cd mine && sed -i s/1/2/ ../bob/held.py", "rm -rf bob", "mv mine/a.py bob/",
        "cp mine/a.py bob", "git rm -q bob/held.py", "cd ../.. && echo x > README.md", "git -C ../.. commit -am x",
        "cd ../../ && git clean -ffdx", "echo x > .git/config", "git stash", "git config user.name x", "rm -rf .",
        "python -c \"open('bob/held.py', 'w')\"", "git worktree prune", "tee -a ~/.bashrc < mine/a.py", "rm bob/*.py",
    ],
)  # fmt: skip
def test_the_sign_refuses_it_before_it_happens(house: tuple[Guarded, Lane], command: str) -> None:
    guarded, _ = house
    done = guarded.sign("Bash", {"command": command})
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("agent-coord: ")


def test_the_sign_follows_paths_as_the_system_does(house: tuple[Guarded, Lane]) -> None:
    guarded, _ = house
    slot = guarded.slot
    (slot / "way").symlink_to("bob")
    for path in (
        "bob/held.py",
        f"{slot}/mine/../bob/held.py",
        "way/held.py",
        "way/new.py",
        f"{guarded.root}/README.md",
        "~/x",
    ):
        assert guarded.sign("Write", {"file_path": path}).returncode == 2, path
    for path in ("mine/a.py", "noise.log", "/tmp/agent-coord-scratch", f"{slot}/bob/../mine/b.py"):
        assert guarded.sign("Write", {"file_path": path}).returncode == 0, path
    assert guarded.sign("Read", {"file_path": f"{guarded.root}/README.md"}).returncode == 0
    guarded.undo()


def test_an_agent_takes_back_what_it_made_itself_and_nothing_else(house: tuple[Guarded, Lane]) -> None:
    guarded, _ = house
    guarded.shell(
        "mkdir bob/deep; touch bob/new.py bob/deep/x bob/stray.py; ln -s ../bob mine/way; ln -s held.py bob/way"
    )
    for command in ("rm bob/new.py", "rm -rf bob/deep", "mv bob/stray.py mine/", "rm mine/way", "unlink bob/way",
                    "rmdir bob/deep", "rm bob/new.py bob/stray.py"):  # fmt: skip
        done = guarded.sign("Bash", {"command": command})
        assert done.returncode == 0, (command, done.stderr)
    gone = "*** Begin Patch\n*** Delete File: bob/{}.py\n*** End Patch"
    assert guarded.sign("apply_patch", {"command": gone.format("new")}).returncode == 0
    for command in ("rm bob/held.py", "rm bob/new.py bob/held.py", "rm -r bob", "rm -r mine/way/",
                    "rm mine/way/held.py", "mv bob/held.py mine/", "echo x > bob/new.py", "mv mine/a.py bob/new.py",
                    "shred bob/way", f"rm '{guarded.root}/README.md'"):  # fmt: skip
        assert guarded.sign("Bash", {"command": command}).returncode == 2, command
    assert guarded.sign("apply_patch", {"command": gone.format("held")}).returncode == 2
    guarded.shell("git add bob/new.py")
    assert guarded.sign("Bash", {"command": "rm bob/new.py"}).returncode == 2, "git knows it: git rm --cached first"
    assert guarded.sign("Bash", {"command": "git rm -q --cached bob/new.py"}).returncode == 0
    guarded.undo()


def test_what_is_written_first_is_held_and_told(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path)
    assert guarded.sign("Write", {"file_path": "mine/new.py"}).returncode == 0
    guarded.reserve("other.py")
    with pytest.raises(NotNow, match="ann holds mine/new"):
        guarded.reserve("mine/**", agent="cat")
    guarded.reserve("mine/new.py", agent="cat", shared=True)
    guarded.close()


def test_the_hooks_fail_closed(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path)
    for text in ("", "{", "[]", '{"tool_name":"Write"}', '{"tool_name":"Bash","tool_input":{"command":"echo \'"}}'):
        assert guarded.raw_sign(text).returncode == 2, text
    write = {"file_path": "mine/a.py"}
    assert guarded.sign("Write", write, AGENT_COORD_SCOPE="/nowhere/scope.json").returncode == 2
    assert guarded.sign("Write", write).returncode == 0
    ledger = guarded.project.repository.state / "ledger.sqlite3"
    aside = ledger.rename(ledger.with_suffix(".aside"))
    assert guarded.sign("Write", write).returncode == 2
    assert guarded.shell("echo x > docs/x.md; git commit -qam 'a-1: x'").returncode != 0
    aside.rename(ledger)
    release_by_hand(guarded.project, guarded.held.slot.name, keep=False)
    done = guarded.sign("Write", write)
    assert done.returncode == 2
    assert "is over" in done.stderr
    guarded.close()


def test_no_agent_starts_behind_a_guard_that_lets_pass(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path)
    prove(guarded.slot)
    hooks = Path(guarded.shell("git rev-parse --absolute-git-dir").stdout.strip()) / "agent-coord" / "hooks"
    for name in ("reference-transaction", "pre-commit"):
        (hooks / name).chmod(0o600)
        with pytest.raises(Failure, match=name):
            prove(guarded.slot)
        (hooks / name).chmod(0o700)
    prove(guarded.slot)
    assert guarded.shell("git for-each-ref refs/agent-coord/proof").stdout == ""
    guarded.close()


def test_the_projects_own_hooks_still_run(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path)
    for name in ("pre-commit", "commit-msg", "reference-transaction"):
        hook = guarded.root / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\necho {name} >> '{tmp_path}/ran'\n")
        hook.chmod(0o755)
    post_guard(guarded.project.repository, guarded.project.config.scope, Post(guarded.held, "main"))
    assert guarded.shell("echo x > mine/a.py; git commit -qam 'a-1: x'").returncode == 0
    assert {"pre-commit", "commit-msg", "reference-transaction"} == set((tmp_path / "ran").read_text().split())
    guarded.close()


def test_more_is_asked_for_and_granted_or_refused_with_the_holder(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path, '[scope]\nenforce = "strict"\n')
    place = Place(guarded.root)
    write = {"file_path": "docs/x.md"}
    done = guarded.sign("Write", write)
    assert done.returncode == 2
    assert "scope widen pool-wt-1 docs/x.md" in done.stderr
    guarded.reserve("docs/**", agent="cat", predicted=True)
    assert place.json("scope", "widen", "a-1", "docs/**", "--why", "the docs are wrong")["granted"] == ["docs/**"]
    assert guarded.sign("Write", write).returncode == 0
    refused = place.run("scope", "widen", "pool-wt-1", "bob/held.py", "--why", "it is in the way")
    assert refused.returncode == 4
    assert "bob holds bob/** for issue-of-bob until" in refused.stderr
    assert place.run("scope", "widen", "a-1", ".beads/**", "--why", "x").returncode == 1
    asked = place.json("scope", "show", "pool-wt-1")["asked"]
    assert [one["what"] for one in asked] == ["widened", "refused"]
    assert place.json("scope", "check", "a-1", "docs/x.md")["paths"] == [
        {"path": "docs/x.md", "verdict": "free", "why": ""}
    ]
    guarded.shell("echo y > docs/x.md; echo x > bob/new.py; git add docs")
    assert [one["path"] for one in place.json("scope", "check", "pool-wt-1", "--staged")["paths"]] == ["docs/x.md"]
    done = place.run("scope", "check", "a-1")
    assert done.returncode == 1
    assert "bob holds bob/** for issue-of-bob until" in done.stdout
    assert place.json("scope", "check", "a-1", "main..HEAD")["paths"] == []
    assert place.run("scope", "check", "docs/x.md").returncode == 2, "whose scope?"
    guarded.shell("rm bob/new.py")
    done = guarded.shell("echo asked > docs/x.md; git commit -qam 'a-1: x'")
    assert done.returncode == 0, done.stderr
    guarded.close()


def test_a_tool_call_waits_for_no_heavy_import(house: tuple[Guarded, Lane]) -> None:
    guarded, _ = house
    guarded.reserve("mine/a.py", agent="ann")
    interpreter, *rest = hook_command("pre-tool-use")
    for tool, given in (
        ("Write", {"file_path": "mine/a.py"}),
        ("Bash", {"command": "sed -i s/a/b/ mine/a.py && git log"}),
    ):
        call = {"hook_event_name": "PreToolUse", "cwd": str(guarded.slot), "tool_name": tool, "tool_input": given}
        done = run([interpreter, "-X", "importtime", *rest], stdin=json.dumps(call).encode(), cwd=guarded.slot)
        loaded = {line.rpartition("|")[2].strip() for line in done.err.decode().splitlines()}
        heavy = {"re", "json", "typing", "dataclasses", "pathlib", "subprocess", "datetime", "typer"}
        assert "coordinator.guard.sign" in loaded
        assert loaded & heavy == set()


def test_switched_off_only_git_safety_and_the_slots_refs_are_guarded(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path, '[scope]\nenforce = "off"\n')
    assert guarded.sign("Write", {"file_path": "bob/held.py"}).returncode == 0
    assert guarded.sign("Bash", {"command": "git stash"}).returncode == 2
    assert guarded.shell("echo x > bob/held.py; git commit -qam 'a-1: x'").returncode == 0
    assert guarded.shell("git update-ref refs/heads/elsewhere HEAD").returncode != 0
    guarded.close()


def test_an_own_repository_in_a_temporary_folder_is_the_agents(house: tuple[Guarded, Lane]) -> None:
    guarded, _ = house
    assert guarded.sign("Bash", {"command": "cd /tmp/my-try && git reset --hard && git stash"}).returncode == 0


def test_hooks_of_a_configured_folder_run_from_the_worktree(tmp_path: Path) -> None:
    guarded = make_guarded(tmp_path)
    git_out(guarded.root, "config", "core.hooksPath", ".husky")
    post_guard(guarded.project.repository, guarded.project.config.scope, Post(guarded.held, "main"))
    for name in ("pre-commit", "commit-msg"):  # made later, as a set-up command makes them
        hook = guarded.slot / ".husky" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {name} >> '{tmp_path}/ran'\n")
        hook.chmod(0o755)
    assert guarded.shell("echo x > mine/a.py; git commit -qm 'a-1: x' mine/a.py").returncode == 0
    assert (tmp_path / "ran").read_text().split() == ["pre-commit", "commit-msg"]
    prove(guarded.slot)
    guarded.close()
