"""Text for a terminal: headings, aligned columns, clipped lines, colour only where it is wanted."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True)
class Look:
    """How to print: with colour, how wide, and whether long lists are shown whole."""

    color: bool = False
    width: int = 100
    whole: bool = False

    def style(self, text: str, name: str) -> str:
        """The text in bold, dim, red, green, yellow or cyan."""
        return f"\x1b[{_STYLES[name]}m{text}\x1b[0m" if self.color and text else text

    def heading(self, title: str, note: str = "") -> str:
        """The line above a section."""
        return self.style(title, "bold") + (f"  {self.style(note, 'dim')}" if note else "")

    def table(self, rows: Iterable[Sequence[str]], *, styles: Sequence[str] = (), widest: int = 40) -> list[str]:
        """Rows with aligned columns, `widest` at most; the last one takes what is left of the width and is clipped."""
        cells = [[clean(cell) for cell in row] for row in rows]
        widths = [min(widest, max(map(display_width, column))) for column in zip(*cells, strict=True)]
        lines: list[str] = []
        for row in cells:
            left = self.width - 2 - sum(widths[:-1]) - 2 * (len(row) - 1)
            shown = [_pad(clip(cell, size), size) for cell, size in zip(row[:-1], widths[:-1], strict=True)]
            shown.append(clip(row[-1], max(20, left)))
            styled = [
                self.style(text, name) if name else text
                for text, name in zip(shown, [*styles, *[""] * len(shown)], strict=False)
            ]
            lines.append(("  " + "  ".join(styled)).rstrip())
        return lines

    def shorten(self, lines: Sequence[str], most: int, what: str) -> list[str]:
        """At most `most` lines, with a word on what is left out."""
        if self.whole or len(lines) <= most:
            return list(lines)
        left = self.style(f"  … and {len(lines) - most} more {what} (--verbose shows them, --json holds them)", "dim")
        return [*lines[:most], left]


def clean(text: str) -> str:
    """One line without control characters: titles come from strangers, a terminal obeys escapes."""
    return "".join(char if char.isprintable() else " " for char in text)


def display_width(text: str) -> int:
    """Columns that a text takes: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def clip(text: str, width: int) -> str:
    """The text in at most `width` columns, with an ellipsis where something is missing."""
    if display_width(text) <= width:
        return text
    kept = text[:width]
    while display_width(kept) > width - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _pad(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))
