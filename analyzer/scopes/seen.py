"""What unlanded work has changed already outweighs what was guessed of it. Pure.

Work under way tells where it goes before it lands: the paths that it has changed, committed or not, are nearly certain,
and when it is finished they are all there is. So a file that nobody foresaw keeps others away as soon as it is seen,
and a file that was foreseen and left alone keeps nobody away any longer.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from analyzer.globs import escape
from analyzer.scopes.scope import ALWAYS_HOT, Scope, ScopeFile

SEEN_P = 0.95
"""Of a path that unfinished work has changed: it may still be taken back."""
WHY = "changed by its unlanded work"


@dataclass(frozen=True)
class Seen:
    """The paths that the unlanded work on an issue changes; `finished` when nothing more is to come."""

    paths: frozenset[str]
    finished: bool = False


def outweighed(scopes: Mapping[str, Scope], seen: Mapping[str, Seen], tree: Container[str]) -> dict[str, Scope]:
    """The scopes, corrected where the work itself was seen. `tree` are the paths that exist now."""
    hot = frozenset(path for scope in scopes.values() for path in scope.hot)
    return {
        name: _outweighed(scope, seen[name], tree, hot) if name in seen else scope for name, scope in scopes.items()
    }


def _outweighed(scope: Scope, seen: Seen, tree: Container[str], hot: frozenset[str]) -> Scope:
    sure = 1.0 if seen.finished else SEEN_P
    old = {file.path: file for file in scope.files}
    touched = [ScopeFile(path, sure, (WHY, *_reasons(old.get(path)))) for path in sorted(seen.paths) if path in tree]
    made = [(escape(path), sure) for path in sorted(seen.paths) if path not in tree]
    new, write = dict(made), {escape(path) for path in seen.paths}
    if not seen.finished:
        touched += [file for path, file in old.items() if path not in seen.paths]
        new = {pattern: p for pattern, p in scope.new if pattern not in new} | new
        write |= set(scope.write)
    return replace(
        scope,
        files=tuple(sorted(touched, key=lambda file: (-file.p, file.path))),
        new=tuple(sorted(new.items(), key=lambda pair: (-pair[1], pair[0]))),
        write=tuple(sorted(write)),
        hot=tuple(file.path for file in touched if file.path in hot or ALWAYS_HOT.fullmatch(file.path.split("/")[-1])),
    )


def _reasons(file: ScopeFile | None) -> tuple[str, ...]:
    return file.evidence if file else ()
