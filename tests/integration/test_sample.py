"""The demo's sample project: every script does its issue for real, in any order that a plan may choose.

Agents here start from one base, four at a time, and land in random order through git's own merge, as they
do in the product; what keeps them apart is only what the planner would keep apart.
"""

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.agents.adapter import Assignment
from coordinator.agents.scripted import Scripted
from coordinator.agents.scripts import EDITS, read_script
from coordinator.demo.desk import FILES, ROUTES, SCRIPTS, configuration, make_sample, to_do
from resources.databases.databases import Databases, DatabaseSettings, open_databases
from resources.system.git import git, merge_tree, move_ref, resolve

HOT = {ROUTES}
STUMBLES = "desk-m5x"
"""The issue whose first attempt must fail the gate."""


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    settings = DatabaseSettings(migrate=(sys.executable, "-m", "app.migrate"), migrations=("migrations/*.sql",))
    with open_databases(settings, home=tmp_path_factory.mktemp("pg"), project="sample", owner="test") as databases:
        if (why := databases.probe()) is not None:
            pytest.skip(f"no PostgreSQL: {why}")
        yield databases
        databases.stop()


@pytest.fixture(scope="module")
def scripts(tmp_path_factory) -> Path:
    """The scripts without their pauses."""
    folder = tmp_path_factory.mktemp("scripts")
    for file in SCRIPTS.glob("*.toml"):
        (folder / file.name).write_text(re.sub(r"^sleep = .*$", "sleep = 0", file.read_text(), flags=re.MULTILINE))
    return folder


@pytest.fixture
def sample(tmp_path) -> Path:
    make_sample(tmp_path / "desk")
    return tmp_path / "desk"


def needs(issue: dict) -> set[str]:
    return {bond["depends_on_id"] for bond in issue.get("dependencies", []) if bond["type"] == "blocks"}


def touched(issue: str) -> set[str]:
    attempts = [read_script(SCRIPTS, issue, number) for number in (1, 2)]
    return {step.target for steps in attempts for step in steps if step.verb in EDITS}


def checkout(sample: Path, name: str, revision: str = "main") -> Path:
    tree = sample.parent / name
    git(sample, "worktree", "add", "--quiet", "--detach", str(tree), revision)
    return tree


def start(scripts: Path, issue: str, attempt: int, slot: Path, databases: Databases) -> subprocess.Popen:
    briefing = slot.parent / f"{slot.name}.md"
    briefing.write_text(f"You work on {issue}")
    launch = Scripted("demo", scripts).launch(Assignment(issue, "", attempt, slot, "", briefing, briefing.parent))
    environment = {**os.environ, **databases.prepare(slot.name, slot).environment, **launch.environment}
    return subprocess.Popen(launch.argv, cwd=slot, env=environment, stdout=subprocess.PIPE, text=True)


def play(*arguments) -> None:
    ended(start(*arguments))


def ended(process: subprocess.Popen) -> None:
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said


def suite(tree: Path, databases: Databases) -> int:
    environment = {**os.environ, **databases.reset("suite", tree).environment}
    return subprocess.run(
        [sys.executable, "-m", "unittest", "discover", "-q"],
        cwd=tree,
        env=environment,
        capture_output=True,
        check=False,
    ).returncode


def land(sample: Path, tip: str) -> None:
    main = resolve(sample, "main") or ""
    merge = merge_tree(sample, main, tip)
    assert merge.clean, f"{merge.conflicts} while landing {git(sample, 'log', '-1', '--format=%s', tip).text}"
    commit = git(sample, "commit-tree", merge.tree, "-p", main, "-p", tip, "-m", "landed").text
    assert move_ref(sample, "refs/heads/main", commit, main)


def batch(ready: list[str], dice: random.Random) -> list[str]:
    """Up to four issues that no planner would keep apart."""
    chosen: list[str] = []
    for issue in dice.sample(ready, len(ready)):
        if len(chosen) < 4 and not any(touched(issue) & touched(other) - HOT for other in chosen):
            chosen.append(issue)
    return chosen


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_script_applies_and_main_is_green(sample, scripts, databases, seed):
    dice = random.Random(seed)
    waiting = {str(issue["id"]): needs(issue) for issue in to_do() if issue["issue_type"] != "epic"}
    while waiting:
        chosen = batch(sorted(issue for issue, before in waiting.items() if not before & set(waiting)), dice)
        slots = {issue: checkout(sample, f"wt-{issue}") for issue in chosen}
        agents = {issue: start(scripts, issue, 1, slot, databases) for issue, slot in slots.items()}
        for issue in chosen:
            ended(agents[issue])
            if issue == STUMBLES:
                play(scripts, issue, 2, slots[issue], databases)
            land(sample, resolve(slots[issue], "HEAD") or "")
            del waiting[issue]
    assert suite(checkout(sample, "result"), databases) == 0


def test_the_first_attempt_at_one_issue_fails_the_suite_and_the_second_passes(sample, scripts, databases):
    slot = checkout(sample, "slot")
    play(scripts, STUMBLES, 1, slot, databases)
    assert suite(slot, databases) != 0
    play(scripts, STUMBLES, 2, slot, databases)
    assert suite(slot, databases) == 0


def test_the_second_attempt_can_start_afresh(sample, scripts, databases):
    slot = checkout(sample, "slot")
    play(scripts, STUMBLES, 2, slot, databases)
    assert suite(slot, databases) == 0


def test_the_sample_arrives_whole(sample):
    for file in FILES.rglob("*"):
        name = str(file.relative_to(FILES))
        placed = sample / (f".{name}" if name.startswith(("beads", "gitignore")) else name)
        assert "__pycache__" in name or file.is_dir() or placed.read_text() == file.read_text()
    assert git(sample, "status", "--porcelain").text == ""


def test_the_backlog_has_what_the_demo_promises():
    issues = {str(issue["id"]): issue for issue in to_do()}
    workable = [issue for issue in issues if issues[issue]["issue_type"] != "epic"]
    assert len(issues) == 14
    assert sorted(workable) == sorted(file.stem for file in SCRIPTS.glob("*.toml"))
    assert all(before in issues for issue in issues.values() for before in needs(issue))
    assert sum(bool(touched(issue) & HOT) for issue in workable) >= len(workable) / 2
    for issue in workable:  # an agent may write only what its issue's text leads to
        assert all(path in str(issues[issue]) for path in touched(issue)), issue


def test_every_commit_names_its_issue():
    for file in SCRIPTS.glob("*.toml"):
        messages = [step.target for step in read_script(SCRIPTS, file.stem, 1) if step.verb == "commit"]
        assert messages
        assert all(message.startswith(f"{file.stem}: ") for message in messages)


def test_the_configuration_is_toml():
    import tomllib

    assert {"pool", "plan", "database", "agents", "gate"} == set(tomllib.loads(configuration(4)))
