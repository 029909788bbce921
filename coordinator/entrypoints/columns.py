"""Rows as aligned columns under their heads. Pure."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 12
"""Rows of a section; a queue of a hundred is read from its head."""


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = (), most: int = MOST
) -> list[str]:
    """Lines; the columns `right` are flush right, empty ones left out. After `most` rows the rest is counted."""
    kept = [column for column in range(len(heads)) if not column or any(row[column] for row in rows)]
    shown = [[row[column] for column in kept] for row in (heads, *rows[:most])]
    widths = [max(len(row[place]) for row in shown) for place in range(len(kept))]
    lines = []
    for row in shown:
        cells = [
            cell.rjust(size) if column in right else cell.ljust(size)
            for cell, size, column in zip(row, widths, kept, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines + ([f"and {len(rows) - most} more"] if len(rows) > most else [])
