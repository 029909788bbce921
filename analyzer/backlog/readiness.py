"""Which issues can be started now, and what holds back the others: computed from the edges, never from stored flags.

The rules are those of `bd ready` (1.0.5), with two of our own: epics and other containers are never work, and an
issue that somebody is at is not offered again.

1. Its status is open; it is neither pinned, nor ephemeral, nor of a kind that is no work for an agent.
2. It is not deferred to a later time, and neither is a parent of it.
3. No `blocks` or `conditional-blocks` target is unfinished (deferred counts as unfinished, closed and pinned do not).
4. No `waits-for` target has an unfinished child; with the gate "any-children" one closed child is enough.
5. No unfinished ancestor is itself held back by 3 or 4. An open parent holds nothing back.

An id `X.N` without a parent of its own is a child of `X`. A target that the tracker does not have (dangling, or
`external:`) is named; whether it holds its issue back is a setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from analyzer.backlog.beads_fields import is_alias
from analyzer.backlog.issues import Bond, Dependency, Issue, Status, Trouble

CONTAINERS = frozenset({"epic", "convoy"})
"""Kinds that are done when their children are."""
NOT_WORK = frozenset({"merge-request", "gate", "molecule", "message", "agent", "role", "rig", "event"})
"""Kinds that no agent is given: gates are opened, messages read, events recorded."""

_BLOCKING = (Bond.BLOCKS, Bond.CONDITIONAL)
_CHILD = re.compile(r"(.+)\.\d+")


@dataclass(frozen=True)
class Rules:
    """The settings of readiness: the moment (seconds since 1970), who is being worked on, what unknown targets mean."""

    now: float
    busy: frozenset[str] = frozenset()
    unknown_blocks: bool = False
    aliases: bool = True
    """Read `blocked-by`, `parent` and their like as what their authors meant."""


@dataclass(frozen=True)
class Backlog:
    """All issues by id, with the edges resolved. Only unfinished issues have `blockers` and `missing`."""

    issues: Mapping[str, Issue]
    parents: Mapping[str, tuple[str, ...]]
    children: Mapping[str, tuple[str, ...]]
    blockers: Mapping[str, tuple[str, ...]]
    """Issue -> what it waits for by its own edges, unfinished all."""
    missing: Mapping[str, tuple[str, ...]]
    """Issue -> blocking targets that the tracker does not have."""
    problems: tuple[Trouble, ...] = ()

    def open_children(self, issue: str) -> tuple[str, ...]:
        """The unfinished direct children."""
        return self._open_children.get(issue, ())

    @cached_property
    def _open_children(self) -> dict[str, tuple[str, ...]]:
        """Only the parents that have some: asked once for every edge, of an epic with thousands of children too."""
        found = {
            parent: tuple(child for child in below if child in self.blockers) for parent, below in self.children.items()
        }
        return {parent: below for parent, below in found.items() if below}

    def family(self, issue: str) -> frozenset[str]:
        """The children of an issue, and theirs; the issue itself is not among them unless it is its own ancestor."""
        found: set[str] = set()
        waiting = [issue]
        while waiting:
            fresh = [child for child in self.children.get(waiting.pop(), ()) if child not in found]
            found.update(fresh)
            waiting += fresh
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an unfinished issue can be started: what it waits for, and what else holds it ("": nothing does)."""

    issue: str
    waits_for: tuple[str, ...] = ()
    through: Mapping[str, str] = field(default_factory=dict)
    """Blocker -> the parent that it holds back, for the blockers that are not the issue's own."""
    held: str = ""

    @property
    def ready(self) -> bool:
        """Nothing stands in the way."""
        return not self.held and not self.waits_for

    @property
    def why(self) -> str:
        """The reason in words, "" when it is ready."""
        own = [name for name in self.waits_for if name not in self.through]
        told = [self.held] if self.held else []
        told += [f"waits for {_listed(own)}"] if own else []
        for parent in dict.fromkeys(self.through.values()):
            brought = [name for name in self.waits_for if self.through.get(name) == parent]
            told.append(f"its parent {parent} waits for {_listed(brought)}")
        return "; ".join(told)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def is_container(issue: Issue) -> bool:
    """Whether the issue only holds others."""
    return issue.kind in CONTAINERS


def is_work(issue: Issue) -> bool:
    """Whether the issue is something that an agent could be given one day."""
    return not is_container(issue) and issue.kind not in NOT_WORK and not issue.ephemeral


def resolve(issues: Iterable[Issue], rules: Rules) -> Backlog:
    """The backlog of these issues; what is odd about their edges is in its `problems`."""
    known = {issue.id: issue for issue in sorted(issues, key=lambda issue: issue.id)}
    bonds = {issue.id: _bonds(issue, rules) for issue in known.values()}
    parents = {name: _parents(name, bonds[name], known) for name in known}
    children: dict[str, list[str]] = {}
    for name, above in parents.items():
        for parent in above:
            children.setdefault(parent, []).append(name)
    below = {parent: tuple(found) for parent, found in children.items()}
    unfinished = [name for name, issue in known.items() if issue.is_open]
    blockers = {name: _blockers(bonds[name], known, below) for name in unfinished}
    missing = {name: _missing(bonds[name], known) for name in unfinished}
    problems = (*_alias_problems(known.values(), rules), *_missing_problems(missing, known, rules))
    return Backlog(known, parents, below, blockers, missing, problems)


def standings(backlog: Backlog, rules: Rules) -> dict[str, Standing]:
    """The standing of every unfinished issue, containers and gates included."""
    inherited = _inherited(backlog)
    found: dict[str, Standing] = {}
    for name, own in backlog.blockers.items():
        through = {blocker: parent for blocker, parent in inherited.get(name, {}).items() if blocker not in own}
        found[name] = Standing(name, (*own, *through), through, _held(backlog, name, rules))
    return found


def differences(issues: Iterable[Issue], told: frozenset[str], now: float, where: str) -> tuple[Trouble, ...]:
    """Where `told`, the ids that the tracker itself calls ready, is not what its edges say by its own rules.

    Of the open work alone: trackers differ in whether they offer epics and what is in progress. `where` names the
    answer that was compared. The edges count: a stored flag has been wrong under parallel closes.
    """
    rules = Rules(now, aliases=False)
    backlog = resolve(issues, rules)
    found: list[Trouble] = []
    for name, standing in standings(backlog, rules).items():
        issue = backlog.issues[name]
        if issue.status is not Status.OPEN or not is_work(issue) or standing.ready == (name in told):
            continue
        if standing.ready:
            found.append(Trouble(where, f"{name} is not in it, though nothing holds it back", "it counts as ready"))
        else:
            found.append(
                Trouble(where, f"{name} is in it, though it is held back: {standing.why}", "it counts as held back")
            )
    strangers = sorted(told - backlog.issues.keys())
    if strangers:
        found.append(Trouble(where, f"{_listed(strangers)} is in it, but not in the export", "left out"))
    return tuple(found)


def _bonds(issue: Issue, rules: Rules) -> tuple[Dependency, ...]:
    if rules.aliases or not issue.dependencies:
        return issue.dependencies
    return tuple(dependency for dependency in issue.dependencies if not is_alias(dependency))


def _parents(name: str, bonds: tuple[Dependency, ...], known: Mapping[str, Issue]) -> tuple[str, ...]:
    given = tuple(bond.target for bond in bonds if bond.bond is Bond.PARENT and bond.target != name)
    if not given and (stem := _CHILD.fullmatch(name)):
        given = (stem[1],)
    return tuple(parent for parent in given if parent in known)


def _blockers(
    bonds: tuple[Dependency, ...], known: Mapping[str, Issue], below: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    found: list[str] = []
    for bond in bonds:
        if bond.bond in _BLOCKING and bond.target in known and known[bond.target].is_open:
            found.append(bond.target)
        elif bond.bond is Bond.WAITS_FOR:
            unfinished = [child for child in below.get(bond.target, ()) if known[child].is_open]
            if not (bond.any_child and len(unfinished) < len(below.get(bond.target, ()))):
                found += unfinished
    return tuple(dict.fromkeys(found))


def _missing(bonds: tuple[Dependency, ...], known: Mapping[str, Issue]) -> tuple[str, ...]:
    return tuple(
        bond.target for bond in bonds if bond.target not in known and bond.bond in (*_BLOCKING, Bond.WAITS_FOR)
    )


def _inherited(backlog: Backlog) -> dict[str, dict[str, str]]:
    """Issue -> blocker -> the ancestor that brought it."""
    found: dict[str, dict[str, str]] = {}
    for name, own in backlog.blockers.items():
        waiting = list(backlog.children.get(name, ())) if own else []
        while waiting:
            member = waiting.pop()
            brought = found.setdefault(member, {})
            if any(blocker not in brought for blocker in own):
                for blocker in own:
                    brought.setdefault(blocker, name)
                waiting += backlog.children.get(member, ())
            # Else another ancestor brought all of them, and to everything below as well.
    return found


def _held(backlog: Backlog, name: str, rules: Rules) -> str:
    """What holds the issue apart from other issues; the most telling reason only."""
    return next(_holds(backlog, backlog.issues[name], rules), "")


def _holds(backlog: Backlog, issue: Issue, rules: Rules) -> Iterator[str]:
    if is_container(issue):
        yield f"an {issue.kind}: its children are the work" if issue.kind == "epic" else f"a {issue.kind}, not work"
    if issue.kind in NOT_WORK:
        yield f"a {issue.kind}, not work for an agent"
    if issue.ephemeral:
        yield "ephemeral, not work for an agent"
    if issue.id in rules.busy:
        yield "being worked on now"
    if issue.status in (Status.IN_PROGRESS, Status.HOOKED):
        yield "in progress" + (f", by {issue.assignee}" if issue.assignee else "")
    if issue.status in (Status.BLOCKED, Status.DEFERRED):
        yield f"its status is {issue.status.value}"
    yield from _delays(backlog, issue, rules)


def _delays(backlog: Backlog, issue: Issue, rules: Rules) -> Iterator[str]:
    if _is_later(issue, rules.now):
        yield f"deferred until {_date(issue)}"
    for parent in backlog.parents[issue.id]:
        if _is_later(backlog.issues[parent], rules.now):
            yield f"its parent {parent} is deferred until {_date(backlog.issues[parent])}"
    if rules.unknown_blocks and backlog.missing[issue.id]:
        yield f"waits for {', '.join(backlog.missing[issue.id])}, unknown here"


def _is_later(issue: Issue, now: float) -> bool:
    return issue.is_open and issue.defer_until is not None and issue.defer_until > now


def _date(issue: Issue) -> str:
    return datetime.fromtimestamp(issue.defer_until or 0, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _alias_problems(issues: Iterable[Issue], rules: Rules) -> Iterator[Trouble]:
    """One Trouble per foreign word, at its first place."""
    first: dict[str, tuple[Issue, Dependency, int]] = {}
    for issue in issues:
        for bond in issue.dependencies:
            if is_alias(bond):
                found = first.get(bond.kind, (issue, bond, 0))
                first[bond.kind] = (found[0], found[1], found[2] + 1)
    for kind, (issue, bond, count) in first.items():
        did = f"read as {bond.bond.value!r}" if rules.aliases else "read as 'related', which holds nothing back"
        edges = "one edge" if count == 1 else f"{count} edges, the first here"
        yield Trouble(issue.where, f"dependency type {kind!r} is not one of bd's ({edges})", did)


def _missing_problems(
    missing: Mapping[str, tuple[str, ...]], known: Mapping[str, Issue], rules: Rules
) -> Iterator[Trouble]:
    for name, targets in missing.items():
        for target in targets:
            what = f"{name} waits for {target}, which " + (
                "lies outside" if target.startswith("external:") else "is not in the tracker"
            )
            yield Trouble(
                known[name].where, what, "it holds the issue back" if rules.unknown_blocks else "it holds nothing back"
            )
