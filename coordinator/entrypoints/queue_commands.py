"""merge …, reserve …: the landing queue and the reservations."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from analyzer.globs import escape
from coordinator.committing import files_of
from coordinator.entrypoints.columns import table
from coordinator.entrypoints.outlook_text import entry_json, outlook_json, outlook_lines
from coordinator.entrypoints.terminal import TERMINAL
from coordinator.mail import reservations, waiting
from coordinator.merging import queue, radar
from coordinator.merging.order import Entry
from coordinator.merging.outlook import Onlooker
from coordinator.reports.bars import cut
from coordinator.running import serve as driver
from coordinator.tasks import claims
from coordinator.wherein import here
from resources.state import leases
from resources.system.clock import iso
from resources.system.errors import Failure, Misuse
from resources.system.git import resolve

merge = typer.Typer(help="The landing queue.", no_args_is_help=True)
reserve = typer.Typer(help="Paths held by agents.", no_args_is_help=True)

_BRANCH = re.compile(r"agent/(?P<slot>[^/]+)/(?P<issue>.+)/\d+")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(merge, name="merge")
    app.add_typer(reserve, name="reserve")
    app.command("radar")(radar_)


def radar_() -> int:
    """Which unlanded work will not merge, uncommitted edits included; what is new is told to the later agent."""
    project = TERMINAL.open()
    seen = radar.look(project)
    lines = [
        one.sentence.replace("your work on ", "", 1) + ("  (new)" if one in seen.new else "") for one in seen.collisions
    ]
    value = {
        "pieces": [{"issue": one.issue, "paths": sorted(one.paths), "queued": one.queued} for one in seen.pieces],
        "collisions": [
            {"issue": one.a, "with": one.b, "stale": one.is_stale, "paths": one.paths, "new": one in seen.new}
            for one in seen.collisions
        ],
    }
    TERMINAL.answer(value, "\n".join(lines) or f"nothing collides in {len(seen.pieces)} pieces of unlanded work")
    return 0


@merge.command()
def enqueue(branch: str, issue: str = typer.Option("", help="The issue (default: as the branch's name says).")) -> int:
    """Queue a branch for landing; the gate judges it on the merge with the newest base branch."""
    project = TERMINAL.open()
    found = _BRANCH.fullmatch(branch)
    name = issue or (found["issue"] if found else "")
    if not name:
        raise Misuse(
            "which-issue",
            f"{branch} does not say which issue it is for",
            mend=f"agent-coord merge enqueue {branch} --issue ID",
        )
    for slot in project.pool.slots():
        if found and found["slot"] == slot.name and slot.state == "leased":
            project.pool.collect(slot)
    tip = resolve(project.repository.root, f"refs/heads/{branch}")
    if tip is None:
        raise Failure("no-such-branch", f"there is no branch {branch}", mend="git branch --list 'agent/*'")
    titles = {one.id: one for one in project.facts().issues}
    priority = titles[name].priority if name in titles else 2
    with project.ledger.write() as tx:
        task = claims.find_task(tx, name)
        fence = task.fence if task else 0
        slot, agent = (task.slot, task.agent) if task else ("", "")
        if task is not None and fence:
            claims.move(tx, task, "judging")
        queue.enqueue(tx, queue.Finished(name, branch, tip, fence, priority, slot, agent))
    driver.ensure_running(project)
    TERMINAL.answer({"issue": name, "branch": branch, "tip": tip}, f"{name} is queued for landing")
    return 0


@merge.command()
def status() -> int:
    """What waits to land and why, what the gates try now, what stands on unlanded work, what will not merge."""
    project = TERMINAL.open()
    found = Onlooker(project).look()
    with project.ledger.read() as snapshot:
        past = queue.history(snapshot)
    done = [entry for entry in past if entry.state in ("landed", "bounced", "withdrawn")]
    rows = [(entry.issue, entry.state, entry.merged[:10] or entry.why) for entry in done]
    width = TERMINAL.width
    lines = outlook_lines(found, width)
    lines += ["", *(cut(line, width) for line in table(("LAST", "", ""), rows))] if rows else []
    TERMINAL.answer(outlook_json(found) | {"past": [entry_json(entry) for entry in done]}, "\n".join(lines))
    return 0


@merge.command()
def retry(entry: int) -> int:
    """Queue a bounced or withdrawn entry again, at the tip that its branch has now."""
    found = _entry(entry)
    return enqueue(found.branch, found.issue)


@merge.command()
def approve(entry: int) -> int:
    """Let an entry be tried that a person had to look at first; its diff is `git diff BASE...BRANCH`."""
    project, found = TERMINAL.open(), _entry(entry)
    with project.ledger.write() as tx:
        if not queue.approve(tx, found):
            raise Failure(
                "not-to-look-at", f"entry {entry} ({found.issue}) does not wait for a person: it is {found.state}",
                mend="agent-coord merge status",
            )  # fmt: skip
    driver.ensure_running(project)
    TERMINAL.answer({"id": entry, "issue": found.issue, "approved": True}, f"{found.issue} may be tried now")
    return 0


@merge.command()
def priority(entry: int, number: int = typer.Argument(..., min=0, max=9, help="0 is the most urgent.")) -> int:
    """Let a waiting entry land earlier or later than others; trials that assumed another order begin anew."""
    project, found = TERMINAL.open(), _entry(entry)
    with project.ledger.write() as tx:
        if not queue.set_priority(tx, found, number):
            raise Failure(
                "not-waiting", f"entry {entry} ({found.issue}) is {found.state}", mend="agent-coord merge status"
            )
    TERMINAL.answer({"id": entry, "issue": found.issue, "priority": number}, f"{found.issue} has priority {number}")
    return 0


def _entry(number: int) -> Entry:
    project = TERMINAL.open()
    with project.ledger.read() as snapshot:
        found = next((one for one in queue.history(snapshot) if one.id == number), None)
    if found is None:
        raise Failure("no-such-entry", f"the queue never had an entry {number}", mend="agent-coord merge status")
    return found


@merge.command()
def pause() -> int:
    """Land nothing until `merge resume`; agents go on."""
    return _set_paused(True)


@merge.command()
def resume() -> int:
    """Land again."""
    return _set_paused(False)


def _set_paused(paused: bool) -> int:
    project = TERMINAL.open()
    with project.ledger.write() as tx:
        queue.pause(tx, paused)
    if not paused:
        driver.ensure_running(project)
    TERMINAL.answer({"paused": paused}, "landing is paused" if paused else "landing goes on")
    return 0


@reserve.command()
def add(
    patterns: list[str] = typer.Argument(..., metavar="PATTERN…"),
    why: str = typer.Option(..., help="Why, for whoever meets the reservation."),
    shared: bool = typer.Option(False, "--shared", help="Others may hold the same paths shared."),
    ttl: float = typer.Option(reservations.TTL, help="Seconds until it ends by itself."),
    wait: float = typer.Option(0.0, min=0.0, help="Seconds to wait for those who hold the paths."),
) -> int:
    """Hold paths. Inside a slot they are held for its agent and issue and renewed while it lives."""
    project = TERMINAL.open()
    place = here()
    with project.ledger.read() as snapshot:
        owner = leases.owner_of(snapshot, place.fence)
    # In a shared checkout a lock is held on the file, whatever it is called by.
    files = project.config.shared and place.slot and not any(sign in word for word in patterns for sign in "*?[{")
    patterns = [escape(key) for key in files_of(patterns, str(Path.cwd()))[1]] if files else patterns
    wish = waiting.Wish(tuple(patterns), place.agent, place.issue, why, shared, ttl, owner, project.config.shared)
    ids = waiting.reserve_waiting(project.ledger, wish, wait)
    TERMINAL.answer({"ids": ids, "patterns": patterns}, f"held: {', '.join(patterns)}")
    return 0


@reserve.command("release")
def release_(ids: list[int] = typer.Argument(None, metavar="[ID…]", help="Default: everything of this agent.")) -> int:
    """Give reservations back."""
    project = TERMINAL.open()
    with project.ledger.write() as tx:
        mine = [one.id for one in reservations.live(tx) if one.agent == here().agent]
        count = reservations.release(tx, ids or mine)
    TERMINAL.answer({"released": count}, f"{count} reservations were given back")
    return 0


@reserve.command("list")
def list_() -> int:
    """Who holds which paths until when."""
    project = TERMINAL.open()
    with project.ledger.read() as snapshot:
        held = reservations.live(snapshot)
    rows = [
        {
            "id": one.id,
            "agent": one.agent,
            "issue": one.issue,
            "pattern": one.pattern,
            "shared": one.shared,
            "why": one.why,
            "until": iso(one.expires_at),
        }
        for one in held
    ]
    told = [
        (str(one.id), one.pattern, one.agent, one.issue, "shared" if one.shared else "", iso(one.expires_at), one.why)
        for one in held
    ]
    heads = ("ID", "PATHS", "AGENT", "ISSUE", "", "UNTIL", "WHY")
    text = [cut(line, TERMINAL.width) for line in table(heads, told, (0,), len(told))] if told else []
    TERMINAL.answer({"reservations": rows}, "\n".join(text) or "nothing is reserved")
    return 0
