"""init, status, monitor, logs, report, doctor, cleanup, demo: the project as a whole."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import typer

from coordinator.bootstrap import Project
from coordinator.closing import close_down
from coordinator.diagnosis import diagnose
from coordinator.entrypoints.log_view import LogView
from coordinator.entrypoints.status import print_status
from coordinator.entrypoints.terminal import TERMINAL, declared_checks
from coordinator.leaving import Left, leave, would_leave
from coordinator.reports.bars import plural
from coordinator.reports.collecting import collect
from coordinator.reports.run_page import run_page
from coordinator.reports.timeline import timeline_svg, timeline_text
from resources.system.errors import Failure
from resources.system.files import replace_file
from resources.worktrees.surroundings import remarks


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (init, status, monitor, logs, report, doctor, cleanup, demo):
        app.command()(command)


def init(slots: int = typer.Option(0, help="Slots to make now (default: [pool] size).")) -> int:
    """Make the ledger, the configuration and the pool. Safe to repeat."""
    project = TERMINAL.init()
    wanted = slots or project.config.pool.size
    for line in project.pool.repair():
        TERMINAL.say(line)
    for remark in remarks(project.repository, project.repository.root / project.config.pool.folder):
        TERMINAL.say(f"note: {remark.what}" + (f" ({remark.mend})" if remark.mend else ""))
    missing = wanted - len(project.pool.slots())
    made = project.pool.grow(missing) if missing > 0 else []
    names = [slot.name for slot in project.pool.slots()]
    places = "all agents work in it" if project.config.shared else f"{len(names)} slots ({len(made)} new)"
    lines = [
        f"{project.repository.root} is ready: {places}, work lands on {project.base}",
        f"configuration: {project.config.file}",
        f"the gate: {_gate(project)}",
        "next: track-analyzer recommend, then agent-coord spawn 4 independent",
    ]
    value = {
        "repo": str(project.repository.root),
        "base": project.base,
        "slots": names,
        "made": [slot.name for slot in made],
    }
    TERMINAL.answer(value | {"config": str(project.config.file)}, "\n".join(lines))
    return 0


def _gate(project: Project) -> str:
    """What a change must pass, in words."""
    gate = project.config.gate
    names = [check.name for check in gate.checks if check.name not in gate.disabled]
    names += ["review"] if gate.review.run else []
    told = ", ".join(names) or "no checks yet: every commit would land; add [[gate.checks]] to the configuration"
    return told + (f" (switched off: {', '.join(gate.disabled)})" if gate.disabled else "")


def status() -> int:
    """What is going on, once."""
    return print_status(str(TERMINAL.repo), wants_json=TERMINAL.json)


def monitor(
    interval: float = typer.Option(1.0, help="Seconds between looks."),
    until_idle: bool = typer.Option(False, "--until-idle", help="End when no coordinator works any more."),
) -> int:
    """What is going on, live. On a terminal a refreshing view, else a line for each change (with --json an object)."""
    from coordinator.entrypoints.live import follow

    colour, as_json = TERMINAL.colour, TERMINAL.json
    return follow(TERMINAL.open(), interval=interval, until_idle=until_idle, colour=colour, as_json=as_json)


def logs(
    issue: str = typer.Argument("", metavar="[ISSUE]", help="An issue's agents (default: the coordinator)."),
    follow: bool = typer.Option(False, "--follow", help="Go on printing what is added."),
    no_truncate: bool = typer.Option(False, "--no-truncate", help="Whole lines."),
) -> int:
    """What agents, or the coordinator, have printed; the raw stream of an attempt is its file under logs/."""
    project = TERMINAL.open()
    view = LogView(project.logs, issue, no_truncate, TERMINAL.colour and sys.stdout.isatty())
    if not view.files():
        raise Failure("no-log", f"there is no log of {issue or 'the coordinator'} yet", why=str(project.logs))
    _print(view.news(last=not follow))
    while follow:
        time.sleep(0.3)
        _print(view.news())
    return 0


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def report(
    svg: Path | None = typer.Option(None, help="Write the timeline as an SVG picture."),
    html: Path | None = typer.Option(None, help="Write timeline, success criteria and bounces as one HTML file."),
) -> int:
    """The timeline: which agent worked on what, when, in which slot, and what landed; and the success criteria."""
    project = TERMINAL.open()
    found = collect(project)
    timeline = found.timeline
    if svg is not None:
        replace_file(svg.absolute(), timeline_svg(timeline, base=project.base))
        TERMINAL.say(f"written: {svg}")
    if html is not None:
        replace_file(html.absolute(), run_page(timeline, found.told))
        TERMINAL.say(f"written: {html}")
    weeks = {name: week.as_json() for name, week in found.told.weeks.items()}
    runs = timeline.runs()
    text = timeline_text(runs[-1] if runs else timeline, base=project.base, width=max(60, TERMINAL.width))
    earlier = f"\n{len(runs) - 1} earlier {plural('run', len(runs) - 1)}: agent-coord report --html FILE"
    text = "\n".join([text + (earlier if len(runs) > 1 else ""), *found.told.advice])
    criteria = {"weeks": weeks, "overlapping_reservations": found.told.overlaps, "advice": list(found.told.advice)}
    TERMINAL.answer(timeline.to_json() | {"criteria": criteria}, text)
    return 0


def doctor(fix: bool = typer.Option(False, "--fix", help="Repair what can be repaired.")) -> int:
    """Check git, Postgres, bd, agents, disk and the project's own state."""
    findings = diagnose(TERMINAL.repo, TERMINAL.config, fix=fix)
    bad = [one for one in findings if one.level == "bad"]
    lines = [f"{one.level:5} {one.what}" + (f"\n      mend: {one.mend}" if one.mend else "") for one in findings]
    lines += ["", _verdict(len(bad), fix)]
    value = {"findings": [{"level": one.level, "what": one.what, "mend": one.mend} for one in findings]}
    TERMINAL.answer(value, "\n".join(lines))
    return 1 if bad else 0


def _verdict(bad: int, fixed: bool) -> str:
    """What follows from the findings, in one line."""
    if not bad:
        return "nothing has to be mended"
    if fixed:
        return f"{bad} {plural('thing', bad)} to mend by hand, as said above; then: agent-coord doctor"
    return f"{bad} {plural('thing', bad)} to mend, as said above; what needs no decision: agent-coord doctor --fix"


def cleanup(
    yes: bool = typer.Option(False, "--yes", help="Do it; without it, only show what would be done."),
    all_: bool = typer.Option(False, "--all", help="Take all that is ours out of the repository as well."),
) -> int:
    """Give everything back: agents stopped, unlanded work saved under refs, slots, databases and the server removed."""
    project = TERMINAL.open()
    if not yes:
        would = close_down(project, act=False) + (would_leave(project) if all_ else [])
        lines = [*(f"would: {line}" for line in would), f"to do it: agent-coord cleanup{' --all' * all_} --yes"]
        TERMINAL.answer({"done": [], "would": would}, "\n".join(lines if would else ["nothing to give back"]))
        return 0
    left = leave(project, declared_checks) if all_ else Left(tuple(close_down(project, act=True)), ())
    value = {"done": list(left.done), "would": []} | ({"kept": list(left.kept)} if all_ else {})
    lines = [*left.done, *(f"kept: {line}" for line in left.kept)]
    TERMINAL.answer(value, "\n".join(lines or ["nothing to give back"]))
    return 0


def demo(
    agents: int = typer.Option(4, help="Agents at once."),
    keep: bool = typer.Option(False, "--keep", help="Keep the sample repository to look around in."),
    folder: Path | None = typer.Option(None, help="Where to make it (default: a temporary folder)."),
) -> int:
    """Run the whole story on a sample repository: plan, spawn, watch, land, clean up."""
    from coordinator.demo.demo import run_demo

    return run_demo(agents, keep, folder, sys.stdout)
