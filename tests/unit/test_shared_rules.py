"""What holds where several agents share a checkout: locks, their keys, git, and whose is what in one history. Pure."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from analyzer.globs import escape
from coordinator.agents.guard import TIMEOUT
from coordinator.config import LONGEST_WAIT
from coordinator.guard.commands import Reading
from coordinator.guard.locks import outlast
from coordinator.guard.places import spots
from coordinator.guard.rule import FREE, GRANT, LOCKED, REFUSED, Hold, Rule, judge, judge_tree, lock_advice, same
from coordinator.merging.own import Made, Unfinished, rewound

RULE = Rule(LOCKED, "ann", "a-1", always=["out/**"], protected=[".beads/**"], shared=["**/go.mod"])


def hold(pattern: str, agent: str = "bob", *, shared: bool = False, predicted: bool = False) -> Hold:
    return Hold(pattern, agent, f"issue-of-{agent}", shared, predicted, 1.8e9)


@pytest.mark.parametrize(
    ("path", "verdict"),
    [
        ("src/bob.py", REFUSED),
        ("src/bobs/deep.py", REFUSED),
        ("src/together.py", REFUSED),
        ("src/guess.py", GRANT),
        ("src/new.py", GRANT),
        ("out/new.py", GRANT),
        ("lib/go.mod", GRANT),
        ("src/mine.py", FREE),
        (".beads/issues.jsonl", REFUSED),
    ],
)
def test_a_lock_excludes_everybody_else_whatever_the_file_is(path: str, verdict: str) -> None:
    holds = [hold("src/bob.py"), hold("src/bobs/**"), hold("src/together.py", shared=True)]
    holds += [hold("src/guess.py", predicted=True), hold("src/mine.py", "ann")]
    assert judge(RULE, holds, path).verdict == verdict


def test_a_folder_is_written_by_whoever_holds_all_of_it() -> None:
    assert judge_tree(RULE, [hold("src/**", "ann")], "src").verdict == FREE
    assert judge_tree(RULE, [hold("src/a.py", "ann")], "src").verdict == REFUSED
    assert judge_tree(RULE, [hold("src/a.py", shared=True)], "src").verdict == REFUSED


def test_a_refusal_says_who_has_it_or_how_to_lock_it() -> None:
    assert "bob holds src/bob.py for issue-of-bob" in lock_advice("s", judge(RULE, [hold("src/bob.py")], "src/bob.py"))
    assert "agent-coord reserve add new.py" in lock_advice("new.py", judge(RULE, [], "new.py"))


@pytest.mark.parametrize(
    ("command", "safe"),
    [
        ("git commit -m x", "agent-coord commit"),
        ("cd src && git commit -am x -- a.py", "agent-coord commit"),
        ("git add -A", "agent-coord commit"),
        ("git add .", "agent-coord commit"),
        ("git add -u src", "agent-coord commit"),
        ("git reset", "restore --staged FILE"),
        ("git restore --staged .", "agent-coord commit"),
        ("git switch -c mine", "stay on it"),
        ("git checkout main", "after `--`"),
        ("git merge mine", "edit your own files"),
        ("git cherry-pick abc", "edit your own files"),
        ("sh -c 'git pull'", "edit your own files"),
        ("git push", "a person publishes it"),
    ],
)
def test_git_that_takes_others_along_is_refused_in_one_checkout_alone(command: str, safe: str) -> None:
    found = Reading("/s", {}).read(command)
    assert [safe in why for _, why in found.shared.refusals] == [True]
    assert found.refusals == []


@pytest.mark.parametrize("command", ["git add a.py", "git status", "git restore --staged a.py", "git diff", "git log"])
def test_other_git_passes(command: str) -> None:
    assert Reading("/s", {}).read(command).shared.refusals == []


def test_what_git_writes_by_name_is_held_against_the_locks() -> None:
    found = Reading("/s", {}).read("git checkout HEAD -- a.py b && git restore -s HEAD c.py").shared.deeds
    assert [deed.target for deed in found] == ["a.py", "b", "c.py"]


def test_a_hook_that_waits_for_a_lock_does_not_give_up_before() -> None:
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        outlast(30.0)
        assert signal.alarm(20) == 0, "nobody else's process gets an alarm"
        outlast(LONGEST_WAIT)
        assert LONGEST_WAIT < signal.alarm(0) < TIMEOUT
    finally:
        signal.signal(signal.SIGALRM, before)


# -- one file, one key ---------------------------------------------------------------------------------------

FILES = ["top.txt", "a/file.txt", "a/b/Deep.txt", "a/b/new of mine.txt", "ä/ö.txt"]
DETOURS = some.sampled_from(["./", "a/../", "a/b/../../", ".//", "a/./../"])


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = (tmp_path_factory.mktemp("a checkout") / "top").resolve()
    for name in ("a/b", "ä"):
        (root / name).mkdir(parents=True)
    for name in FILES[:3]:
        (root / name).write_text("")
    (root / "link").symlink_to("a")
    (root / "a" / "deeper").symlink_to(root / "a" / "b")
    (root.parent / "outside").symlink_to(root)
    return root


def called(root: Path, name: str, detours: list[str], absolute: str) -> str:
    """The file under another name: by detours, by links, by its full name."""
    through = name.replace("a/b/", "a/deeper/", 1) if absolute == "link" else name
    through = through.replace("a/", "link/", 1) if absolute == "link" and through.startswith("a/") else through
    path = "".join(detours) + through
    return {"": path, "link": path, "full": f"{root}/{path}", "outside": f"{root.parent}/outside/{path}"}[absolute]


@settings(max_examples=200, deadline=None)
@given(
    name=some.sampled_from(FILES), detours=some.lists(DETOURS, max_size=3),
    absolute=some.sampled_from(["", "link", "full", "outside"]), folds=some.booleans(), upper=some.booleans(),
)  # fmt: skip
def test_every_name_of_a_file_is_one_key(
    checkout: Path, name: str, detours: list[str], absolute: str, folds: bool, upper: bool
) -> None:
    scope = {"path": str(checkout), "root": str(checkout), "common": str(checkout / ".git"), "folds": folds}
    found = spots(scope, str(checkout), called(checkout, name, detours, absolute))
    assert {spot.path for spot in found} == {name}
    # Spelled as the file system may have it, the lock is the same; no other file is under it.
    rule, again = RULE._replace(folds=folds), name.upper() if upper and folds else name
    theirs = hold(escape(again))
    assert judge(rule, [theirs], name).verdict == REFUSED
    assert [judge(rule, [theirs], other).verdict for other in FILES if other != name] == [GRANT] * (len(FILES) - 1)
    assert same(again, folds) == same(name, folds)


def test_a_link_to_a_file_is_the_file_and_the_link(checkout: Path) -> None:
    scope = {"path": str(checkout), "root": str(checkout), "common": str(checkout / ".git")}
    link = checkout / "alias.txt"
    link.unlink(missing_ok=True)
    link.symlink_to("top.txt")
    assert {spot.path for spot in spots(scope, str(checkout), os.fspath(link))} == {"alias.txt", "top.txt"}


# -- whose is what in one history ------------------------------------------------------------------------------


def made(*commits: tuple[str, str, str]) -> list[Made]:
    """Newest first, as (commit, issue, paths)."""
    return [Made(commit, issue, "", tuple(paths.split())) for commit, issue, paths in commits]


def test_unfinished_work_is_taken_out_to_before_its_first_commit() -> None:
    commits = made(("3", "a", "x"), ("2", "b", "y"), ("1", "a", "x z"))
    assert rewound(commits, [Unfinished("a", "0")]) == {"x": "1^", "z": "1^"}
    assert rewound(commits, [Unfinished("b", "0")]) == {"y": "2^"}
    assert rewound(commits, []) == {}


def test_what_somebody_has_built_on_stays() -> None:
    commits = made(("2", "b", "x"), ("1", "a", "x y"))
    assert rewound(commits, [Unfinished("a", "0")]) == {"y": "1^"}


def test_what_an_issue_did_before_it_was_begun_again_stays() -> None:
    commits = made(("3", "a", "x"), ("2", "", "w"), ("1", "a", "x y"))
    assert rewound(commits, [Unfinished("a", "2")]) == {"x": "3^"}
