"""task …: for agents that take their work themselves, and for whoever wants to know how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from coordinator.bootstrap import Project
from coordinator.entrypoints.terminal import TERMINAL
from coordinator.running.publishing import layers as layer_table
from coordinator.running.publishing import line_json, publish, survey
from coordinator.running.resolving import say
from coordinator.tasks import progress
from coordinator.tasks.overview import UNDER_WAY, Line, Phase, available
from coordinator.tasks.resolutions import Kind, Resolution
from coordinator.wherein import here
from resources.state.store import Transaction
from resources.system.clock import iso
from resources.system.errors import Failure, NotNow

task = typer.Typer(help="Issues as agents report them, without waiting for merges.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(task, name="task")


@task.command("available")
def available_(agent: str = typer.Option("", help="Only what is assigned to this agent, or to nobody.")) -> int:
    """What can be started now, the first layer and the most urgent first."""
    project = TERMINAL.open()
    assigned = {issue.id: issue.assignee for issue in project.facts().issues}
    found = available(survey(project), agent, assigned)
    text = "\n".join(f"{line.issue}  P{line.priority}  {line.layer}  {line.title}{_failed(line)}" for line in found)
    value = {"tasks": [{"issue": line.issue, **line_json(line)} for line in found]}
    TERMINAL.answer(value, text or "nothing can be started now: agent-coord task progress tells what is waited for")
    return 0


def _failed(line: Line) -> str:
    return f"  (failed before: {line.why})" if line.phase is Phase.FAILED else ""


@task.command()
def start(issue: str = typer.Argument(..., metavar="ID")) -> int:
    """Claim an issue for yourself and begin. Inside a slot: say that you have begun."""
    project = TERMINAL.open()
    line, agent = _line(project, issue), here().agent
    if line.phase in (Phase.WAITING, Phase.COMPLETED, Phase.DONE):
        why = line.why or (f"{line.agent} has finished it" if line.agent else "it is closed")
        raise NotNow("not-available", f"{issue} is {line.phase}", why=why, mend="agent-coord task available")
    if line.phase in UNDER_WAY and line.agent not in ("", agent):
        raise NotNow("held", f"{issue} is being worked on by {line.agent}", mend="agent-coord task available")
    _change(project, lambda tx: progress.start(tx, issue, agent))
    if not here().slot:
        project.mirror(lambda tracker: tracker.claim(issue, agent))
    return _told(project, issue, f"{issue} is yours, {agent}: {line.title}")


@task.command()
def complete(
    issue: str = typer.Argument(..., metavar="ID"),
    pr: int = typer.Option(0, min=0, help="The pull request that brings it."),
) -> int:
    """Say that it is finished; what waits for it may start at once, merged or not."""
    project = TERMINAL.open()
    _line(project, issue)
    before = {line.issue for line in available(survey(project))}
    _change(project, lambda tx: progress.complete(tx, issue, here().agent, pr))
    freed = [line.issue for line in available(survey(project)) if line.issue not in before]
    return _told(project, issue, f"{issue} is completed" + (f"; now free: {', '.join(freed)}" if freed else ""))


@task.command()
def fail(issue: str = typer.Argument(..., metavar="ID"), why: str = typer.Option(..., help="For the next one.")) -> int:
    """Give an issue back with the reason."""
    project = TERMINAL.open()
    _line(project, issue)
    _change(project, lambda tx: progress.fail(tx, issue, here().agent, why))
    if not here().slot:
        project.mirror(lambda tracker: tracker.unclaim(issue))
    return _told(project, issue, f"{issue} is given back: {why}")


@task.command()
def resolve(
    issue: str = typer.Argument(..., metavar="ID"),
    kind: Kind = typer.Option(..., "--as", help="Why it needs no change."),
    why: str = typer.Option(..., help="What you looked at and what you found; the issue is closed with it."),
    commit: str = typer.Option("", metavar="SHA", help="already-done: the commit on the base branch that has done it."),
) -> int:
    """Inside a slot, instead of committing: say that the issue needs no change, then end."""
    project = TERMINAL.open()
    closes = say(project, here(), issue, Resolution(kind, why.strip(), commit))
    value = {"issue": issue, "as": kind.value, "reason": closes}
    TERMINAL.answer(value, f"taken down; end now, with the worktree as it is. {issue}: {closes}")
    return 0


@task.command()
def layers() -> int:
    """How far each layer is. Layers order what is available; only dependencies hold back."""
    project = TERMINAL.open()
    lines = survey(project)
    table = layer_table(lines)
    rows = []
    for row in table:
        members = [line for line in lines if line.layer == row["name"]]
        rows.append(f"{row['name']}  {row['done']}/{row['total']}")
        rows += [f"  {_mark(line)} {line.issue}  {line.title}" for line in members]
    TERMINAL.answer({"layers": table}, "\n".join(rows) or "the tracker has no work")
    return 0


@task.command("progress")
def progress_() -> int:
    """Where every issue stands, stuck ones named; writes .progress.json anew."""
    project = TERMINAL.open()
    file = publish(project)
    lines = survey(project)
    TERMINAL.answer(
        {"file": str(file), "layers": layer_table(lines), "tasks": {line.issue: line_json(line) for line in lines}},
        "\n".join(_sentence(line) for line in lines if line.phase is not Phase.DONE) or "everything is done",
    )
    return 0


def _line(project: Project, issue: str) -> Line:
    found = next((line for line in survey(project) if line.issue == issue), None)
    if found is None:
        raise Failure("no-such-issue", f"{issue} is no work of this tracker", mend="agent-coord task available")
    return found


def _change(project: Project, change: Callable[[Transaction], Any]) -> None:
    with project.ledger.write() as tx:
        change(tx)


def _told(project: Project, issue: str, text: str) -> int:
    publish(project)
    TERMINAL.answer({"issue": issue, **line_json(_line(project, issue))}, text)
    return 0


_MARKS = {Phase.DONE: "x", Phase.COMPLETED: "+", Phase.STARTED: "~", Phase.STUCK: "?", Phase.FAILED: "!"}


def _mark(line: Line) -> str:
    return f"[{_MARKS.get(line.phase, ' ')}]"


def _sentence(line: Line) -> str:
    who = f" by {line.agent}" if line.agent else ""
    since = f" since {iso(line.since)}" if line.since else ""
    request = f", pull request {line.pr}" if line.pr else ""
    why = f": {line.why}" if line.why else ""
    return f"{_mark(line)} {line.issue}  {line.phase}{who}{since}{request}{why}"
