"""Trees and commits of flat files made through git's plumbing, without a worktree, and the rule of the gate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from resources.system.git import git

FILES = 6


class Trees:
    """The objects of a repository, remembered once they were read."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._trees: dict[str, str] = {}
        self._files: dict[str, dict[str, str]] = {}
        self._blobs: dict[str, str] = {}

    def is_green(self, tree: str) -> bool:
        """The rule."""
        names = set(self.files(tree))
        pairs = any(f"one-{number}" in names and f"two-{number}" in names for number in range(FILES))
        return not pairs and not any(name.startswith("bad-") for name in names)

    def tree(self, commit: str) -> str:
        """A commit's tree."""
        if commit not in self._trees:
            self._trees[commit] = git(self._root, "rev-parse", f"{commit}^{{tree}}", read=True).text
        return self._trees[commit]

    def files(self, tree: str) -> dict[str, str]:
        """Name -> content of a tree."""
        if tree not in self._files:
            rows = (line.split("\t") for line in git(self._root, "ls-tree", tree, read=True).lines)
            self._files[tree] = {name: self._content(head.split()[2]) for head, name in rows}
        return self._files[tree]

    def _content(self, blob: str) -> str:
        if blob not in self._blobs:
            self._blobs[blob] = git(self._root, "cat-file", "blob", blob, read=True).text
        return self._blobs[blob]

    def commit(self, files: dict[str, str], parents: Sequence[str], message: str) -> str:
        """A commit of these files; returns its id."""
        known = {content: blob for blob, content in self._blobs.items()}
        lines = []
        for name, content in sorted(files.items()):
            if content not in known:
                known[content] = git(self._root, "hash-object", "-w", "--stdin", stdin=content.encode()).text
                self._blobs[known[content]] = content
            lines.append(f"100644 blob {known[content]}\t{name}\n")
        tree = git(self._root, "mktree", stdin="".join(lines).encode()).text
        flags = [word for parent in parents for word in ("-p", parent)]
        return git(self._root, "commit-tree", tree, *flags, "-m", message).text
