"""What a person asks to be worked on: FILTER of `spawn`, the options of `run`: pure.

independent   whatever can run beside what runs already, now or once its dependencies have landed
all           the same, and predicted overlaps are left to landing to settle
epic:ID       the open descendants of one epic
only:ID,ID    these issues
"""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.planning.proposal import Plan
from analyzer.timing.tracks import TrackStatus
from coordinator.tasks.claims import Wish
from coordinator.tasks.tracker import FOLLOW_UP
from resources.system.errors import Misuse


@dataclass(frozen=True)
class Filter:
    """A parsed filter. `mode` is "independent" or "all"."""

    mode: str = "independent"
    epic: str = ""
    only: tuple[str, ...] = ()


def parse_filter(text: str) -> Filter:
    """The filter that `text` means. Raises Misuse("bad-filter")."""
    word, _, rest = text.partition(":")
    ids = tuple(part.strip() for part in rest.split(",") if part.strip())
    match word:
        case "independent" | "all" if not rest:
            return Filter(word)
        case "epic" if len(ids) == 1:
            return Filter(epic=ids[0])
        case "only" if ids:
            return Filter(only=ids)
    raise Misuse("bad-filter", f"{text!r} is no filter", mend="use independent, all, epic:ID or only:ID,ID")


def wishes(plan: Plan, wanted: Filter, program: str, asked_by: str = "") -> list[Wish]:
    """The issues of the plan that can be worked on, in the plan's order.

    Left out are blocked tracks, and what was handed off to a person unless it is named.
    """
    found: list[Wish] = []
    for track in plan.tracks:
        if track.status is TrackStatus.BLOCKED:
            continue
        for issue in track.issues:
            bead = plan.backlog.issues[issue]
            if FOLLOW_UP in bead.labels and issue not in wanted.only:
                continue
            found.append(Wish(issue, bead.title, track.id, program, wanted.mode, len(found), asked_by=asked_by))
    return found
