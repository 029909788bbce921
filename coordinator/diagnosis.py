"""`doctor`: is everything there that the work needs, and is the project's own state sound?

Every finding says what was looked at and, when it is bad, the command that mends it. `fix` repairs what
needs no decision: crashed tasks, half-made slots, leaks. Tasks are left to a coordinator that runs.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coordinator.bootstrap import Project, open_project
from coordinator.guard.walls import offered
from coordinator.running import serve
from coordinator.running.byhand import free_closed
from coordinator.running.recovery import recover
from resources.databases.databases import Databases
from resources.leaks.sweep import sweep
from resources.monitor.watched import watch
from resources.system.errors import Failure
from resources.system.git import MINIMUM, version
from resources.worktrees.surroundings import remarks


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `level` is "ok", "note" (works without it) or "bad"."""

    level: str
    what: str
    mend: str = ""


def diagnose(start: Path, config: Path | None, *, fix: bool) -> list[Finding]:
    """Look at the machine and at the project around `start`; with `fix` repair what can be repaired."""
    findings = [*_machine()]
    try:
        project = open_project(start, config)
    except Failure as failure:
        return [*findings, Finding("bad", failure.what, failure.mend)]
    try:
        findings += _project(project)
        findings += _leftovers(project, fix)
    finally:
        project.close()
    return findings


def _machine() -> Iterator[Finding]:
    found = version()
    name = ".".join(str(part) for part in found)
    if found[:2] < MINIMUM:
        yield Finding("bad", f"git {name} is too old", f"install git {MINIMUM[0]}.{MINIMUM[1]} or newer")
    else:
        yield Finding("ok", f"git {name}")
    yield Finding("ok", f"Python {sys.version.split()[0]} at {sys.executable}")
    yield from _packages()
    yield from _walls()
    if shutil.which("bd"):
        yield Finding("ok", "bd is on PATH")
    else:
        yield Finding("note", "bd is not on PATH: the tracker's JSONL file is read and written directly")


def _walls() -> Iterator[Finding]:
    offer = offered()
    if offer.kinds:
        yield Finding("ok", f"walls around agents that work here: {', '.join(offer.kinds)} ([scope] wall)")
    for kind, why in offer.missing.items():
        yield Finding("note", f"no wall {kind}: {why}")


def _packages() -> Iterator[Finding]:
    # Another distribution with a package of one of our names would silently replace it.
    import analyzer
    import coordinator
    import resources

    homes = {Path(str(package.__file__)).parent.parent for package in (analyzer, coordinator, resources)}
    if len(homes) > 1:
        yield Finding(
            "bad", "analyzer, coordinator and resources come from different places", "uv tool install agent-coord"
        )


def _project(project: Project) -> Iterator[Finding]:
    yield Finding("ok", f"{project.repository.root}: work lands on {project.base}")
    databases = project.databases
    if databases is None:
        yield Finding("note", 'slots have no databases ([database] provider = "none")')
    else:
        yield from _databases(databases)
    pool_folder = project.repository.root / project.config.pool.folder
    yield from (Finding("note", one.what, one.mend) for one in remarks(project.repository, pool_folder))
    yield from _agents(project)
    if not project.config.gate.checks:
        yield Finding(
            "note",
            "no checks are configured: everything that merges cleanly lands",
            f"add [[gate.checks]] to {project.config.file}",
        )
    try:
        facts = project.facts()
        yield Finding("ok", f"{len(facts.issues)} issues in {facts.source.path}")
        yield from (Finding("note", f"{one.where}: {one.what}; {one.did}") for one in facts.problems[:5])
    except Failure as failure:
        yield Finding("bad", failure.what, failure.mend)


def _databases(databases: Databases) -> Iterator[Finding]:
    why = databases.probe()
    if why:
        yield Finding("bad", why, 'pip install "agent-coord[embedded]"')
        return
    yield Finding("ok", "Postgres can be had")
    try:
        doors = databases.open_doors()
    except Failure as failure:
        yield Finding("bad", f"{failure.what}: {failure.why}".rstrip(": "), failure.mend)
        return
    for door in doors:
        yield Finding(
            "note",
            f"slots' roles can connect to the database {door.database}: PUBLIC may",
            f"as its owner or a superuser: {door.statement}",
        )


def _agents(project: Project) -> Iterator[Finding]:
    name = project.config.agents.default
    try:
        program = project.config.program(name)
    except Failure as failure:
        yield Finding("bad", failure.what, failure.mend)
        return
    if program.argv and shutil.which(program.argv[0]) is None:
        yield Finding(
            "bad",
            f"the agent program {program.argv[0]} is not on PATH",
            f"install it, or set [agents] default in {project.config.file}",
        )
    else:
        yield Finding("ok", f"agents run {name}")


def _leftovers(project: Project, fix: bool) -> Iterator[Finding]:
    if serve.running_coordinator(project) is not None:
        yield Finding("ok", "a coordinator is at work")
        if not fix:
            return
        # Other commands die as well; what they left is told from what the coordinator does by locks, owners and fences.
        yield from (Finding("ok", f"repaired: {line}") for line in project.pool.repair())
    elif fix:
        with serve.only_coordinator(project):
            yield from (Finding("ok", f"repaired: {line}") for line in recover(project))
            # Without a tracker, which was told above, nothing can have been closed in it.
            with suppress(Failure):
                done = free_closed(project, {issue.id: issue for issue in project.facts().issues})
                yield from (Finding("ok", f"repaired: {line}") for line in done)
    with watch(project.repository, wake=True) as watched:
        report = sweep(watched, act=fix, now=fix)
    if not report.complete:
        yield Finding("bad", f"leaks could not be counted: {report.why}", "agent-coord doctor, when that is mended")
    elif report.left:
        names = ", ".join(f"{leak.kind} {leak.name}" for leak in report.left[:5])
        yield Finding("bad", f"{len(report.left)} leaks: {names}", "agent-coord doctor --fix")
    else:
        yield Finding("ok", "no leaks")
