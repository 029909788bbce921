"""Who goes first where two issues touch the same files: the one that was written first. Pure.

People write issues in the order in which they build on each other, mostly without a dependency. So an issue that may
begin goes before every younger one that is predicted to meet it, and before every younger one whose last attempt
failed on files that it touches: what was missing there is likely the elder's to bring. That order is *learnt*: it
rests on the files where attempts really failed. An elder that could not begin either (it failed, and nothing has
landed since where it did) holds nobody back, so that an order which was guessed wrong never stops the work. Only who
has one attempt left waits for it too, and for all that are older, whatever they touch, as long as anybody is at work:
after that attempt it would be a person's. What is critical (priority 0) waits for nobody who is not.

Urgency is passed on. Who waits for an elder gives it its place in the order of beginning; and who failed and waits for
a landing gives its place to all that are older, because what it lacks is likely one of theirs, whichever files that
needs. So what is urgent is tried first, and what it builds on next. It takes its own place again once it may begin.

On a replayed history of 37 issues this lands all of them; by urgency alone, with a wait that grew with each attempt,
29 landed (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

CRITICAL = 0


@dataclass(frozen=True, order=True)
class Candidate:
    """A ready issue that waits. `able`: it could begin, were it alone. `last`: it has one attempt left.

    `touches` are the paths that it will write as far as is known, `trouble` those that its last attempt failed on.
    """

    created: float
    issue: str
    priority: int = 2
    able: bool = True
    last: bool = False
    touches: frozenset[str] = frozenset()
    trouble: frozenset[str] = frozenset()


def gives_way(priority: int, to: int) -> bool:
    """Whether work of this priority waits for older work of priority `to`."""
    return priority > CRITICAL or to == CRITICAL


def find_elders(candidates: Sequence[Candidate], near: Mapping[str, Set[str]]) -> dict[str, str]:
    """Issue -> the oldest one that goes before it; `near` are the issues that are predicted to meet an issue."""
    ages = sorted(candidates)
    able = [one for one in ages if one.able]
    found = {}
    for one in ages:
        close = near.get(one.issue, frozenset())
        if not close and not one.trouble and not one.last:
            continue
        for other in ages if one.last else able:
            if other >= one:
                break
            meet = one.last or other.issue in close or not one.trouble.isdisjoint(other.touches)
            if meet and gives_way(one.priority, other.priority):
                found[one.issue] = other.issue
                break
    return found


def places(order: Mapping[str, int], elders: Mapping[str, str], ages: Sequence[str], held: Set[str]) -> dict[str, int]:
    """Each issue's place in the order of beginning: that of the first who waits for it, or its own.

    `ages` are the issues, oldest first, `held` those that wait for a landing where they failed: for all that are older.
    """
    found, last = dict(order), len(order)
    for issue, elder in elders.items():
        place = order.get(issue, last)
        # Each elder is older than the one before it: the walk ends.
        while elder:
            found[elder] = min(found.get(elder, last), place)
            elder = elders.get(elder, "")
    for issue in reversed(ages):
        last = min(last, found.get(issue, last)) if issue in held else last
        found[issue] = min(found.get(issue, last), last)
    return found
