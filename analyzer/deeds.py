"""The commands that may write: each shows what it would do, and does it when `--yes` was said.

`recommend --write-deps` writes predicted conflicts into the tracker as dependencies. `layered export FILE` writes the
tracker as layered tasks, `layered import FILE` brings such a file into the tracker.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analyzer.desk import Desk
from resources.system.errors import Failure, Misuse

if TYPE_CHECKING:
    from analyzer.backlog.beads import Reading
    from analyzer.serialise import Wait
    from analyzer.showing.layout import Look
    from analyzer.writing import Tracker


def write_dependencies(desk: Desk) -> None:
    """Show the dependencies that would keep predicted conflicts apart; with `--yes` write them into the tracker."""
    from analyzer.serialise import serialise
    from analyzer.writing import write_waits

    plan = desk.plan()
    desk.narrate(plan.problems)
    waits = serialise(plan, hot=desk.policy.hot == "serialize")
    tracker = _tracker(desk) if desk.options.yes else None
    if tracker:
        waits = write_waits(tracker, waits, desk.rules())
    written = tracker.called if tracker else ""
    desk.answer(lambda: _waits_json(waits, written), lambda: _waits_text(waits, written, desk.look()))


def _tracker(desk: Desk) -> Tracker:
    """The tracker to write into. Raises where what was read is not what would be written to."""
    from analyzer.sources import tracker_file
    from analyzer.writing import open_tracker

    source = desk.facts.source
    if desk.options.at:
        raise Misuse("past", "the past cannot be written to", mend="leave --at out, or leave --yes out")
    tracker = open_tracker(
        desk.repository, tracker_file(desk.repository) if desk.repository else None, desk.options.issues
    )
    if source.stale and tracker.file is not None:
        raise Failure(
            "stale-tracker",
            "the issues live in bd's database, and what is written to the file would be lost",
            why=source.stale,
            mend="put bd on PATH, or bring the file up to date with `bd export`",
        )
    return tracker


def _waits_json(waits: tuple[Wait, ...], written: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "written": bool(written),
        "tracker": written,
        "dependencies": [
            {
                "issue": wait.issue,
                "depends_on": wait.before,
                "type": "blocks",
                "p": round(wait.conflict.p, 4),
                "witness": wait.conflict.witness,
                "paths": list(wait.conflict.paths),
                "evidence": list(wait.conflict.evidence),
            }
            for wait in waits
        ],
    }


def _waits_text(waits: tuple[Wait, ...], written: str, look: Look) -> str:
    count = f"{len(waits)} dependenc{'y' if len(waits) == 1 else 'ies'}"
    if not waits:
        return "no dependency is missing: no two ready issues without an order are likely to meet\n"
    head = look.heading(
        "WRITTEN" if written else "WOULD WRITE", f"{count} {f'into {written}' if written else ''}".strip()
    )
    rows = [(wait.issue, "waits for", wait.before, f"{wait.conflict.p:.0%}", wait.conflict.witness) for wait in waits]
    lines = [head, *look.shorten(look.table(rows), 40, "dependencies")]
    if not written:
        lines += ["", "nothing was written; `track-analyzer recommend --write-deps --yes` writes them"]
    return "\n".join(lines) + "\n"


def layered(desk: Desk) -> None:
    """`layered import FILE` or `layered export FILE`. Raises Misuse for another action."""
    if desk.options.action == "export":
        _export(desk)
    elif desk.options.action == "import":
        _import(desk)
    else:
        raise Misuse("usage", f"layered cannot {desk.options.action}", mend="track-analyzer layered import|export FILE")


def _export(desk: Desk) -> None:
    """Write FILE (`-`: stdout). A file that is there is replaced only with `--yes`, for it may hold what we cannot."""
    from analyzer.backlog.readiness import resolve
    from analyzer.layering import write_layered
    from resources.system.files import replace_file

    file, options = desk.options.file, desk.options
    assert file is not None
    backlog = resolve(desk.facts.issues, desk.rules())
    desk.narrate((*desk.facts.problems, *backlog.problems))
    chosen = {*options.only, *(backlog.family(options.epic) if options.epic else ())}
    text = write_layered(backlog, chosen or None)
    tasks = text.count("\n- [")
    if str(file) == "-":
        desk.answer(lambda: {"schema": 1, "tasks": tasks, "text": text}, lambda: text)
        return
    if file.exists() and not options.yes:
        raise Failure("file-exists", f"{file} is there already", mend="say --yes to replace it, or name another file")
    replace_file(file, text.encode(errors="replace"))
    desk.answer(lambda: {"schema": 1, "tasks": tasks, "file": str(file)}, lambda: f"{tasks} tasks written to {file}\n")


def _import(desk: Desk) -> None:
    """Print the tasks as records of beads, one to a line; with `--yes` bring them into the tracker instead."""
    from analyzer.backlog.layered import read_layered, to_record
    from analyzer.writing import write_tasks
    from resources.system.clock import iso

    file, options = desk.options.file, desk.options
    assert file is not None
    try:
        reading = read_layered(file.read_bytes(), str(file))
    except OSError as error:
        raise Failure("unreadable", f"cannot read {file}", why=error.strerror or str(error)) from error
    desk.narrate(reading.problems)
    if not options.yes:
        records = [to_record(task, iso(desk.now)) for task in reading.issues]
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        desk.answer(lambda: {**_import_json(reading), "records": records}, lambda: lines)
        return
    tracker = _tracker(desk)
    added, closed = write_tasks(tracker, reading.issues)
    told = f"{len(added)} tasks added to {tracker.called}, {len(closed)} closed there\n"
    desk.answer(lambda: {**_import_json(reading), "added": list(added), "closed": list(closed)}, lambda: told)


def _import_json(reading: Reading) -> dict[str, Any]:
    problems = [{"where": each.where, "what": each.what, "did": each.did} for each in reading.problems]
    return {"schema": 1, "tasks": [task.id for task in reading.issues], "problems": problems}
