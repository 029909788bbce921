"""What the event log has counted since the beginning, for the metrics."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from resources.monitor.watched import Watched


def reaped(watched: Watched) -> Counter[tuple[str, str]]:
    """How many leaks were ever taken back or tried, by (kind, result)."""
    return Counter((record["leak"], record["result"]) for record in _told(watched, "leak.reaped"))


def acquired(watched: Watched) -> Mapping[str, tuple[int, float]]:
    """How many databases slots were given, by source, and the seconds that it took in all."""
    found: dict[str, list[float]] = defaultdict(list)
    for record in _told(watched, "database.given"):
        found[record["source"]].append(record["seconds"])
    return {source: (len(seconds), sum(seconds)) for source, seconds in found.items()}


def _told(watched: Watched, kind: str) -> list[dict[str, Any]]:
    with watched.ledger.read() as snapshot:
        return [json.loads(row["data"]) for row in snapshot.all("events-of-kind", kind=kind)]
