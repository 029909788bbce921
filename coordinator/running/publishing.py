"""`.agent-worktrees/.progress.json`: where every issue stands, for tools that read a file.

A view, generated after each change by atomic replacement and never read back: the ledger is the truth. Whoever writes
holds a lock while reading the ledger and replacing the file, so that the file never goes back in time.

    {"schema":1, "generated_at", "layers":[{"name","total","done"}], "stuck":[issue],
     "tasks":{issue:{"title","layer","phase","priority","agent","since","waits_for","why","pr"}}}
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from coordinator.bootstrap import Project
from coordinator.tasks import claims, progress
from coordinator.tasks.overview import Line, Phase, overview
from resources.system.clock import iso, wall
from resources.system.errors import Failure
from resources.system.files import file_lock, replace_file

MINUTE = 60.0


def survey(project: Project) -> tuple[Line, ...]:
    """Every issue with its phase, as tracker, ledger and agents have it now."""
    issues = project.facts().issues
    with project.ledger.read() as snapshot:
        tasks, words = claims.all_tasks(snapshot), progress.all_progress(snapshot)
    stuck_after = project.config.agents.timeout_minutes * MINUTE
    return overview(issues, tasks, words, now=wall(), stuck_after=stuck_after)


def publish(project: Project) -> Path:
    """Write the file anew; returns where it is."""
    file = project.repository.root / project.config.pool.folder / ".progress.json"
    with file_lock(project.repository.state / "progress.lock", what="the progress file"):
        text = json.dumps(as_json(survey(project)), indent=1)
        replace_file(file, text + "\n")
    return file


class News:
    """Writes the file while a coordinator runs: after changes, and at most every `EVERY` seconds."""

    EVERY = 2.0

    def __init__(self, project: Project) -> None:
        self._project, self._at, self._seq = project, 0.0, -1

    def publish(self, *, now: bool = False) -> None:
        """Write what is new, at once with `now`. A view is a courtesy: that it cannot be written stops nobody."""
        if not now and time.monotonic() - self._at < self.EVERY:
            return
        with self._project.ledger.read() as snapshot:
            newest = snapshot.one("events-newest", count=1)
        seq = newest["seq"] if newest else 0
        self._at = time.monotonic()
        if seq != self._seq:
            with suppress(Failure, OSError):
                publish(self._project)
                self._seq = seq


def as_json(lines: Sequence[Line]) -> dict[str, Any]:
    """The content of the file."""
    return {
        "schema": 1,
        "generated_at": iso(wall()),
        "layers": layers(lines),
        "stuck": [line.issue for line in lines if line.phase is Phase.STUCK],
        "tasks": {line.issue: line_json(line) for line in lines},
    }


def layers(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Each layer with how many of its issues are completed or done, the shallowest first."""
    total = Counter(line.layer for line in lines)
    done = Counter(line.layer for line in lines if line.phase in (Phase.COMPLETED, Phase.DONE))
    return [{"name": name, "total": total[name], "done": done[name]} for name in total]


def line_json(line: Line) -> dict[str, Any]:
    """One issue of the file."""
    names = ("title", "layer", "priority", "agent", "why", "pr")
    values = {name: getattr(line, name) for name in names}
    since = iso(line.since) if line.since else None
    return {**values, "phase": line.phase.value, "since": since, "waits_for": list(line.waits_for)}
