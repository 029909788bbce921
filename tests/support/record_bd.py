"""Record what real versions of `bd` print and store about the tracker of `tests.support.bd`, as fixtures.

    python -m tests.support.record_bd [LINE …]

Writes `tests/fixtures/bd-<version>/` anew: the answers as they came, and where the version keeps SQLite the three
tables that a reader needs, as SQL. Ids are the same in every recording; times are those of the day.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.bd import LINES, fill_tracker, make_tracker, program

FIXTURES = Path(__file__).parents[1] / "fixtures"
ANSWERS = {
    "export.jsonl": ("export",),
    "list.json": ("list", "--all", "--limit", "0", "--json", "--include-gates"),
    "ready.json": ("ready", "--limit", "0", "--json"),
    "blocked.json": ("blocked", "--json"),
    "show.json": ("show", "fx-epic.2", "--json"),
}
TABLES = ("issues", "dependencies", "labels")


def record(line: str) -> Path:
    """Record one line of versions; returns the folder."""
    path = program(line)
    with TemporaryDirectory() as folder:
        bd = make_tracker(path, Path(folder))
        fill_tracker(bd)
        target = FIXTURES / f"bd-{bd.version}"
        target.mkdir(parents=True, exist_ok=True)
        for name, words in ANSWERS.items():
            (target / name).write_bytes(bd("--readonly", *words))
        if json.loads(bd("ready", "--json", BD_JSON_ENVELOPE="1")) != json.loads(bd("ready", "--json")):
            answer = bd("--readonly", *ANSWERS["list.json"], BD_JSON_ENVELOPE="1")
            (target / "list_envelope.json").write_bytes(answer)
        beads = bd.root / ".beads"
        (target / "metadata.json").write_bytes((beads / "metadata.json").read_bytes())
        if (beads / "beads.db").exists():
            (target / "beads.sql").write_text(_dump(beads / "beads.db"))
    return target


def _dump(database: Path) -> str:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        wanted = re.compile(rf'(CREATE TABLE|INSERT INTO) "?({"|".join(TABLES)})"?[ (]')
        return "".join(f"{line}\n" for line in connection.iterdump() if wanted.match(line))


def _main() -> None:
    for line in sys.argv[1:] or LINES:
        try:
            print(record(line))
        except BaseException as error:  # noqa: BLE001 -- a version that cannot be had is skipped by an exception of its own
            print(f"{line}: {error}", file=sys.stderr)


if __name__ == "__main__":
    _main()
