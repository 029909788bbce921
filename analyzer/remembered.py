"""Scopes that were predicted by an earlier call, kept in `<git dir>/agent-coord/cache/scopes.json`.

Prediction is most of a plan's time, and most issues are as they were at the last call. A scope is kept under a key
of everything that it was predicted from: the commit at HEAD, the policy and the format for all, and for each issue
its own words, labels and edges. Another HEAD or policy makes all of it void; a file that cannot be read or written is
no error, only slow. JSON, because what lies in a repository's folders may have been written by anybody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analyzer.backlog.issues import Issue
from analyzer.planning.facts import Facts
from analyzer.planning.policy import Policy
from analyzer.scopes.scope import Scope, ScopeFile
from analyzer.scopes.ties import Ties
from resources.system.errors import Failure

FORMAT = 2


def recall(cache: Path, facts: Facts, policy: Policy) -> dict[str, Scope]:
    """The kept scopes that still hold for these facts."""
    try:
        kept: dict[str, Any] = json.loads(cache.read_bytes())
        if kept["key"] != _ground(facts, policy):
            return {}
        rows: Mapping[str, Any] = kept["scopes"]
        issues = (issue for issue in facts.issues if issue.id in rows)
        return {issue.id: _read(issue.id, rows[issue.id]) for issue in issues if rows[issue.id][0] == _key(issue)}
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return {}


def remember(cache: Path, facts: Facts, policy: Policy, scopes: Mapping[str, Scope]) -> None:
    """Keep these scopes for the next call; what cannot be written is left."""
    from resources.system.files import replace_file

    issues = {issue.id: issue for issue in facts.issues}
    rows = {name: _written(issues[name], scope) for name, scope in scopes.items() if name in issues}
    try:
        text = json.dumps({"key": _ground(facts, policy), "scopes": rows}, separators=(",", ":"))
        replace_file(cache, text, mode=0o600)
    except (OSError, Failure):
        return


def _ground(facts: Facts, policy: Policy) -> str:
    head = facts.history.commits[-1].sha if facts.history.commits else ""
    return _digest((FORMAT, head, len(facts.history), len(facts.tree), sorted(asdict(policy).items())))


def _key(issue: Issue) -> str:
    edges = sorted((edge.target, edge.kind) for edge in issue.dependencies)
    return _digest((issue.text, issue.labels, edges, sorted(issue.metadata.items())))


def _digest(value: object) -> str:
    return hashlib.blake2b(repr(value).encode(errors="surrogatepass"), digest_size=12).hexdigest()


def _written(issue: Issue, scope: Scope) -> list[Any]:
    files = [[file.path, file.p, file.evidence] for file in scope.files]
    return [_key(issue), files, scope.new, scope.write, scope.hot, dict(scope.words), _ties(scope.ties)]


def _read(name: str, row: list[Any]) -> Scope:
    _, files, new, write, hot, words, ties = row
    kept = tuple(ScopeFile(path, p, tuple(evidence)) for path, p, evidence in files)
    made = tuple((pattern, p) for pattern, p in new)
    return Scope(name, kept, made, tuple(write), tuple(hot), words, _tied(ties))


_SETS = ("parents", "targets", "dependants", "cited", "labels", "named")
_PRECEDENTS = ("precedents", "alike")
_PLAIN = ("issue", "kind", "rarity", "wanted", "met", "age", "breadth", "usual")


def _ties(ties: Ties) -> list[Any]:
    sets = [sorted(getattr(ties, name)) for name in _SETS]
    found = [[[weight, sorted(files)] for weight, files in getattr(ties, name)] for name in _PRECEDENTS]
    return [sets, found, [getattr(ties, name) for name in _PLAIN]]


def _tied(row: list[Any]) -> Ties:
    sets, found, plain = row
    precedents = (tuple((weight, frozenset(files)) for weight, files in each) for each in found)
    kept = zip(_SETS, map(frozenset, sets), strict=True), zip(_PRECEDENTS, precedents, strict=True)
    fields: dict[str, Any] = {**dict(kept[0]), **dict(kept[1]), **dict(zip(_PLAIN, plain, strict=True))}
    return Ties(**fields)
