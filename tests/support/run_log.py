"""The events of runs that never took place, as the ledger would give them."""

from __future__ import annotations

import json
from typing import Any

from coordinator.reports.timeline import build_timeline


class Log:
    """Events as the ledger would give them."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def tell(self, at, kind, issue, slot="pool-wt-1", agent="agent-1", **data):
        row = {"seq": len(self.rows) + 1, "at": 1_700_000_000 + at, "kind": kind, "issue": issue}
        self.rows.append({**row, "slot": slot, "agent": agent, "data": json.dumps(data)})
        return self

    def attempt(
        self, issue, begin, end, number=1, slot="pool-wt-1", *, passed: bool | None = True, title="Do <it> & more"
    ):
        """Work, a wait, a gate of one second, and what came of it."""
        self.tell(begin, "attempt.started", issue, slot, attempt=number, title=title, program="demo", track="T1")
        self.tell(end - 2, "attempt.ended", issue, slot, attempt=number, ending="done", why="")
        self.tell(end - 2, "landing.queued", issue, slot)
        self.tell(end - 1, "gate.started", issue, slot, attempt=number)
        if passed is None:
            return self
        self.tell(end, "gate.ended", issue, slot, passed=passed, seconds=1.0, failed_check="" if passed else "tests")
        why = {} if passed else {"why": "tests failed"}
        return self.tell(end, "landing.landed" if passed else "landing.bounced", issue, slot, **why)

    @property
    def timeline(self):
        return build_timeline(self.rows)
