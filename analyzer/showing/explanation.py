"""One issue in plain sentences: can it be begun, when will it be, what will it touch, and whom would it meet.

First the sentences, for somebody who asks "why not now?"; below them the lists that they are made from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from analyzer.backlog.issues import Issue, Status
from analyzer.backlog.readiness import NOT_WORK, is_container, is_work
from analyzer.planning.placing import hours
from analyzer.planning.proposal import Plan
from analyzer.scopes.conflicts import Conflict
from analyzer.scopes.scope import Scope, ScopeFile
from analyzer.showing.layout import Look, clean
from analyzer.showing.report import likeliest, meetings, placement, soft_meetings, why_not
from analyzer.timing.tracks import Track, TrackStatus

MANY = 10
"""Lines of a list before the rest is only counted."""
NAMED = 3
"""Issues or files that a sentence names."""
LIKELY, FAINT = 0.4, 0.15
"""From which probability on a file is called likely, and below which it is not worth a sentence."""


def explain_text(plan: Plan, issue: Issue, scope: Scope, look: Look) -> str:
    """The answer of `explain`."""
    head = f"{look.style(issue.id, 'bold')}  P{issue.priority} {clean(issue.kind)}  {clean(issue.title)}"
    met = meetings(plan, issue.id)
    told = [*_readiness(plan, issue), *_place(plan, issue), *_unlocks(plan, issue), *_touches(issue, scope)]
    told += _meets(plan, issue, met)
    sections = [[head, *(f"  {clean(sentence)}" for sentence in told)]]
    waits = _waits(plan, issue)
    sections += [
        _rows(look, "WAITS FOR", [(name, plan.issue(name).status.value, plan.issue(name).title) for name in waits]),
        _rows(look, "SETS FREE", [(name, plan.issue(name).title) for name in _freed(plan, issue)]),
        _rows(look, "LIKELY FILES", [(f"{f.p:.0%}", f.path, "; ".join(f.evidence[:3])) for f in scope.files], 64),
        _rows(look, "NEW FILES", [(f"{p:.0%}", pattern) for pattern, p in scope.new]),
        _rows(look, "TO RESERVE", [(pattern,) for pattern in scope.write]),
        _rows(look, "WOULD MEET", [_meeting(issue, found) for found in met]),
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _rows(look: Look, title: str, rows: Sequence[Sequence[str]], widest: int = 40) -> list[str]:
    if not rows:
        return []
    return [look.heading(title), *look.shorten(look.table(rows, widest=widest), MANY, title.lower())]


def _meeting(issue: Issue, found: Conflict) -> tuple[str, str, str, str]:
    return f"{found.p:.0%}", _other(issue, found), found.witness, "; ".join(found.evidence[:2])


def _other(issue: Issue, found: Conflict) -> str:
    return found.b if found.a == issue.id else found.a


def _waits(plan: Plan, issue: Issue) -> tuple[str, ...]:
    return next((one.waits_for for one in plan.blocked if one.id == issue.id), ())


def _freed(plan: Plan, issue: Issue) -> list[str]:
    return [name for name, own in plan.backlog.blockers.items() if issue.id in own]


def _named(plan: Plan, names: Sequence[str]) -> str:
    """A few issues with their titles, the rest counted."""
    told = [f"{name} ({plan.issue(name).title})" for name in names[:NAMED]]
    return _listed([*told, f"{len(names) - NAMED} more"] if len(names) > NAMED else told)


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def _readiness(plan: Plan, issue: Issue) -> Iterator[str]:
    waits = _waits(plan, issue)
    if issue.id in plan.ready:
        yield "It is ready: nothing that it waits for is unfinished, and nobody is at it."
    elif issue.status is Status.CLOSED:
        yield "It is closed: there is nothing left to do."
    elif is_container(issue):
        children = plan.backlog.children.get(issue.id, ())
        left = plan.backlog.open_children(issue.id)
        told = f"{len(left)} of {len(children)} are unfinished" if children else "it has none"
        yield f"As an issue of type {issue.kind} it is done when its children are: {told}."
    elif issue.kind in NOT_WORK:
        yield f"A {issue.kind} is not given to an agent."
    elif issue.status in (Status.IN_PROGRESS, Status.HOOKED):
        yield f"It is being worked on{f' by {issue.assignee}' if issue.assignee else ''}: nobody else is given it."
    elif waits:
        yield f"It cannot be begun yet: {_why(plan, issue)}."
        yield from _first_step(plan, issue, waits)
    else:
        yield f"It cannot be begun: {_why(plan, issue)}."
    circle = next((cycle for cycle in plan.cycles if issue.id in cycle), ())
    if circle:
        yield f"It waits for itself: {' → '.join((*circle, circle[0]))}. Remove one of these dependencies."


def _why(plan: Plan, issue: Issue) -> str:
    why = why_not(plan, issue)
    return f"it {why}" if why.startswith("waits ") else why


def _first_step(plan: Plan, issue: Issue, waits: Sequence[str]) -> Iterator[str]:
    """What one would have to do to get the issue going."""
    ready = [name for name in waits if name in plan.ready]
    if len(waits) == 1 and ready:
        yield f"That is {_named(plan, ready)}, which can be begun; once it has landed, {issue.id} is free."
    elif len(waits) == 1:
        why = _why(plan, plan.issue(waits[0]))
        yield f"{_named(plan, waits)} cannot be begun either: {why}."
    elif ready:
        all_of_them = "All of these" if len(ready) == len(waits) else f"Of these {len(waits)}"
        yield f"{all_of_them} can be begun now: {_named(plan, ready)}."
    else:
        yield f"None of these {len(waits)} can be begun either."


def _place(plan: Plan, issue: Issue) -> Iterator[str]:
    track = plan.track_of.get(issue.id)
    if not track:
        return
    slot = next((one.slot for one in plan.assignments if one.track == track.id), "")
    wave = next((number for number, names in enumerate(plan.waves, 1) if track.id in names), 0)
    if slot:
        yield f"The plan gives {_run(issue, track)} to {slot} now ({_reason(plan, track)})."
    elif wave:
        yield f"The plan has {_run(issue, track)} in wave {wave}: {_reason(plan, track)}."
    elif track.status is TrackStatus.BLOCKED and issue.status not in (Status.IN_PROGRESS, Status.HOOKED):
        yield "The plan cannot say when: it hangs on something that no track brings."


def _run(issue: Issue, track: Track) -> str:
    if len(track.issues) == 1:
        return f"it (track {track.id})"
    place = track.issues.index(issue.id) + 1
    return f"track {track.id}, where it is number {place} of {len(track.issues)} ({hours(track.seconds)} in all),"


def _reason(plan: Plan, track: Track) -> str:
    told = placement(plan, track).partition(": ")[2]
    return re.sub(r"; wave \d+$", "", told) or "nothing stands in its way"


def _unlocks(plan: Plan, issue: Issue) -> Iterator[str]:
    freed = _freed(plan, issue)
    if freed and issue.is_open:
        alone = sum(_waits(plan, plan.issue(name)) == (issue.id,) for name in freed)
        besides = "for nothing else" if alone == len(freed) else "for others besides"
        yield f"{_named(plan, freed)} {'waits' if len(freed) == 1 else 'wait'} for it, and {besides}."
    if len(plan.makespan.critical_path) > 1 and issue.id in plan.makespan.critical_path:
        yield "It lies on the critical path: a delay here delays the end of everything."


def _touches(issue: Issue, scope: Scope) -> Iterator[str]:
    if not issue.is_open or not is_work(issue):
        return
    likely = [file for file in scope.files if file.p >= LIKELY]
    shown = likely or [file for file in scope.files[:1] if file.p >= FAINT]
    if shown:
        told = _listed([_file(file) for file in shown[:NAMED]])
        yield f"It will {'probably' if likely else 'perhaps'} touch {told}."
    if scope.new:
        yield f"It will probably make {_listed([pattern for pattern, _ in scope.new[:NAMED]])}."
    if not shown and not scope.new:
        yield "Neither its text nor the history tells which files it will touch: name them in the text."


def _file(file: ScopeFile) -> str:
    return f"{file.path} ({file.p:.0%}: {file.evidence[0]})" if file.evidence else f"{file.path} ({file.p:.0%})"


def _meets(plan: Plan, issue: Issue, met: Sequence[Conflict]) -> Iterator[str]:
    hard = [found for found in met if not found.hot_only]
    if hard:
        told = [f"{_other(issue, found)} ({found.p:.0%}, in {likeliest(found.paths)})" for found in hard[:NAMED]]
        more = [f"{len(hard) - NAMED} more"] if len(hard) > NAMED else []
        yield f"It should not run beside {_listed([*told, *more])}."
    if len(met) > len(hard):
        count = len(met) - len(hard)
        yield f"It meets {count} other{'s' * (count > 1)} in hot files alone, which may run beside it."
    soft = soft_meetings(plan, issue.id)
    if soft:
        told = [f"{_other(issue, found)} ({found.p:.0%}, in {likeliest(found.paths)})" for found in soft[:NAMED]]
        more = [f"{len(soft) - NAMED} more"] if len(soft) > NAMED else []
        yield f"It may also meet {_listed([*told, *more])}: the plan counts the rework to expect."
    if not met and not soft and issue.id in plan.track_of:
        yield "It is likely to meet no other open issue in a file."
