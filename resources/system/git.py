"""The one door to git.

GitPython's `Git` runs the binary (1.51 ms a call against 1.52 ms for a bare subprocess); its object
model is never used: a shared `Repo` is not thread-safe, leaks processes in a long life, and its
index code breaks on sparse indexes. Each call passes a list of arguments, gets a session and a time
limit of its own, and sees neither inherited `GIT_*` variables nor the user's hooks, pager or prompts.

Reads set GIT_OPTIONAL_LOCKS=0: a status poll must never take an agent's index.lock. Whatever changes
the shared part of a repository (worktree registry, shared config) runs under `registry_lock`: ten
concurrent `worktree add` fail in 1 to 30 % of the calls without it.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from resources.system.errors import Failure
from resources.system.files import file_lock, inherited_locks

MINIMUM = (2, 38)
"""`merge-tree --write-tree` came with 2.38; the older form reports some conflicts as clean."""

_QUIET = (
    "-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false", "-c", "commit.gpgSign=false", "-c", "advice.detachedHead=false",
    "-c", "log.showSignature=false",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a git call left: exit code, standard output as bytes, standard error as text."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Standard output as text without the last newline."""
        return self.out.decode(errors="surrogateescape").rstrip("\n")

    @property
    def lines(self) -> list[str]:
        """Standard output line by line, empty lines dropped."""
        return [line for line in self.text.split("\n") if line]

    @property
    def records(self) -> list[str]:
        """Standard output of a `-z` call, record by record."""
        return [record for record in self.out.decode(errors="surrogateescape").split("\0") if record]


def git(
    cwd: Path | str,
    *arguments: str,
    check: bool = True,
    timeout: float = 120.0,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    read: bool = False,
) -> Answer:
    """Run `git ARGUMENTS` in `cwd`. `read` marks a call that changes nothing: it then takes no optional lock.

    Raises Failure("git-failed") on a non-zero exit when `check`, Failure("git-timeout") past `timeout` seconds.
    """
    from git import Git, GitCommandNotFound

    try:
        with _input(stdin) as stream:
            # Where `cwd` is gone GitPython would run git in our own working directory, perhaps the main checkout.
            done: Any = Git(str(cwd)).execute(
                ["git", "-C", str(Path(cwd).absolute()), *_QUIET, *arguments], with_extended_output=True,
                with_exceptions=False, stdout_as_string=False, strip_newline_in_stdout=False,
                kill_after_timeout=timeout, env=_environment(read, env), istream=stream, start_new_session=True,
                pass_fds=inherited_locks(),
            )  # fmt: skip
    except GitCommandNotFound as error:
        raise _cannot_run(cwd) from error
    code, out, err = done
    answer = Answer(code, out if isinstance(out, bytes) else str(out).encode(), _text(err))
    if code < 0 and "Timeout" in answer.err:
        raise Failure("git-timeout", f"git {arguments[0]} ran longer than {timeout:g} s in {cwd}")
    if check and code != 0:
        raise Failure(
            "git-failed",
            f"git {' '.join(arguments[:3])} ended with code {code} in {cwd}",
            why=answer.err.strip() or answer.text[-500:],
        )
    return answer


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _cannot_run(cwd: Path | str) -> Failure:
    if not Path(cwd).is_dir():
        return Failure("folder-missing", f"{cwd} does not exist", why="git was to run there")
    return Failure("git-missing", "git is not installed", mend="install git 2.38 or newer")


@contextmanager
def _input(data: bytes | None) -> Generator[Any]:
    if data is None:
        yield None
        return
    with tempfile.TemporaryFile() as stream:
        stream.write(data)
        stream.seek(0)
        yield stream


TRUE_OBJECTS = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": os.devnull}
"""Commits as they are: with a replacement or a graft anybody could make one look as if it had landed, or as another."""

_LEAKED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
           "GIT_NAMESPACE", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG_PARAMETERS", "GIT_EXEC_PATH")  # fmt: skip
"""What a hook exports: with these set, git answers for the wrong repository, whatever the folder."""


def _environment(read: bool, extra: Mapping[str, str] | None) -> dict[str, str]:
    # GitPython lays this over os.environ and can only add to it; none of these is ever wanted in our process.
    for name in _LEAKED:
        os.environ.pop(name, None)
    wanted = {"LC_ALL": "C", "LANGUAGE": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0" if read else "1"}
    return wanted | TRUE_OBJECTS | dict(extra or {})


@cache
def version() -> tuple[int, ...]:
    """The installed git's version, as numbers; asked once."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", git(Path.cwd(), "version").text)
    return tuple(int(part or 0) for part in found.groups()) if found else (0,)


@contextmanager
def registry_lock(common: Path) -> Generator[None]:
    """Serialise what changes the worktree registry or the shared config of the repository with git dir `common`."""
    with file_lock(common / "agent-coord" / "registry.lock", what="the worktree registry", wait=120, inherited=True):
        yield


def resolve(cwd: Path, revision: str) -> str | None:
    """The commit id that `revision` names, None when it names none."""
    answer = git(
        cwd,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        f"{revision}^{{commit}}",
        check=False,
        read=True,
    )
    return answer.text if answer.code == 0 else None


def tree_of(cwd: Path, revision: str) -> str:
    """The tree id of a commit. Raises Failure("git-failed") when there is no such commit."""
    return git(cwd, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{tree}}", read=True).text


def current_branch(cwd: Path) -> str | None:
    """The checked-out branch, None when HEAD is detached."""
    answer = git(cwd, "symbolic-ref", "--short", "--quiet", "HEAD", check=False, read=True)
    return answer.text if answer.code == 0 else None


def folds_case(cwd: Path) -> bool:
    """Whether names that differ in case alone are one file in this repository, as git found out when it was made."""
    return git(cwd, "config", "--type=bool", "core.ignoreCase", check=False, read=True).text == "true"


def tracked_files(cwd: Path, revision: str = "HEAD") -> list[str]:
    """Every path in the tree of `revision`, sparse-checkout or not."""
    return git(
        cwd, "ls-tree", "-r", "-z", "--name-only", "--full-tree", "--end-of-options", revision, read=True
    ).records


def changed_files(cwd: Path, old: str, new: str) -> list[str]:
    """The paths that differ between two commits or trees; a rename counts as both paths."""
    return git(
        cwd, "diff-tree", "-r", "-z", "--no-renames", "--name-only", "--end-of-options", old, new, read=True
    ).records


def diff_stat(cwd: Path, old: str, new: str, most: int = 30) -> str:
    """What differs between two commits, file by file (at most `most` of them) and in sum, for people."""
    shape = ("--stat=100", f"--stat-count={most}", "--no-ext-diff", "--no-color", "--no-textconv")
    return git(cwd, "diff", *shape, "--end-of-options", old, new, read=True).text


@dataclass(frozen=True)
class Merge:
    """A three-way merge done in memory: the tree, or the paths in conflict when `clean` is false."""

    tree: str
    clean: bool
    conflicts: tuple[str, ...] = ()


def merge_tree(cwd: Path, ours: str, theirs: str) -> Merge:
    """Merge two commits without touching any worktree (`git merge-tree --write-tree`, the referee at landing)."""
    answer = git(
        cwd,
        "merge-tree",
        "--write-tree",
        "-z",
        "--name-only",
        "--no-messages",
        ours,
        theirs,
        check=False,
        read=True,
    )
    if answer.code not in (0, 1):
        raise Failure("git-failed", f"git merge-tree ended with code {answer.code}", why=answer.err.strip())
    records = answer.records
    return Merge(records[0], answer.code == 0, tuple(dict.fromkeys(records[1:])))


def merge_trees(cwd: Path, pairs: Sequence[tuple[str, str]]) -> list[Merge]:
    """Merge many pairs of commits in memory by one process, in order. Needs git 2.39; one by one before that."""
    if version() < (2, 39):
        return [merge_tree(cwd, *pair) for pair in pairs]
    lines = "".join(f"{ours} {theirs}\n" for ours, theirs in pairs).encode()
    options = ("--write-tree", "--stdin", "-z", "--name-only", "--no-messages")
    answer = git(cwd, "merge-tree", *options, stdin=lines, timeout=600) if pairs else None
    found: list[Merge] = []
    fields = iter(answer.out.decode(errors="surrogateescape").split("\0") if answer else [])
    for state in fields:
        if state not in ("0", "1"):
            break
        tree = next(fields)
        # A list of paths ends with an empty field.
        paths = tuple(dict.fromkeys(iter(lambda: next(fields), "")))
        found.append(Merge(tree, state == "1", paths))
    return found


def move_ref(cwd: Path, ref: str, new: str, old: str) -> bool:
    """Move `ref` from `old` to `new` by compare-and-swap; False when it no longer stood at `old`."""
    return git(cwd, "update-ref", "--end-of-options", ref, new, old, check=False).code == 0


def dirty_files(cwd: Path) -> list[str]:
    """Paths with uncommitted changes, untracked (not ignored) files included."""
    return [change.path for change in state_of(cwd)[1]]


@dataclass(frozen=True)
class Change:
    """A path with uncommitted changes: what the index has there as "mode id" ("": nothing, or several), and whether
    the working tree has nothing there.
    """

    path: str
    staged: str
    gone: bool


def state_of(cwd: Path) -> tuple[str, list[Change]]:
    """The commit at HEAD ("" when there is none yet), and what is not committed; by one process."""
    wanted = ("--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=all")
    head, changes = "", []
    for record in git(cwd, "status", *wanted, read=True).records:
        match record.split(" "):
            case ["#", "branch.oid", found]:
                head = found.replace("(initial)", "")
            case ["1", _, _, _, mode, there, _, blob, *path]:
                staged = f"{mode} {blob}" if mode != _NONE else ""
                changes.append(Change(" ".join(path), staged, there == _NONE))
            case ["u", _, _, _, _, _, there, _, _, _, *path]:
                changes.append(Change(" ".join(path), "", there == _NONE))
            case ["?", *path]:
                changes.append(Change(" ".join(path), "", False))
    return head, changes


_NONE = "000000"
"""The mode in `git status --porcelain=v2` where there is nothing."""


def commit_messages(cwd: Path, revisions: Sequence[str]) -> list[tuple[str, str]]:
    """(commit id, full message) of the commits that `revisions` (as for `git log`) select, newest first."""
    answer = git(cwd, "log", "-z", "--format=%H%n%B", *revisions, "--", read=True)
    return [(record.partition("\n")[0].strip(), record.partition("\n")[2]) for record in answer.records]
