"""A tracker, written as `layered-tasks.md` (the form is told in `layered`).

Every issue that is work becomes a task in the layer of its depth: layer 1 waits for nothing, each other one only for
those above. A layer that the issue came from (`metadata.layer`) keeps its name. The file has no epics: what an epic
waits for is written at its issues, and waiting for an epic as waiting for its issues. What is no work and yet
unfinished and waited for (a gate, an epic without children left) stands there as blocked. So both say the same of
what is ready. Reading the file gives back id, title, agent, status, description, layer and edges; priorities, labels
and times stay in the tracker.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from analyzer.backlog.issues import Bond, Dependency, Issue, Status
from analyzer.backlog.layered import BARE, FIELD, MARKS, trimmed
from analyzer.backlog.readiness import Backlog, is_container, is_work
from analyzer.showing.layout import clean
from resources.system.errors import Failure

Waits = dict[str, tuple[str, ...]]
_MARK = {status: mark for mark, status in MARKS.items()} | {Status.HOOKED: "~"}
_LEGEND = "Boxes: `[ ]` open, `[~]` in progress, `[!]` blocked, `[>]` deferred, `[x]` done."


def write_layered(backlog: Backlog, chosen: Collection[str] | None = None) -> str:
    """The text of the file, for the chosen issues or for all. Raises Failure("bad-id") for an id it cannot hold."""
    issues = [
        issue
        for issue in backlog.issues.values()
        if is_work(issue) and issue.status is not Status.PINNED and (chosen is None or issue.id in chosen)
    ]
    waits = _waits(backlog, issues)
    named = {target for before in waits.values() for target in before}
    gates = [issue for name, issue in backlog.issues.items() if name in named and issue.is_open and not is_work(issue)]
    issues += [replace(gate, status=Status.BLOCKED) for gate in gates]
    waits |= {gate.id: () for gate in gates}
    blocks: dict[str, list[str]] = {}
    for name, before in waits.items():
        for other in before:
            blocks.setdefault(other, []).append(name)
    parts = ["# Layered tasks", _LEGEND]
    for heading, tasks in _layers(issues, waits):
        parts.append(f"## {heading}")
        parts += ["\n".join(_task(task, waits[task.id], blocks.get(task.id, ()))) for task in tasks]
    return "\n\n".join(parts) + "\n"


def layers_of(backlog: Backlog) -> list[tuple[str, list[Issue]]]:
    """Every issue that is work, finished ones too, by layer: (heading, its issues), the shallowest first."""
    issues = [issue for issue in backlog.issues.values() if is_work(issue) and issue.status is not Status.PINNED]
    return list(_layers(issues, _waits(backlog, issues)))


def _task(issue: Issue, waits: Sequence[str], blocks: Sequence[str]) -> Iterator[str]:
    agent = re.sub(r"\s+", "-", clean(issue.assignee).strip())
    title = clean(issue.title).strip()
    title = "\\" + title if title.startswith("\\" if agent else ("\\", "@")) else title
    yield f"- [{_MARK[issue.status]}] {_name(issue.id)} {f'@{agent} ' if agent else ''}{title}".rstrip()
    if waits:
        yield f"  Dependencies: {', '.join(map(_name, waits))}"
    if blocks:
        yield f"  Blocks: {', '.join(map(_name, blocks))}"
    for line in trimmed(issue.description.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
        yield f"  {_escaped(line.rstrip())}".rstrip()


def _name(issue: str) -> str:
    if "`" in issue or clean(issue) != issue:
        raise Failure("bad-id", f"{clean(issue)!r} is no id that a text could hold", mend="rename it in the tracker")
    return issue if BARE.fullmatch(issue) else f"`{issue}`"


def _escaped(line: str) -> str:
    """A line of a description that would read as something else, with a backslash before it."""
    start = len(line) - len(line.lstrip())
    rest = line[start:]
    return f"{line[:start]}\\{rest}" if rest.startswith("\\") or FIELD.fullmatch(rest) else line


def _waits(backlog: Backlog, issues: Iterable[Issue]) -> Waits:
    """Issue -> what it waits for: by its own edges, and by those of the unfinished epics above it."""
    found: dict[str, dict[str, None]] = {issue.id: {} for issue in issues}
    for issue in backlog.issues.values():
        before = [target for edge in issue.dependencies for target in _targets(backlog, edge)]
        heirs = backlog.family(issue.id) if before and issue.is_open else ()
        for name in (issue.id, *sorted(heirs)):
            if name in found:
                found[name].update(dict.fromkeys(target for target in before if target != name))
    return {name: tuple(sorted(targets)) for name, targets in found.items()}


def _targets(backlog: Backlog, edge: Dependency) -> Iterable[str]:
    if edge.bond is Bond.WAITS_FOR:
        return () if edge.any_child else backlog.children.get(edge.target, ())
    if edge.bond not in (Bond.BLOCKS, Bond.CONDITIONAL):
        return ()
    target = backlog.issues.get(edge.target)
    if target is None or not is_container(target):
        return (edge.target,)
    works = [name for name in sorted(backlog.family(edge.target)) if is_work(backlog.issues[name])]
    return works if backlog.open_children(edge.target) or not target.is_open else [*works, edge.target]


def _layers(issues: Sequence[Issue], waits: Waits) -> Iterable[tuple[str, list[Issue]]]:
    """(Heading, its issues), the shallowest first."""
    depth = depths(waits)
    last = max(depth.values(), default=-1) + 1  # what waits for a circle comes after everything else
    found: dict[str, tuple[int, list[Issue]]] = {}
    for issue in sorted(issues, key=lambda issue: depth.get(issue.id, last)):
        level = depth.get(issue.id, last)
        given = issue.metadata.get("layer")
        named = clean(given).strip(" #") if isinstance(given, str) else ""
        heading = named if named.lower().startswith("layer") else f"Layer {level + 1}"
        found.setdefault(heading, (level, []))[1].append(issue)
    return [(heading, tasks) for heading, (_, tasks) in found.items()]


def depths(waits: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many others must be done one after another before each; what waits for a circle has no depth."""
    left = Counter({name: sum(other in waits for other in set(before)) for name, before in waits.items()})
    after: dict[str, list[str]] = {}
    for name, before in waits.items():
        for other in set(before) & waits.keys():
            after.setdefault(other, []).append(name)
    level = [name for name in waits if not left[name]]
    found: dict[str, int] = {}
    for number in range(len(waits)):
        if not level:
            break
        found.update(dict.fromkeys(level, number))
        for name in level:
            left.subtract(after.get(name, ()))
        level = [name for name in dict.fromkeys(n for done in level for n in after.get(done, ())) if not left[name]]
    return found
