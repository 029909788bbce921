"""A plan in words for a terminal. What is shown first is what to do now; then what comes, what waits, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from analyzer.backlog.issues import Issue
from analyzer.planning.placing import hours
from analyzer.planning.preview import Preview
from analyzer.planning.proposal import Placed, Plan, TrackConflict
from analyzer.planning.study import circle
from analyzer.scopes.scope import Scope
from analyzer.showing.layout import Look, clean
from analyzer.showing.report import hot_files, likeliest
from analyzer.timing.tracks import Track, TrackStatus

MANY = 12
"""Lines of a list before the rest is only counted."""


def recommend_text(plan: Plan, look: Look) -> str:
    """What to give to whom now, what comes next, what waits."""
    return _told(plan, look, (_opening, _now, _next, _waiting, _meet, _end, _begin))


def analyze_text(plan: Plan, look: Look) -> str:
    """What the dependencies say."""
    return _told(plan, look, (_opening, _ready, _tracks, _blocked, _cycles, _layers, _critical, _epics))


def conflicts_text(plan: Plan, look: Look) -> str:
    """Which tracks would meet, and where."""
    return _told(plan, look, (_opening, _meet if plan.conflicts else _no_conflicts, _may_meet, _hot))


def full_text(plan: Plan, look: Look) -> str:
    """Everything, each section once."""
    everything = (_now, _next, _waiting, _meet, _may_meet, _hot, _tracks, _cycles, _layers, _critical, _epics, _end)
    return _told(plan, look, (_opening, *everything))


def _told(plan: Plan, look: Look, sections: Iterable[Callable[[Plan, Look], list[str]]]) -> str:
    return _page(*(section(plan, look) for section in sections))


def scope_text(issue: Issue, scope: Scope, view: Preview, look: Look) -> str:
    """The files that an issue is likely to touch, with the evidence, and the view that it would get."""
    shown = f"{view.shown} of {view.total} files" if view.total else "nothing is known of the tree"
    seen = [look.heading("VIEW", f"{view.mode}, {shown}"), *(f"  {clean(folder)}" for folder in view.directories)]
    return _page([f"{look.style(issue.id, 'bold')}  {clean(issue.title)}"], [*_scope_lines(scope, look, 20)], seen)


def _page(*sections: Sequence[str]) -> str:
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _section(look: Look, title: str, rows: Sequence[Sequence[str]], note: str = "", what: str = "") -> list[str]:
    if not rows:
        return []
    return [look.heading(title, note), *look.shorten(look.table(rows), MANY, what or title.lower())]


def _opening(plan: Plan, look: Look) -> list[str]:
    source = plan.facts.source
    count = (
        f"{len(plan.ready)} ready, {len(plan.blocked)} not ready, of {_many('issue', source.count)} in {source.path}"
    )
    lines = [look.style(count, "bold")]
    if source.stale:
        lines.append(look.style(f"the tracker may be newer than this: {source.stale}", "yellow"))
    if plan.problems:
        count = len(plan.problems)
        told = "1 bad spot in the input was" if count == 1 else f"{count} bad spots in the input were"
        lines.append(look.style(f"{told} worked around", "yellow"))
    return lines


def _title(plan: Plan, track: Track) -> str:
    return plan.issue(track.issues[0]).title


def _run(track: Track) -> str:
    more = f" → +{len(track.issues) - 2}" if len(track.issues) > 2 else ""
    return " → ".join(track.issues[:2]) + more


def _by_id(plan: Plan) -> dict[str, Track]:
    return {track.id: track for track in plan.tracks}


def _now(plan: Plan, look: Look) -> list[str]:
    if not plan.assignments:
        return [look.heading("NOW"), f"  {_nothing(plan)}"]
    tracks = _by_id(plan)
    rows = [(one.slot, one.track, _run(tracks[one.track]), _title(plan, tracks[one.track])) for one in plan.assignments]
    lines = [look.heading("NOW", "side by side, one track to a slot")]
    for line, one in zip(look.table(rows, styles=("green", "bold", "cyan")), plan.assignments, strict=True):
        size = len(tracks[one.track].issues)
        work = f"{_many('issue', size)}, {hours(tracks[one.track].seconds)}"
        lines += [line, look.style(f"  {' ' * len(one.slot)}  {one.why}; {work}", "dim")]
    return lines


def _nothing(plan: Plan) -> str:
    """Why nothing can be begun."""
    if plan.backlog.blockers:
        return "nothing can be begun; what each open issue waits for: track-analyzer analyze"
    return "nothing is left to be done: every issue is closed"


def _many(word: str, count: int) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _next(plan: Plan, look: Look) -> list[str]:
    tracks = _by_id(plan)
    rows = [
        (f"wave {number}", "  ".join(f"{name} {_run(tracks[name])}" for name in wave))
        for number, wave in enumerate(plan.waves[1:], 2)
    ]
    return _section(look, "NEXT", rows, "each wave may run side by side once the one before has ended", "waves")


def _waiting(plan: Plan, look: Look) -> list[str]:
    tracks = _by_id(plan)

    def row(one: Placed) -> tuple[str, str, str]:
        return one.track, _run(tracks[one.track]), one.why

    queued = [row(one) for one in plan.queued if tracks[one.track].status is not TrackStatus.BLOCKED]
    blocked = [row(one) for one in plan.queued if tracks[one.track].status is TrackStatus.BLOCKED]
    first = _section(look, "QUEUED", queued, what="tracks")
    second = _section(look, "BLOCKED", blocked, "by something that no track brings", "tracks")
    return [*first, *([""] if first and second else []), *second]


def _meet(plan: Plan, look: Look) -> list[str]:
    rows = [_met(conflict) for conflict in plan.conflicts]
    return _section(look, "CONFLICTS", rows, "kept out of the same wave", "conflicts")


def _met(conflict: TrackConflict) -> tuple[str, str, str, str]:
    where = likeliest(conflict.paths)
    return f"{conflict.p:.0%}", f"{conflict.a} × {conflict.b}", " / ".join(conflict.issues), where


def _may_meet(plan: Plan, look: Look) -> list[str]:
    first = sorted(plan.soft_conflicts, key=lambda one: (-one.p, one.a, one.b))
    rows = [(f"{one.p:.0%}", f"{one.a} / {one.b}", likeliest(one.paths)) for one in first]
    return _section(look, "MAY MEET", rows, "side by side only where that is worth the rework to expect", "pairs")


def _no_conflicts(plan: Plan, look: Look) -> list[str]:
    return [look.heading("CONFLICTS"), "  none: no two tracks are likely to touch the same file"]


def _hot(plan: Plan, look: Look) -> list[str]:
    rows = [(path, _many("issue", len(issues)), ", ".join(issues[:6])) for path, issues in hot_files(plan).items()]
    pairs = len(plan.hot_conflicts)
    meet = f"{_many('pair', pairs)} of tracks {'meets' if pairs == 1 else 'meet'}"
    note = f"{meet} in these alone and may run side by side" if pairs else ""
    return _section(look, "HOT FILES", rows, note, "files")


def _ready(plan: Plan, look: Look) -> list[str]:
    rows = [(name, f"P{plan.issue(name).priority}", plan.issue(name).title) for name in plan.ready]
    return _section(look, "READY", rows, what="issues")


def _blocked(plan: Plan, look: Look) -> list[str]:
    return _section(look, "NOT READY", [(one.id, one.why) for one in plan.blocked], what="issues")


def _tracks(plan: Plan, look: Look) -> list[str]:
    counts = {status: sum(track.status is status for track in plan.tracks) for status in TrackStatus}
    note = ", ".join(f"{count} {status.value.lower()}" for status, count in counts.items() if count)
    rows = [
        (track.id, track.status.value, f"P{track.priority}", _run(track), _title(plan, track)) for track in plan.tracks
    ]
    return _section(look, "TRACKS", rows, note, "tracks")


def _cycles(plan: Plan, look: Look) -> list[str]:
    rows = [(circle(cycle),) for cycle in plan.cycles]
    return _section(look, "CYCLES", rows, "nobody can begin these: remove one dependency of each", "cycles")


def _layers(plan: Plan, look: Look) -> list[str]:
    rows = [
        (str(number), f"{len(layer)}", ", ".join(layer[:8]) + (", …" if layer[8:] else ""))
        for number, layer in enumerate(plan.layers, 1)
    ]
    return _section(look, "LAYERS", rows, "each needs only those above it", "layers")


def _critical(plan: Plan, look: Look) -> list[str]:
    path = plan.makespan.critical_path
    rows = [(name, plan.issue(name).title) for name in path] if len(path) > 1 else []
    return _section(look, "CRITICAL PATH", rows, "the longest chain of work", "issues")


def _epics(plan: Plan, look: Look) -> list[str]:
    rows = [
        (epic.id, f"{epic.done}/{epic.total}", "all children are done: close it" if epic.closable else "", epic.title)
        for epic in plan.epics
    ]
    return _section(look, "EPICS", rows, "children done", "epics")


def _end(plan: Plan, look: Look) -> list[str]:
    span = plan.makespan
    if not span.expected:
        return []
    expected = look.style(hours(span.expected), "bold")
    slots = _many("slot", plan.request.slots)
    lines = [f"{expected} expected with {slots}, never under {hours(span.lower_bound)}: {span.binds}"]
    if span.gap:
        lines.append(f"why not sooner: {span.gap}")
    if len(span.critical_path) > 1:
        lines.append(f"longest chain: {_chain(span.critical_path)}")
    return lines


def _begin(plan: Plan, look: Look) -> list[str]:
    """The next command; none for issues that lie somewhere else than in a tracker."""
    if not plan.assignments or plan.facts.source.kind == "file":
        return []
    return [f"next: agent-coord spawn {len(plan.assignments)} independent"]


def _chain(names: Sequence[str]) -> str:
    return " → ".join(names) if len(names) <= 5 else " → ".join((*names[:3], f"… {len(names) - 4} more …", names[-1]))


def _scope_lines(scope: Scope, look: Look, most: int) -> Iterator[str]:
    rows: Iterable[tuple[str, str, str]] = [
        (f"{file.p:.0%}", file.path, "; ".join(file.evidence[:3])) for file in scope.files
    ]
    yield look.heading("LIKELY FILES", "" if scope.files else "none can be told from the text or the history")
    yield from look.shorten(look.table(rows, widest=64), most, "files")
    if scope.new:
        yield look.heading("NEW FILES")
        yield from look.table([(f"{p:.0%}", pattern) for pattern, p in scope.new])
    if scope.write:
        yield look.heading("TO RESERVE")
        yield from (f"  {clean(pattern)}" for pattern in scope.write)
