"""Was every landing whole? Asked of `main` itself, landing by landing, not of those who landed.

Lines are unique, so each file is a set of them. A landing is whole when it changes every file exactly as the issue's
true commits did: their lines are there, the lines that they replaced are gone, and nobody else's were touched. Lines
may go later, when the landing that takes them away is of an issue whose true commits took them away. A file that a
change deletes, and that was not there yet where the attempt began, counts as deleted: to git such a pick applies, and
who brings the file at the same time lands it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.building import git
from benchmarks.corpus import Change
from resources.system.process import run

GONE = "0" * 40


def broken_landings(root: Path, base: str, landings: Mapping[str, str], changes: Mapping[str, Change]) -> list[str]:
    """A sentence for each commit on main's first-parent line that is no whole landing.

    `landings` maps the merge commits that the queue made to their issues.
    """
    commits = git(root, "rev-list", "--first-parent", "--reverse", f"{base}..main").split()
    diffs = {commit: _diff(root, commit) for commit in commits}
    blobs = _blobs(root, {blob for diff in diffs.values() for pair in diff.values() for blob in pair})
    found = []
    for commit in commits:
        if commit not in landings:
            found.append(f"{commit[:10]} did not come through the queue")
            continue
        change = changes[landings[commit]]
        unseen = {path for path in change.removed if not change.added.get(path)} - set(diffs[commit])
        wrong = _wrong(diffs[commit], blobs, change)
        wrong = [path for path in wrong if path not in unseen or _was_there(root, commit, path)]
        if wrong:
            found.append(f"{commit[:10]} ({landings[commit]}) is not whole in {', '.join(wrong)}")
    return found


def _was_there(root: Path, landing: str, path: str) -> bool:
    """Whether the file stood where the work began that landed."""
    parents = git(root, "rev-list", "--parents", "-n1", landing).split()[1:]
    begun = git(root, "merge-base", parents[0], parents[-1])
    return bool(git(root, "ls-tree", begun, "--", path))


def _wrong(diff: Mapping[str, tuple[str, str]], blobs: Mapping[str, set[str]], change: Change) -> list[str]:
    """The files that a landing did not change as the issue does."""
    expected = {path for path in change.paths if change.added.get(path) or change.removed.get(path)}
    wrong = expected - set(diff)
    for path, (old, new) in diff.items():
        before, after = blobs[old], blobs[new]
        added, removed = change.added.get(path, set()), change.removed.get(path, set())
        if after - before != added or before - after != removed:
            wrong.add(path)
    return sorted(wrong)


def _diff(root: Path, commit: str) -> dict[str, tuple[str, str]]:
    """Path -> (old blob, new blob) between a commit and its first parent."""
    words = iter(git(root, "diff-tree", "-r", "-z", "--no-renames", f"{commit}^1", commit).split("\0"))
    return {path: (meta.split(" ")[2], meta.split(" ")[3]) for meta, path in zip(words, words, strict=False)}


def _blobs(root: Path, names: Iterable[str]) -> dict[str, set[str]]:
    wanted = sorted(set(names) - {GONE})
    out = run(["git", "cat-file", "--batch"], cwd=root, stdin="\n".join(wanted).encode(), timeout=600).out
    return {GONE: set(), **dict(_contents(out))}


def _contents(out: bytes) -> Iterator[tuple[str, set[str]]]:
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        name, _, size = out[at:end].decode().split(" ")
        first, at = end + 1, end + 1 + int(size) + 1
        yield name, set(out[first : at - 1].decode().splitlines())
