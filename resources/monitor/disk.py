"""How much disk the pool and the cluster take.

Walking 100,000 files costs 0.6 s warm and 5 s cold, so the sizes are kept in a file for `KEPT` seconds and
shared by every process that asks; the free space of the file system is asked each time (0.05 ms). `du` does
the walk: it is twice as fast as ours, counts a hard-linked file once and stays on one file system.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from resources.system.clock import wall
from resources.system.errors import Failure
from resources.system.files import replace_file
from resources.system.process import run

KEPT = 60.0
"""Seconds for which a measurement serves."""

_TIMEOUT = 120.0
_TOTAL = "/"
"""No entry of a folder can have this name."""


@dataclass(frozen=True)
class DiskUsage:
    """Bytes per first-level entry of the pool folder, and in all."""

    entries: Mapping[str, int]
    total: int


def disk_usage(pool: Path, others: Iterable[Path], kept_in: Path) -> DiskUsage | None:
    """What `pool` and the `others` take, at most `KEPT` seconds old; None when it cannot be measured.

    `kept_in` is the file that keeps the measurement; when it cannot be written the next caller measures again.
    """
    found = kept_sizes(kept_in, lambda: _measured(pool, [path for path in others if path.is_dir()]))
    if found is None:
        return None
    total = found.pop(_TOTAL)
    return DiskUsage(found, total)


def kept_sizes(kept_in: Path, measure: Callable[[], dict[str, int] | None]) -> dict[str, int] | None:
    """What `measure` finds (bytes by name), or found less than `KEPT` seconds ago; None when it finds nothing."""
    kept = _kept(kept_in)
    if kept is not None:
        return kept
    found = measure()
    if found is not None:
        with contextlib.suppress(Failure, OSError):
            replace_file(kept_in, json.dumps({"at": wall(), "sizes": found}))
    return found


def _kept(file: Path) -> dict[str, int] | None:
    try:
        record = json.loads(file.read_text())
        return dict(record["sizes"]) if 0 <= wall() - record["at"] < KEPT else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _measured(pool: Path, others: list[Path]) -> dict[str, int] | None:
    try:
        found = _measure(pool, others)
    except Failure:
        return None
    return {**found.entries, _TOTAL: found.total}


def _measure(pool: Path, others: list[Path]) -> DiskUsage:
    sizes = _du(pool, 1) if pool.is_dir() else {}
    total = sizes.pop(str(pool), 0)
    total += sum(_du(path, 0).get(str(path), 0) for path in others if not path.is_relative_to(pool))
    return DiskUsage({Path(path).name: size for path, size in sizes.items()}, total)


def _du(path: Path, depth: int) -> dict[str, int]:
    # Files that vanish during the walk make it end with 1; what it counted still holds.
    answer = run(["du", "-xk", "-d", str(depth), str(path)], check=False, timeout=_TIMEOUT)
    sizes: dict[str, int] = {}
    for line in answer.text.splitlines():
        kilobytes, _, place = line.partition("\t")
        if kilobytes.isdigit():
            sizes[place] = int(kilobytes) * 1024
    return sizes
