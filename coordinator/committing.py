"""`agent-coord commit`: the one way in which commits are made where several agents share a checkout.

Git takes its lock on the index for the whole of a commit, hooks included, and whoever comes second fails. So commits
wait for each other here, and each holds the named files of its agent alone, whatever others have staged meanwhile.
Git's own hooks (the guard's and the project's) run as in any commit; what is not locked is refused before anything is
touched.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from coordinator.berths import index_lock
from coordinator.bootstrap import Project
from coordinator.gate.evidence import names
from coordinator.guard.locks import unlocked
from coordinator.guard.places import VARIABLE, UnknownStateError, find_scope, read_holds, rule_of, spots
from coordinator.guard.rule import LOCKED
from coordinator.wherein import Caller
from resources.system.errors import Failure, Misuse
from resources.system.process import Completed, clean_environment, run

PATIENCE = 10.0
"""Seconds in which a lock of git's is tried again: a person's `git status` holds it for a moment."""

PARAMETERS = "GIT_CONFIG_PARAMETERS"


def seats_environment() -> dict[str, str]:
    """Our environment for a program in a berth: git's hooks of the berth are found by one of its variables."""
    kept = {PARAMETERS: os.environ[PARAMETERS]} if VARIABLE in os.environ and PARAMETERS in os.environ else {}
    return clean_environment(kept)


def files_of(words: Sequence[str], cwd: str) -> tuple[dict, dict[str, str]]:
    """The scope of the berth that we are in, and for each file named: its path as the guard sees it -> as git does.

    Raises Misuse("no-berth") elsewhere, Misuse("bad-file") for what is no file of the checkout.
    """
    try:
        scope = find_scope(cwd, dict(os.environ))
    except UnknownStateError as error:
        raise Misuse("no-berth", str(error)) from error
    if scope.get("mode") != LOCKED:
        raise Misuse("no-berth", "this worktree is yours alone", mend="git add FILE; git commit -m TEXT")
    found: dict[str, str] = {}
    for word in words:
        place = spots(scope, cwd, word)[-1]
        full = os.path.realpath(Path(cwd, word))
        if not place.path or Path(full).is_dir():
            raise Misuse("bad-file", f"{word} is {place.reason or 'no file'}", mend="name the files one by one")
        found[place.path] = os.path.relpath(full, scope["path"])
    return scope, found


def commit_files(project: Project, caller: Caller, message: str, words: Sequence[str]) -> str:
    """Commit the named files, and nothing else, for the agent of this berth; returns the commit.

    Raises Failure("not-locked") naming who has a file, Failure("commit-refused") with what git or a hook says.
    """
    scope, files = files_of(words, str(Path.cwd()))
    why = unlocked(rule_of(scope), read_holds(scope, list(files)), list(files))
    if why:
        raise Failure("not-locked", why[0], why="; ".join(why[1:]))
    text = message if names(message, caller.issue) else f"{caller.issue}: {message}"
    paths, root = list(files.values()), project.repository.root
    with index_lock(project.repository):
        for argv in (["add", "--all", "--", *paths], ["commit", "--quiet", "-m", text, "--", *paths]):
            done = _git(root, argv)
            if done.code != 0:
                raise Failure(
                    "commit-refused", f"git {argv[0]} ended with {done.code}", why=done.complaint or done.text
                )
        return _git(root, ["rev-parse", "HEAD"]).text.strip()


def _git(root: Path, argv: list[str]) -> Completed:
    until = time.monotonic() + PATIENCE
    while True:
        done = run(["git", "--literal-pathspecs", *argv], cwd=root, env=seats_environment(), check=False, timeout=600)
        if done.code == 0 or "index.lock" not in done.complaint or time.monotonic() > until:
            return done
        time.sleep(0.05)
