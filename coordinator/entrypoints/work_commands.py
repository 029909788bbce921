"""spawn, run, assign, release: agents are given issues, and give them back."""

from __future__ import annotations

import time
from typing import Any

import typer

from analyzer.planning.proposal import Plan, Request
from coordinator.bootstrap import Project
from coordinator.entrypoints.terminal import TERMINAL
from coordinator.merging import queue
from coordinator.running import serve as driver
from coordinator.running.byhand import assign_by_hand, release_by_hand
from coordinator.running.planning import plan_once
from coordinator.running.wishes import Filter, parse_filter, wishes
from coordinator.tasks import claims
from coordinator.tasks.claims import ACTIVE, RUN, Task, Wish
from resources.monitor.sample import current_levels
from resources.system.clock import wall
from resources.system.errors import Misuse, NotNow

START_WAIT = 30.0
"""Seconds that `spawn` waits for its agents to be started, so that it can say where they work."""


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(spawn)
    app.command()(run)
    app.command(hidden=True)(serve)
    app.command()(assign)
    app.command()(release)


def _plan(project: Project, wanted: Filter, seats: int) -> Plan:
    with project.ledger.read() as snapshot:
        busy = tuple(task.issue for task in claims.all_tasks(snapshot) if task.state in ACTIVE)
    request = Request(slots=seats, only=wanted.only, epic=wanted.epic, busy=busy, now=wall())
    return plan_once(project, request)


def _check_program(project: Project, agent: str) -> str:
    program = agent or project.config.agents.default
    project.config.program(program)
    return program


def spawn(
    count: int = typer.Argument(..., metavar="N", help="How many agents may work at once."),
    filter_: str = typer.Argument("independent", metavar="FILTER", help="independent, all, epic:ID or only:ID,ID"),
    agent: str = typer.Option("", help="The agent program (default: [agents] default)."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Show what would be started; start nothing."),
) -> int:
    """Start N agents in the background on what can run side by side; the rest is queued with the reason."""
    if count < 1:
        raise Misuse("bad-count", f"{count} agents cannot be started", mend="agent-coord spawn 4 independent")
    wanted = parse_filter(filter_)
    project = TERMINAL.open()
    program = _check_program(project, agent)
    plan = _plan(project, wanted, count)
    found = wishes(plan, wanted, program)
    if dry_run:
        _answer_plan(plan, found)
        return 0
    seats = _seats(project, count)
    with project.ledger.write() as tx:
        new = claims.enlist(tx, found, again=True)
    driver.set_seats(project, seats)
    if not new and not found:
        TERMINAL.answer({"started": [], "queued": []}, "nothing to do: no issue matches that could be worked on")
        return 0
    driver.ensure_running(project)
    _wait_for_start(project, new, seats)
    return _answer_started(project, plan)


def _seats(project: Project, count: int) -> int:
    most = project.config.pool.maximum
    running = driver.get_seats(project) if driver.running_coordinator(project) else 0
    if running >= most:
        raise NotNow(
            "pool-at-maximum", f"{running} agents are at work already; the pool's maximum is {most}",
            mend="wait, or raise [pool] maximum",
        )  # fmt: skip
    if running + count > most:
        TERMINAL.say(f"{running + count} agents were asked for; the pool's maximum is {most}: the rest is queued")
    return min(most, running + count)


def _wait_for_start(project: Project, new: list[str], seats: int) -> None:
    deadline = time.monotonic() + START_WAIT
    wanted = min(len(new), seats)
    while time.monotonic() < deadline:
        with project.ledger.read() as snapshot:
            tasks = {task.issue: task for task in claims.all_tasks(snapshot)}
        begun = sum(tasks[issue].attempt > 0 for issue in new if issue in tasks)
        decided = all(tasks[issue].attempt or tasks[issue].why != Wish.why for issue in new if issue in tasks)
        if begun >= wanted or decided or (driver.running_coordinator(project) is None and begun):
            return
        time.sleep(0.1)


def _answer_started(project: Project, plan: Plan) -> int:
    with project.ledger.read() as snapshot:
        tasks = claims.all_tasks(snapshot)
    started = [
        {"issue": task.issue, "slot": task.slot, "agent": task.agent, "track": task.track, "attempt": task.attempt}
        for task in tasks
        if task.state in ACTIVE
    ]
    queued = [
        {"issue": task.issue, "track": task.track, "why": task.why} for task in tasks if task.state in claims.PENDING
    ]
    blocked = [{"id": one.id, "waits_for": list(one.waits_for), "why": one.why} for one in plan.blocked]
    lines = [f"{one['agent']} has {one['issue']} in {one['slot']}" for one in started]
    lines += [f"queued: {one['issue']}  {one['why']}" for one in queued]
    TERMINAL.answer(
        {"started": started, "queued": queued, "blocked": blocked}, "\n".join(lines) or "nothing was started"
    )
    levels = [reading for reading in current_levels(project.repository) if reading.level == "critical"]
    if levels and not started:
        raise NotNow(
            "over-limit",
            f"{levels[0].resource} is over its critical limit: everything is queued",
            mend="resource-monitor check",
        )
    return 0


def _answer_plan(plan: Plan, found: list[Wish]) -> None:
    assignments = [{"slot": one.slot, "track": one.track, "why": one.why} for one in plan.assignments]
    queued = [{"track": one.track, "why": one.why} for one in plan.queued]
    tracks = {track.id: list(track.issues) for track in plan.tracks}
    lines = ["would start:"] + [
        f"  {one['slot']}  {one['track']}  {', '.join(tracks[one['track']])}  ({one['why']})" for one in assignments
    ]
    lines += ["would queue:"] + [
        f"  {one['track']}  {', '.join(tracks[one['track']])}  ({one['why']})" for one in queued
    ]
    value: dict[str, Any] = {"dry_run": True, "assignments": assignments, "queued": queued, "tracks": tracks}
    value["issues"] = [wish.issue for wish in found]
    TERMINAL.answer(value, "\n".join(lines))


def run(
    max_agents: int = typer.Option(0, help="Agents at once (default: the pool's size)."),
    max_issues: int = typer.Option(0, help="End after this many issues were begun (0: no limit)."),
    timeout: float = typer.Option(0, help="End after this many minutes (0: no limit)."),
    epic: str = typer.Option("", help="Only the descendants of this epic."),
    only: str = typer.Option("", help="Only these issues, with commas."),
    agent: str = typer.Option("", help="The agent program (default: [agents] default)."),
    sequential: bool = typer.Option(False, "--sequential", help="One agent at a time, each on what the last landed."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Show the plan; start nothing."),
) -> int:
    """Take ready issues in the foreground until none is left. Ctrl-C drains, twice stops; both give everything back."""
    project = TERMINAL.open()
    program = _check_program(project, agent)
    wanted = Filter(epic=epic, only=tuple(part for part in only.split(",") if part))
    seats = 1 if sequential else min(max_agents or project.config.pool.size, project.config.pool.maximum)
    plan = _plan(project, wanted, seats)
    if dry_run:
        _answer_plan(plan, wishes(plan, wanted, program))
        return 0
    found = wishes(plan, wanted, program, RUN)
    chosen = {wish.issue for wish in found} if epic or only else None

    def wish_for(newest: Plan) -> list[Wish]:
        return [wish for wish in wishes(newest, wanted, program, RUN) if chosen is None or wish.issue in chosen]

    deadline = time.monotonic() + timeout * 60 if timeout else None
    with driver.only_coordinator(project):
        called = driver.calls(project)
        driver.set_seats(project, seats)
        _withdraw(project)
        with project.ledger.write() as tx:
            claims.enlist(tx, found, again=True)
        try:
            served = driver.serve(project, wish_for, deadline=deadline, most=max_issues or None, ahead=not sequential)
        finally:
            left = _end(project)
    if driver.calls(project) != called:
        _leave_to_background(project)
    return _answer_served(served, left)


def _leave_to_background(project: Project) -> None:
    """What is queued and no run had asked for goes on when the run has ended."""
    with project.ledger.read() as snapshot:
        waits = queue.waiting(snapshot) or any(task.state in claims.PENDING for task in claims.all_tasks(snapshot))
    if waits:
        TERMINAL.say("what was queued meanwhile goes on in the background: agent-coord status")
        driver.ensure_running(project)


def _withdraw(project: Project) -> None:
    """Nothing is begun that only a run which was killed had asked for."""
    with project.ledger.write() as tx:
        gone = claims.withdraw(tx, begun=False)
    if gone:
        project.say(f"not begun, because the run that asked for it has ended: {', '.join(gone)}")


def _end(project: Project) -> list[Task]:
    """End this run's wishes; returns what is left undone."""
    with project.ledger.write() as tx:
        left = [task for task in claims.all_tasks(tx) if task.state in ("handed_off", *claims.PENDING)]
        claims.withdraw(tx, begun=True)
    return left


def _answer_served(served: driver.Served, left: list[Task]) -> int:
    value = {
        "landed": served.landed,
        "done": served.done,
        "left": [{"issue": task.issue, "state": task.state, "why": task.why} for task in left],
    }
    lines = [f"{served.landed} issues landed", *(f"{task.state}: {task.issue}  {task.why}" for task in left)]
    TERMINAL.answer(value, "\n".join(lines))
    return 0 if served.done else 1


def serve() -> int:
    """Serve what `spawn` has queued until nothing is left (started in the background by `spawn`)."""
    project = TERMINAL.open()
    answered, goes_on = -1, True
    while goes_on and answered != (asked := driver.calls(project)):
        with driver.only_coordinator(project):
            _withdraw(project)
            goes_on = driver.serve(project, lambda plan: []).done
        answered = asked
    return 0


def assign(agent: str, issue: str) -> int:
    """Give an issue to an agent by hand: claim, slot, database and reservations, but no process is started."""
    project = TERMINAL.open()
    held = assign_by_hand(project, agent, issue)
    value = {
        "agent": agent,
        "issue": issue,
        "slot": held.slot.name,
        "path": str(held.slot.path),
        "branch": held.branch,
        "database": held.slot.database or None,
    }
    lines = [f"{agent} works on {issue} in {held.slot.name}", "", f"  cd {held.slot.path}"]
    if held.slot.database:
        lines.append(f"  export DATABASE_URL=$(agent-coord db url {held.slot.name})")
    lines += ["", f"then: agent-coord merge enqueue {held.branch}", f"or:   agent-coord release {held.slot.name}"]
    TERMINAL.answer(value, "\n".join(lines))
    return 0


def release(
    slot: str, keep_work: bool = typer.Option(False, "--keep-work", help="Keep the branch for a later attempt.")
) -> int:
    """Give a slot back: its agent is stopped, unlanded work is saved under a ref, strays are told, reservations end."""
    project = TERMINAL.open()
    given = release_by_hand(project, slot, keep=keep_work)
    strays = {"main": given.strays.main, "slot": given.strays.slot}
    TERMINAL.answer({"slot": slot, "saved": given.saved or None, "strays": strays}, f"{slot} is free{given.told}")
    return 0
