"""The landing queue's picture as lines and as JSON, for `merge status` and `monitor`. Pure.

Trees show what depends on what: a set that contains another hangs below it and names only what it adds, work that
stands on unlanded work hangs below that. Nothing is longer than the width; columns are as wide as what they hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coordinator.entrypoints.columns import MOST, table
from coordinator.merging.order import Entry
from coordinator.merging.outlook import Collided, Outlook, Standing, Trying
from coordinator.reports.bars import clock, cut, plural
from resources.system.clock import iso


def outlook_lines(found: Outlook, width: int, most: int = MOST) -> list[str]:
    """All of it, `most` rows of a section; sections in which there is nothing are left out."""
    sections = (_queue(found, most), _trees(found, most), _stacks(found, most), _radar(found, width, most))
    lines = [_head(found)]
    for section in sections:
        lines += ["", *section] if section else []
    return [cut(line, width) for line in lines]


def _head(found: Outlook) -> str:
    gates = f"{found.workers} {plural('gate', found.workers)} at once"
    state = "landing is paused (agent-coord merge resume)" if found.paused else f"mode {found.mode}, {gates}"
    waiting = f"{len(found.waiting)} {_wait(len(found.waiting))} to land" if found.waiting else "nothing waits to land"
    return f"{found.base} {found.tip[:10]}: {waiting}; {state}"


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _queue(found: Outlook, most: int) -> list[str]:
    rows = [
        (str(place), entry.issue, _ago(found, entry.queued_at), found.why[entry.id])
        for place, entry in enumerate(found.waiting, 1)
    ]
    return table(("", "LANDS NEXT", "WAITS", "WHY"), rows, (0, 2), most) if rows else []


def _trees(found: Outlook, most: int) -> list[str]:
    if not found.tried and found.bare is None:
        return []
    judged = "" if found.bare is None else f"judged itself for {_ago(found, found.bare)}"
    rows = [(f"{found.base} {found.tip[:10]}", judged, "")]
    rows += [(drawn + _set(one, above), _gate(found, one), _needed(one)) for drawn, one, above in _tree(found.tried)]
    return table(("TRIED NOW", "GATE", "NEEDED"), rows, (2,), most)


def _ago(found: Outlook, at: float) -> str:
    return clock(max(0.0, found.at - at))


def _tree(tried: Sequence[Trying]) -> list[tuple[str, Trying, Trying | None]]:
    """Each set with the branch in front of it and the set that it hangs below: the largest that it contains."""
    below: dict[int | None, list[int]] = {}
    for number, one in enumerate(tried):
        inside = [at for at, other in enumerate(tried) if set(other.issues) < set(one.issues)]
        below.setdefault(max(inside, key=lambda at: len(tried[at].issues), default=None), []).append(number)

    def walk(root: int | None, indent: str) -> list[tuple[str, Trying, Trying | None]]:
        rows: list[tuple[str, Trying, Trying | None]] = []
        children = below.get(root, [])
        for number in children:
            last = number == children[-1]
            rows.append((indent + ("└─ " if last else "├─ "), tried[number], None if root is None else tried[root]))
            rows += walk(number, indent + ("   " if last else "│  "))
        return rows

    return walk(None, "")


def _set(one: Trying, above: Trying | None) -> str:
    added = [issue for issue in one.issues if above is None or issue not in above.issues]
    names = _names(added) if above is None else f"+ {_names(added)}"
    return names + (f", without {_names(one.without)}" if one.without and not _same(one, above) else "")


def _same(one: Trying, above: Trying | None) -> bool:
    return above is not None and set(one.without) <= set(above.without)


def _names(issues: Sequence[str], most: int = 4) -> str:
    """The first ones, and how many more."""
    more = len(issues) - most
    return ", ".join(issues[:most]) + (f" and {more} more" if more > 0 else "")


def _gate(found: Outlook, one: Trying) -> str:
    if one.passed:
        return "passed, waits"
    return f"{'confirms' if one.whole else 'runs'} for {_ago(found, one.since)}"


def _needed(one: Trying) -> str:
    return "" if one.passed else (f"{one.needed:.0%}" if one.needed else "under 20%")


def _stacks(found: Outlook, most: int) -> list[str]:
    if not found.standing:
        return []
    rows = [(drawn + issue, what) for drawn, issue, what in _forest(found.standing)]
    return table(("STANDS ON UNLANDED WORK", ""), rows, most=most)


def _forest(standing: Sequence[Standing]) -> list[tuple[str, str, str]]:
    """(branch, issue, what of it): each piece below the last of those that it stands on."""
    grounds = dict(on for one in standing for on in one.on)
    by_issue = {one.issue: one for one in standing}
    below: dict[str, list[Standing]] = {}
    for one in standing:
        below.setdefault(one.on[-1][0], []).append(one)

    def walk(issue: str, indent: str) -> list[tuple[str, str, str]]:
        rows: list[tuple[str, str, str]] = []
        children = below.get(issue, [])
        for one in children:
            last = one is children[-1]
            also = [parent for parent, _ in one.on[:-1]]
            what = f"{one.agent} works on it" if one.agent else "waits to land"
            rows.append(
                (indent + ("└─ " if last else "├─ "), one.issue, what + (f"; also on {_names(also)}" if also else ""))
            )
            rows += walk(one.issue, indent + ("   " if last else "│  "))
        return rows

    return [row for root in below if root not in by_issue for row in [("", root, grounds[root]), *walk(root, "")]]


def _radar(found: Outlook, width: int, most: int) -> list[str]:
    if found.looked is None:
        return []
    at, count = found.looked
    ago = f"radar, {_ago(found, at)} ago: {count} {plural('piece', count)} of unlanded work"
    if not found.collided:
        return [f"{ago}, nothing collides"]
    rows = [(one.issue, _with(found, one), _told(found, one), _paths(one, width)) for one in found.collided]
    return [ago, *table(("WILL NOT MERGE", "WITH", "TOLD", "IN"), rows, most=most)]


def _with(found: Outlook, one: Collided) -> str:
    return one.other or f"{found.base} (stale)"


def _told(found: Outlook, one: Collided) -> str:
    return f"{one.agent or 'nobody'}, {_ago(found, one.since)} ago"


def _paths(one: Collided, width: int) -> str:
    shown = 1 if width < 100 else 2
    return _names(one.paths, shown)


def outlook_json(found: Outlook) -> dict[str, Any]:
    """The same for programs."""
    return {
        "base": {"branch": found.base, "sha": found.tip, "judged_since": iso(found.bare) if found.bare else None},
        "paused": found.paused, "mode": found.mode, "workers": found.workers,
        "tried": [list(one.issues) for one in found.tried if not one.passed],
        "waiting": [entry_json(entry) | {"why": found.why[entry.id]} for entry in found.waiting],
        "trials": [_trial_json(one) for one in found.tried],
        "stacked": [
            {"issue": one.issue, "agent": one.agent or None, "on": [{"issue": on, "state": how} for on, how in one.on]}
            for one in found.standing
        ],
        "collisions": [
            {"issue": one.issue, "with": one.other, "told": one.agent or None, "paths": list(one.paths),
             "since": iso(one.since)}
            for one in found.collided
        ],
        "radar": {"looked_at": iso(found.looked[0]), "pieces": found.looked[1]} if found.looked else None,
    }  # fmt: skip


def _trial_json(one: Trying) -> Mapping[str, Any]:
    return {
        "issues": list(one.issues), "for": list(one.issues[-one.about :]), "without": list(one.without),
        "needed": round(one.needed, 3), "passed": one.passed, "confirms": one.whole, "since": iso(one.since),
    }  # fmt: skip


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry of the queue."""
    names = ("id", "issue", "branch", "tip", "state", "why", "merged", "priority")
    return {name: getattr(entry, name) for name in names} | {"queued_at": iso(entry.queued_at)}
