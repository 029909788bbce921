"""Writing into a tracker: the JSONL file line by line, or the `bd` program where the repository is bd's.

A line that we change keeps every field that we do not understand; every other line stays as it is, to the byte. The
file is replaced as a whole under a lock, and what to change is chosen under that lock, from what the file holds then:
two writers never undo each other, and a reader never sees half of it. Of several records with one id the one that
counts for the reader is changed: the one updated last, the later line among equals.
"""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analyzer.backlog.programs import environment
from resources.system.clock import iso, parse_iso, wall
from resources.system.errors import Failure
from resources.system.files import file_lock, replace_file
from resources.system.process import run

BOM = "\ufeff"
Record = dict[str, Any]
Change = Callable[[Record], None]


@dataclass(frozen=True)
class Edits:
    """What to do to a tracker file: a change for the record of each issue, and the records of new issues."""

    changes: Mapping[str, Change] = field(default_factory=dict)
    added: Sequence[Record] = ()


def edit_records(file: Path, lock: Path, choose: Callable[[bytes], Edits], *, keep_lock: bool = True) -> Edits:
    """Do to the tracker file what `choose` makes of its content; returns what was done.

    Raises Failure("no-such-issue") when the file has no record of an issue to change, and NotNow("locked"); the file
    is then as it was.
    """
    with file_lock(lock, what="the tracker file", keep=keep_lock):
        target = file.resolve()  # a link to the tracker stays a link
        data = target.read_bytes() if target.exists() else b""
        edits = choose(data)
        if edits.changes or edits.added:
            mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
            replace_file(target, _edited(data, edits, file), mode=mode)
        return edits


def _edited(data: bytes, edits: Edits, file: Path) -> bytes:
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    places = _places(lines, edits.changes)
    for issue, change in edits.changes.items():
        if issue not in places:
            raise Failure("no-such-issue", f"{file} holds no issue {issue}", mend="track-analyzer analyze")
        number, record = places[issue]
        change(record)
        record["updated_at"] = iso(wall())
        before = BOM if lines[number].startswith(BOM) else ""
        after = "\r" if lines[number].endswith("\r") else ""
        lines[number] = before + _line(record) + after
    if edits.added:
        last = lines.pop() if not lines[-1] else None
        lines += [_line(dict(record)) for record in edits.added]
        lines.append(last or "")
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _places(lines: Sequence[str], wanted: Mapping[str, Change]) -> dict[str, tuple[int, Record]]:
    """Issue -> the line and the record that count for it."""
    found: dict[str, tuple[int, Record]] = {}
    for number, line in enumerate(lines):
        record = _record(line)
        name = str(record.get("id", "")).strip() if record else ""
        if record and name in wanted and (name not in found or _updated(record) >= _updated(found[name][1])):
            found[name] = (number, record)
    return found


def _updated(record: Record) -> float:
    value = record.get("updated_at")
    return (parse_iso(value) if isinstance(value, str) else None) or 0.0


def _record(line: str) -> Record | None:
    try:
        record = json.loads(line.removeprefix(BOM))
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and record.get("_type", "issue") == "issue" else None


def _line(record: Record) -> str:
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    try:
        line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, written as an escape: it can only stay one
        return json.dumps(record, separators=(",", ":"))
    return line


def bd_keeps(root: Path) -> bool:
    """Whether the tracker of the repository is bd's own, and bd is here to be asked."""
    has_database = (root / ".beads" / "metadata.json").exists() or (root / ".beads" / "beads.db").exists()
    return has_database and shutil.which("bd") is not None


def bd(root: Path, *arguments: str) -> bytes:
    """What `bd` answers in the main checkout, having done what it was told. Raises Failure("command-failed")."""
    told = environment(root / ".beads") | {"BD_ACTOR": "agent-coord"}
    return run(["bd", *arguments, "--json"], cwd=root, env=told, timeout=60).out
