"""What was being worked on when an issue was written, and what is being worked on now.

Issues are often written in the middle of work on the files that they concern, several in a row, and taken up in that
order. So commits count that lie near the moment of writing, before and after it, the last ones of all, and the work on
issues that were written just before or after. How much a commit counts falls with its distance in commits (in hours
for the last ones: a pause ends an occasion). Only what the history holds is looked at, so nothing is learned from a
time after the prediction.

On repositories left out of the fit these signals are worth .003 of recall@10, no more than chance may do.
"""

from __future__ import annotations

from math import exp

from analyzer.backlog.issues import Issue
from analyzer.scopes.signals import Evidence, Signal, Signals, add, issue_terms
from analyzer.scopes.words import terms

SPREAD = 10
"""Commits after which a commit near the writing counts 1/e; those after `NEAR` times as many are not looked at."""
SOON = 3
"""The same for the commits right after the writing and for the last of all."""
NEAR = 5
HOURS = 2.0
"""Hours after which one of the last commits counts 1/e."""
LAST = 60
"""Commits that may be the last ones."""
COMPANY = 25
"""Issues looked at that were written before, and after."""


def occasion(issue: Issue, evidence: Evidence) -> Signals:
    """The signals of the time of writing (none when it is not known) and of the present."""
    found = {"last": last_of(evidence, SOON), "last_hours": _last_hours(evidence)}
    if issue.created is None:
        return found
    end, written = len(evidence.history), len(evidence.history.before(issue.created))
    before = range(max(0, written - NEAR * SPREAD), written)
    after = range(written, min(end, written + NEAR * SPREAD))
    soon = after[: NEAR * SOON]
    found["written_before"] = _weighed(evidence, {n: exp((n + 1 - written) / SPREAD) for n in before})
    found["written_after"] = _weighed(evidence, {n: exp((written - n) / SPREAD) for n in after})
    found["written_soon"] = _weighed(evidence, {n: exp((written - n) / SOON) for n in soon})
    return found | _company(issue, evidence)


def last_of(evidence: Evidence, spread: float) -> Signal:
    """Files of the last commits; the weight of a commit falls by e every `spread` commits."""
    end = len(evidence.history)
    first = max(0, end - int(NEAR * spread))
    return _weighed(evidence, {n: exp((n + 1 - end) / spread) for n in range(first, end)})


def _last_hours(evidence: Evidence) -> Signal:
    history, end = evidence.history, len(evidence.history)
    if not end:
        return {}
    now = history.time_of(end - 1)
    ages = {n: (now - history.time_of(n)) / 3600 for n in range(max(0, end - LAST), end)}
    return _weighed(evidence, {n: exp(-age / HOURS) for n, age in ages.items()})


def _weighed(evidence: Evidence, commits: dict[int, float]) -> Signal:
    found: Signal = {}
    for number, weight in commits.items():
        files = evidence.files_at(number)
        add(found, files, weight / (len(files) or 1) ** 0.5)
    return found


def _company(issue: Issue, evidence: Evidence) -> Signals:
    """Files of the issues written in the same sitting: by nearness, and by nearness and common words of the title."""
    order, place = evidence.kin.in_order, evidence.kin.place.get(issue.id)
    near: Signal = {}
    like: Signal = {}
    if place is None:
        return {}
    words = issue_terms(issue).keys()
    for at in range(max(0, place - COMPANY), min(len(order), place + COMPANY + 1)):
        other = order[at]
        files = evidence.files_of(other.id) if at != place else ()
        if files:
            share, distance = len(files) ** -0.5, abs(at - place)
            title = terms(other.title)
            add(near, files, share * exp(-distance / 5))
            add(like, files, share * exp(-distance / 10) * len(title & words) / (len(title) + 2))
    return {"company": near, "company_like": like}
