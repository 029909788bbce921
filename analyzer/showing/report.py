"""A plan as JSON: the shapes that `docs` promises to other programs.

Keys are a contract; they change with the schema number only. Probabilities have four digits, times are in seconds,
paths are relative to the repository, a file's evidence is told in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analyzer.backlog.issues import Issue, Trouble
from analyzer.planning.preview import Preview
from analyzer.planning.proposal import Plan, TrackConflict
from analyzer.scopes.conflicts import Conflict
from analyzer.scopes.scope import Scope, ScopeFile
from analyzer.timing.tracks import Track, TrackStatus

SCHEMA = 1
NAMED = 3
"""Paths that are named of one meeting."""
MOST_FILES = 30
"""Files told of one scope in an answer."""
Json = dict[str, Any]


def recommend_json(plan: Plan) -> Json:
    """The answer of `recommend`."""
    return {
        **_basis(plan),
        **_standings(plan),
        "tracks": [_track(plan, track) for track in plan.tracks],
        "conflicts": [_conflict(conflict) for conflict in plan.conflicts],
        "waves": [list(wave) for wave in plan.waves],
        "assignments": [{"slot": one.slot, "track": one.track, "why": one.why} for one in plan.assignments],
        "queued": [{"track": one.track, "why": one.why} for one in plan.queued],
        "makespan": {
            "expected": plan.makespan.expected,
            "lower_bound": plan.makespan.lower_bound,
            "critical_path": list(plan.makespan.critical_path),
            "bound": plan.makespan.bound,
            "binds": plan.makespan.binds,
            "gap": plan.makespan.gap,
            "proven": plan.makespan.proven,
        },
    }


def analyze_json(plan: Plan) -> Json:
    """The answer of `analyze`: what the dependencies say."""
    by_status = {status.value: [t.id for t in plan.tracks if t.status is status] for status in TrackStatus}
    return {
        **_basis(plan),
        **_standings(plan),
        "layers": [list(layer) for layer in plan.layers],
        "critical_path": list(plan.makespan.critical_path),
        "epics": [
            {"id": epic.id, "title": epic.title, "done": epic.done, "total": epic.total, "closable": epic.closable}
            for epic in plan.epics
        ],
        "tracks": [_track(plan, track) for track in plan.tracks],
        "tracks_by_status": by_status,
    }


def conflicts_json(plan: Plan) -> Json:
    """The answer of `conflicts`: what the waves keep apart, and apart from it the meetings in hot files alone."""
    return {
        **_basis(plan),
        "conflicts": [_conflict(conflict) for conflict in plan.conflicts],
        "soft_conflicts": [_issue_conflict(conflict) for conflict in plan.soft_conflicts],
        "hot_conflicts": [_conflict(conflict) for conflict in plan.hot_conflicts],
        "hot": [{"path": path, "issues": list(issues)} for path, issues in hot_files(plan).items()],
    }


def full_json(plan: Plan) -> Json:
    """All of it."""
    return {**analyze_json(plan), **conflicts_json(plan), **recommend_json(plan)}


def explain_json(plan: Plan, issue: Issue, scope: Scope) -> Json:
    """The answer of `explain`: one issue, why it is (not) ready, what it touches and whom it meets."""
    blocked = plan.held.get(issue.id)
    track = plan.track_of.get(issue.id)
    return {
        "schema": SCHEMA,
        "id": issue.id,
        "title": issue.title,
        "status": issue.status.value,
        "priority": issue.priority,
        "ready": issue.id in plan.ready,
        "why": why_not(plan, issue),
        "waits_for": [_brief(plan.issue(name)) for name in (blocked.waits_for if blocked else ())],
        "blocks": [name for name, own in plan.backlog.blockers.items() if issue.id in own],
        "parents": list(plan.backlog.parents.get(issue.id, ())),
        "track": track.id if track else None,
        "place": placement(plan, track) if track else "",
        "scope": {**_scope(scope), "hot": list(scope.hot)},
        "conflicts": [_issue_conflict(conflict) for conflict in meetings(plan, issue.id)],
        "soft_conflicts": [_issue_conflict(conflict) for conflict in soft_meetings(plan, issue.id)],
    }


def scope_json(name: str, scope: Scope, view: Preview) -> Json:
    """The answer of `scope`."""
    shown = {"mode": view.mode, "directories": list(view.directories), "shown": view.shown, "total": view.total}
    return {"schema": SCHEMA, "id": name, **_scope(scope), "view": shown}


def _scope(scope: Scope) -> Json:
    return {
        "files": [_file(file) for file in scope.files],
        "new": [{"pattern": pattern, "p": round(p, 4)} for pattern, p in scope.new],
        "write": list(scope.write),
    }


def why_not(plan: Plan, issue: Issue) -> str:
    """Why the issue is not ready, "" when it is."""
    if issue.id in plan.can_begin:
        return ""
    found = plan.held[issue.id].why if issue.id in plan.held else ""
    if found or issue.is_open:
        return found or f"a {issue.kind} is not given to an agent"
    return f"it is {issue.status.value}"


def placement(plan: Plan, track: Track) -> str:
    """Where a track stands in the plan, with the reason."""
    one = plan.place_of.get(track.id)
    return f"{one.slot or 'queued'}: {one.why}" if one else ""


def meetings(plan: Plan, name: str) -> tuple[Conflict, ...]:
    """The conflicts of one issue, likeliest first."""
    return _of(name, plan.issue_conflicts)


def soft_meetings(plan: Plan, name: str) -> tuple[Conflict, ...]:
    """Those that are too unlikely to keep issues apart, likeliest first."""
    return _of(name, plan.soft_conflicts)


def _of(name: str, conflicts: Iterable[Conflict]) -> tuple[Conflict, ...]:
    found = (conflict for conflict in conflicts if name in (conflict.a, conflict.b))
    return tuple(sorted(found, key=lambda conflict: (-conflict.p, conflict.a, conflict.b)))


def likeliest(paths: Sequence[str]) -> str:
    """Where a meeting is likeliest, in words: one to three paths."""
    return " or ".join(filter(None, (", ".join(paths[:NAMED][:-1]), paths[:NAMED][-1])))


def hot_files(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Hot file -> the issues that would touch it, the most wanted first."""
    found: dict[str, list[str]] = {}
    for name, scope in plan.scopes.items():
        for path in scope.hot:
            found.setdefault(path, []).append(name)
    return {path: tuple(names) for path, names in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))}


def track_scope(plan: Plan, track: Track) -> tuple[list[ScopeFile], list[str], list[str]]:
    """The files of a track (each at its likeliest), its write patterns and its hot files."""
    scopes = [plan.scopes[issue] for issue in track.issues if issue in plan.scopes]
    best: dict[str, ScopeFile] = {}
    for file in (file for scope in scopes for file in scope.files):
        if file.path not in best or file.p > best[file.path].p:
            best[file.path] = file
    files = sorted(best.values(), key=lambda file: (-file.p, file.path))[:MOST_FILES]
    return files, _union(scope.write for scope in scopes), _union(scope.hot for scope in scopes)


def _union(groups: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(item for group in groups for item in group))


def _basis(plan: Plan) -> Json:
    source = plan.facts.source
    return {
        "schema": SCHEMA,
        "source": {"kind": source.kind, "path": source.path, "issues": source.count, "stale": source.stale},
        "problems": [problem_json(problem) for problem in plan.problems],
    }


def problem_json(problem: Trouble) -> Mapping[str, str]:
    """One bad spot of the input."""
    return {"where": problem.where, "what": problem.what, "did": problem.did}


def _standings(plan: Plan) -> Json:
    return {
        "ready": list(plan.ready),
        "blocked": [{"id": one.id, "waits_for": list(one.waits_for), "why": one.why} for one in plan.blocked],
        "cycles": [list(cycle) for cycle in plan.cycles],
    }


def _track(plan: Plan, track: Track) -> Json:
    files, write, hot = track_scope(plan, track)
    return {
        "id": track.id,
        "issues": list(track.issues),
        "status": track.status.value,
        "priority": track.priority,
        "scope": {"write": write, "files": [_file(file) for file in files], "hot": hot},
    }


def _file(file: ScopeFile) -> Json:
    return {"path": file.path, "p": round(file.p, 4), "evidence": list(file.evidence)}


def _conflict(conflict: TrackConflict) -> Json:
    return {
        "a": conflict.a,
        "b": conflict.b,
        "issues": list(conflict.issues),
        "p": round(conflict.p, 4),
        "paths": list(conflict.paths),
        "witness": conflict.worst.witness,
        "evidence": list(conflict.worst.evidence),
    }


def _issue_conflict(conflict: Conflict) -> Json:
    return {
        "issues": [conflict.a, conflict.b],
        "p": round(conflict.p, 4),
        "paths": list(conflict.paths),
        "witness": conflict.witness,
        "evidence": list(conflict.evidence),
        "hot_only": conflict.hot_only,
    }


def _brief(issue: Issue) -> Json:
    return {"id": issue.id, "title": issue.title, "status": issue.status.value}
