"""Collects what a report tells: the ledger's events, the gate's verdicts, and the trees of what has landed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from coordinator.bootstrap import Project
from coordinator.reports.bars import Timeline
from coordinator.reports.criteria import Judged, advice, by_week, overlapping
from coordinator.reports.run_page import Told
from coordinator.reports.timeline import build_timeline
from resources.state.store import Snapshot
from resources.system.errors import Failure
from resources.system.git import tree_of


@dataclass(frozen=True)
class Collected:
    """The timeline, and the criteria beside it."""

    timeline: Timeline
    told: Told


def collect(project: Project) -> Collected:
    """Everything that the ledger tells of this repository's runs."""
    with project.ledger.read() as snapshot:
        events = snapshot.all("events-since", seq=0)
        judged = _judged(project, snapshot)
        overlaps = len(overlapping(snapshot.all("reservations-ever")))
    weeks = by_week(events, judged)
    told = [json.loads(row["data"]) | {"issue": row["issue"]} for row in events if row["kind"] == "radar.collision"]
    collisions = [(one["issue"], str(one["other"]), ", ".join(one["paths"])) for one in told]
    name = project.repository.root.name
    return Collected(
        build_timeline(events), Told(name, project.base, weeks, overlaps, advice(weeks, overlaps), collisions)
    )


def _judged(project: Project, snapshot: Snapshot) -> Judged:
    verdicts = [row for row in snapshot.all("verdicts") if row["passed"]]
    trees: dict[str, str] = {}
    for row in snapshot.all("landings"):
        if row["merged"]:
            try:
                trees[row["merged"]] = tree_of(project.repository.root, row["merged"])
            except Failure:
                continue  # the base branch was rewritten since, and git has forgotten the commit
    checked = {row["tree"] for row in verdicts if json.loads(row["evidence"])}
    return Judged(frozenset(row["tree"] for row in verdicts), frozenset(checked), trees)
