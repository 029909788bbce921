"""Trees and commits of flat files, and the rule of the gate.

The objects are written as git keeps them, loose, and read through one `git cat-file`: a schedule makes thousands, and a
process for each would take longer than what is to be checked.
"""

from __future__ import annotations

import hashlib
import subprocess
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

FILES = 6

FOREIGN = "by-hand"
"""In the name of what somebody else made red."""


@dataclass(frozen=True)
class Commit:
    """What stands in a commit."""

    tree: str
    parents: tuple[str, ...]
    subject: str

    @property
    def issue(self) -> str:
        """The issue that it landed, "" when it is no landing."""
        return self.subject.split()[1].rstrip(":") if self.subject.startswith("Land ") else ""


class Trees:
    """The objects of a repository, remembered once they were read."""

    def __init__(self, root: Path) -> None:
        self._objects = root / ".git" / "objects"
        command = ["git", "-C", str(root), "cat-file", "--batch"]
        self._reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._commits: dict[str, Commit] = {}
        self._files: dict[str, dict[str, str]] = {}
        self._blobs: dict[str, str] = {}
        self._made = 0

    def close(self) -> None:
        """End the reader."""
        self._reader.communicate()

    def is_green(self, tree: str) -> bool:
        """The rule."""
        names = set(self.files(tree))
        pairs = any(f"one-{number}" in names and f"two-{number}" in names for number in range(FILES))
        return not pairs and not any(name.startswith("bad-") for name in names)

    def tree(self, commit: str) -> str:
        """A commit's tree."""
        return self.look(commit).tree

    def look(self, commit: str) -> Commit:
        """A commit."""
        if commit not in self._commits:
            head, _, message = self._read(commit).decode().partition("\n\n")
            rows = [line.split() for line in head.splitlines()]
            parents = tuple(row[1] for row in rows if row[0] == "parent")
            self._commits[commit] = Commit(rows[0][1], parents, message.partition("\n")[0])
        return self._commits[commit]

    def first_parents(self, commit: str) -> list[str]:
        """The commit and those that it follows, newest first."""
        found = [commit]
        while parents := self.look(found[-1]).parents:
            found.append(parents[0])
        return found

    def beyond(self, commit: str, known: Collection[str]) -> set[str]:
        """The commit and its ancestors without those that are known."""
        found, todo = set[str](), [commit]
        while todo:
            one = todo.pop()
            if one not in known and one not in found:
                found.add(one)
                todo += self.look(one).parents
        return found

    def files(self, tree: str) -> dict[str, str]:
        """Name -> content of a tree."""
        if tree not in self._files:
            rest, found = self._read(tree), {}
            while rest:
                head, _, rest = rest.partition(b"\0")
                found[head.split()[1].decode()], rest = self._content(rest[:20].hex()), rest[20:]
            self._files[tree] = found
        return self._files[tree]

    def commit(self, files: dict[str, str], parents: Sequence[str], message: str) -> str:
        """A commit of these files; returns its id."""
        blobs = {name: self._write("blob", content.encode()) for name, content in files.items()}
        rows = (b"100644 %s\0%s" % (name.encode(), bytes.fromhex(blobs[name])) for name in sorted(blobs))
        self._made += 1
        who = f"model <model@example.com> {1_700_000_000 + self._made} +0000"
        lines = [f"tree {self._write('tree', b''.join(rows))}", *(f"parent {one}" for one in parents)]
        lines += [f"author {who}", f"committer {who}", "", f"{message}\n"]
        return self._write("commit", "\n".join(lines).encode())

    def _content(self, blob: str) -> str:
        if blob not in self._blobs:
            self._blobs[blob] = self._read(blob).decode()
        return self._blobs[blob]

    def _read(self, name: str) -> bytes:
        asked, answers = self._reader.stdin, self._reader.stdout
        assert asked is not None
        assert answers is not None
        asked.write(f"{name}\n".encode())
        asked.flush()
        size = int(answers.readline().split()[2])
        return answers.read(size + 1)[:-1]

    def _write(self, kind: str, content: bytes) -> str:
        whole = f"{kind} {len(content)}\0".encode() + content
        name = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        place = self._objects / name[:2] / name[2:]
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(zlib.compress(whole, 1))
        return name
