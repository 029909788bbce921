"""Which port ranges the repositories of this user have leased on this host.

A ledger knows the ranges of its own repository alone, and a range that nobody has bound yet looks free to everybody:
two repositories would be given the same one. So there is one file for the host, in the user's state folder:

    {"<state folder of a repository>": [[42000, 42009], …], …}

A repository's own entry is a copy of what its ledger says and is written anew whenever its slots change; the ledger
stays the truth, so a crash between the two is mended by the next change. The entry of a repository that is gone from
the disk is dropped by whoever writes next. Where the state folder cannot be written, ranges are probed as before and
only not known to other repositories.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from resources.system.files import file_lock, replace_file, state_home

Span = tuple[int, int]


class Book:
    """The host's leased ranges as `owner`, the state folder of a repository, sees and changes them."""

    def __init__(self, owner: str, spans: dict[str, list[Span]]) -> None:
        self._owner = owner
        self.spans = spans

    @property
    def elsewhere(self) -> list[Span]:
        """The ranges of the other repositories."""
        return [span for owner, spans in self.spans.items() if owner != self._owner for span in spans]

    def keep(self, spans: Iterable[Span]) -> None:
        """Lease exactly `spans` for the owner; what it had before is free."""
        mine = sorted({span for span in spans if span[0]})
        self.spans = {owner: theirs for owner, theirs in self.spans.items() if owner != self._owner}
        if mine:
            self.spans[self._owner] = mine


@contextmanager
def open_book(owner: Path) -> Generator[Book]:
    """The book, held until the block ends and then written if it changed. Raises NotNow("locked") after 30 s."""
    folder = state_home()
    if not _writable(folder):
        yield Book(str(owner), {})
        return
    file = folder / "ports.json"
    with file_lock(folder / "ports.lock", what="the list of leased ports"):
        known = _read(file)
        book = Book(str(owner), {each: spans for each, spans in known.items() if Path(each).is_dir()})
        yield book
        if book.spans != known:
            replace_file(file, json.dumps(book.spans, indent=1), mode=0o600)


def leased_to(owner: Path) -> list[Span]:
    """The ranges that the book has for `owner`; takes no lock, so it may be out of date at once."""
    return _read(state_home() / "ports.json").get(str(owner), [])


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _read(file: Path) -> dict[str, list[Span]]:
    """What the file says; one that is damaged counts as empty, for every ledger writes its own part again."""
    try:
        known = json.loads(file.read_text())
        return {str(owner): [(int(low), int(high)) for low, high in spans] for owner, spans in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
