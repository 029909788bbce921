"""Small real repositories in a pinned world: no user or system configuration, fixed author, dates that count up.

Importing this pins git for the whole test process as well, since the code under test keeps GIT_CONFIG_*:
what the developer's own configuration says must never decide a test.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from resources.system.process import clean_environment, run

PINNED = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
FIRST_COMMIT = 1_700_000_000
os.environ.update({key: value for key, value in PINNED.items() if key.startswith("GIT_CONFIG")})


def git_out(folder: Path, *arguments: str, **env: str) -> str:
    """Standard output of a git command in the pinned world, without the last newline; raises when it fails."""
    environment = clean_environment(PINNED | env)
    return run(["git", *arguments], cwd=folder, env=environment).text.rstrip("\n")


def make_repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository at `folder` on branch `main` with one commit of `files` (path -> content); returns its real path."""
    folder.mkdir(parents=True, exist_ok=True)
    git_out(folder, "init", "--quiet", "--initial-branch=main")
    git_out(folder, "config", "user.name", "A Developer")
    git_out(folder, "config", "user.email", "developer@example.com")
    commit(folder, files, "first commit")
    return folder.resolve()


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files below `folder`, making the folders that they need."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)


def commit(folder: Path, files: Mapping[str, str], message: str) -> str:
    """Write `files`, commit exactly them on the branch that is checked out, return the commit id."""
    write(folder, files)
    if files:
        git_out(folder, "add", "--force", "--", *files)
    newest = git_out(folder, "log", "--all", "-1", "--format=%ct") if _has_commits(folder) else ""
    date = f"{int(newest) + 60 if newest else FIRST_COMMIT} +0000"
    git_out(folder, "commit", "--quiet", "--allow-empty", "-m", message, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
    return git_out(folder, "rev-parse", "HEAD")


def _has_commits(folder: Path) -> bool:
    return bool(git_out(folder, "for-each-ref", "--count=1"))
