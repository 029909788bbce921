"""What the queue tells the coordinator about an entry that it is done with, or that a person must look at."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.tasks.lifecycle import Outcome


@dataclass(frozen=True)
class Ruling:
    """What was decided about an entry. `evidence` is output for the author, `paths` those in conflict."""

    issue: str
    outcome: Outcome
    why: str
    evidence: str = ""
    paths: tuple[str, ...] = ()
