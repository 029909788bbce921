"""Repositories of any number of files, written with `git fast-import` in seconds: no file is checked out."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

from resources.system.process import clean_environment, run

BRANCH = "main"
PER_FOLDER = 4
"""Files in a folder, as in large Java repositories (netbeans: 92,000 files in 24,500 folders)."""

_BLOBS = 997
"""Different contents; the sizes of a file's objects matter to the disk, not that each is another."""
_LINE = b"a line of a source file, long enough to be one, %d and %d\n"


def plant(root: Path, files: int, *, commits: int = 1, seed: int = 1) -> list[str]:
    """Make the repository `root` with `files` files of about 2 kB and no checkout; returns the commits, oldest first.

    Every commit after the first changes 49 files in different folders.
    """
    root.mkdir(parents=True)
    environment = clean_environment({"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"})
    run(["git", "init", "--quiet", f"--initial-branch={BRANCH}"], cwd=root, env=environment)
    for key, value in (("user.name", "A Developer"), ("user.email", "developer@example.com")):
        run(["git", "config", key, value], cwd=root, env=environment)
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=root, stdin=subprocess.PIPE, env=environment) as git:
        assert git.stdin is not None
        for part in _stream(files, commits, random.Random(seed)):
            git.stdin.write(part)
        git.stdin.close()
        if git.wait() != 0:
            raise SystemExit(f"error: git fast-import ended with code {git.returncode}")
    return run(["git", "rev-list", "--reverse", BRANCH], cwd=root, env=environment).text.split()


def path_of(number: int) -> str:
    """Where the file of that number lies: `module-12/src/area-3/part-1/file-40001.py`."""
    folder = number // PER_FOLDER
    return f"module-{folder // 200}/src/area-{folder // 20 % 10}/part-{folder % 20}/file-{number}.py"


def _stream(files: int, commits: int, chance: random.Random) -> Iterator[bytes]:
    for mark in range(1, _BLOBS + 1):
        lines = b"".join(_LINE % (mark, number) for number in range(chance.randrange(10, 60)))
        yield b"blob\nmark :%d\ndata %d\n%s\n" % (mark, len(lines), lines)
    roots = ("README.md", "Makefile", ".gitignore")
    yield _commit(1)
    yield from (b"M 100644 :%d %s\n" % (mark, name.encode()) for mark, name in enumerate(roots, 1))
    for number in range(files - len(roots)):
        yield b"M 100644 :%d %s\n" % (number % _BLOBS + 1, path_of(number).encode())
    for turn in range(2, commits + 1):
        yield _commit(turn)
        for number in chance.sample(range(files - len(roots)), min(49, files // 2)):
            yield b"M 100644 :%d %s\n" % (chance.randrange(_BLOBS) + 1, path_of(number).encode())


def _commit(turn: int) -> bytes:
    message = b"commit %d" % turn
    return b"commit refs/heads/%s\ncommitter A Developer <developer@example.com> %d +0000\ndata %d\n%s\n" % (
        BRANCH.encode(), 1_700_000_000 + 60 * turn, len(message), message,
    )  # fmt: skip
