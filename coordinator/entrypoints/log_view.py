"""What agents have printed, for people: the raw stream stays in the file, here stands what its lines mean.

Each line bears its issue and attempt in the issue's own colour, so that the output of several agents can be read
side by side.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.transcripts.reading import read_line
from resources.system.logs import written

WIDTH = 200
"""Characters of a line that are shown unless all of it is wanted."""
COLOURS = ("36", "32", "33", "35", "34", "96", "92", "95")


@dataclass
class LogView:
    """The log files of one issue's attempts, for the issue "" the coordinator's; each is read once."""

    folder: Path
    issue: str
    whole: bool
    colour: bool
    _read: dict[Path, int] = field(default_factory=dict)

    def files(self) -> list[Path]:
        """The log files that are there, in order of attempt."""
        if not self.issue:
            return [file for file in (self.folder / "coordinator.log",) if file.exists()]
        found = (self.folder / self.issue.replace("/", "_")).glob("*.log")
        return sorted(found, key=lambda file: int(file.stem) if file.stem.isdigit() else 0)

    def news(self, *, last: bool = False) -> Iterator[str]:
        """The lines since the last call; with `last` an unfinished one as well."""
        for file in self.files():
            offset = self._read.get(file, 0)
            with file.open("rb") as stream:
                stream.seek(offset)
                rest = b""
                for block in written(stream):
                    *lines, rest = (rest + block).split(b"\n")
                    for line in lines:
                        yield from self._shown(file, line.decode(errors="replace"))
                self._read[file] = stream.tell() - (0 if last else len(rest))
                if last and rest:
                    yield from self._shown(file, rest.decode(errors="replace"))

    def _shown(self, file: Path, line: str) -> Iterator[str]:
        if not self.issue:
            yield line if self.whole else line[:WIDTH]
            return
        mark = prefix(self.issue, file.stem, colour=self.colour)
        texts = [text for text in read_line(line).text.splitlines() if text.strip()]
        if not self.whole and len(texts) > 1:
            texts = [f"{texts[0][: WIDTH - 20]} … {len(texts) - 1} more lines"]
        yield from (f"{mark} {text if self.whole else text[:WIDTH]}" for text in texts)


def prefix(issue: str, attempt: str, *, colour: bool) -> str:
    """`[bd-1 #2]`, in the colour that this issue always has."""
    text = f"[{issue} #{attempt}]"
    return f"\033[{COLOURS[zlib.crc32(issue.encode()) % len(COLOURS)]}m{text}\033[0m" if colour else text
