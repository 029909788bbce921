"""The latest snapshot, kept in one file for everybody who only wants to look.

The daemon writes it at every tick. `read_sample` needs the standard library alone, so that `agent-coord
status` answers at once; `current_levels` is for whoever is about to start something, and never trusts a
sample that is older than `STALE`: a critical level of a daemon that died would block every spawn for ever.
Where no daemon runs, whoever has to measure keeps the sample for the next one to ask, and for `status`; it holds
for `BRIEF` only, so that what was blocked goes on as soon as there is room.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.monitor.limits import Reading, worst
from resources.system.clock import iso, parse_iso, wall
from resources.system.errors import Failure
from resources.system.files import replace_file

if TYPE_CHECKING:
    from resources.monitor.values import Usage
    from resources.system.repository import Repository

STALE = 60.0
"""Seconds after which a sample says nothing any more; six ticks."""

BRIEF = 2.0
"""Seconds for which a sample holds that somebody took for a question of the moment."""


def sample_file(repository: Repository) -> Path:
    """Where the sample is."""
    return repository.state / "sample.json"


def as_json(usage: Usage, readings: Sequence[Reading], leaks: int | None) -> dict[str, Any]:
    """The snapshot as an answer; `leaks` is None when nobody has looked."""
    return {
        "schema": 1,
        "at": iso(usage.at),
        "level": worst(readings),
        "limits": [reading.to_json() for reading in readings],
        "leaks": leaks,
        "usage": {**usage.to_json(), "at": iso(usage.at)},
    }


def write_sample(repository: Repository, sample: Mapping[str, Any]) -> None:
    """Replace the sample. Raises Failure when the disk is full."""
    replace_file(sample_file(repository), json.dumps(sample) + "\n")


def read_sample(repository: Repository) -> dict[str, Any] | None:
    """The latest sample, however old (see its "at"); None when there is none."""
    try:
        found = json.loads(sample_file(repository).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("schema") == 1 else None


def current_levels(repository: Repository, *, fresh: bool = False) -> tuple[Reading, ...]:
    """The readings that hold now: from the sample unless it is older than `STALE` seconds or `fresh` is asked for.

    Raises Failure("not-initialised") when the repository has no ledger.
    """
    sample = None if fresh else read_sample(repository)
    taken = parse_iso(sample["at"]) if sample else None
    if sample is not None and taken is not None and 0 <= wall() - taken < sample.get("holds", STALE):
        return tuple(Reading.of(record) for record in sample["limits"])
    from resources.monitor.limits import judge
    from resources.monitor.usage import take_usage
    from resources.monitor.watched import watch

    with watch(repository) as watched:
        usage = take_usage(watched)
        readings = judge(usage, watched.settings.limits)
    with contextlib.suppress(Failure, OSError):  # it is for others; the answer is here
        write_sample(repository, {**as_json(usage, readings, None), "holds": BRIEF})
    return readings
