"""What real versions of `bd` printed and stored (tests/fixtures, recorded by tests.support.record_bd) is read right."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from analyzer.backlog.beads import Reading, read_issues
from analyzer.backlog.database import read_database
from analyzer.backlog.issues import Bond, Status
from analyzer.backlog.readiness import Rules, differences, is_work, resolve, standings
from tests.support.backlogs import NOW
from tests.support.bd import READY, WAITING

RECORDED = sorted((Path(__file__).parents[1] / "fixtures").glob("bd-*"))
OLD, NEW = (next(folder for folder in RECORDED if folder.name.startswith(f"bd-{line}.")) for line in ("0", "1"))


def read(folder: Path, name: str, tmp_path: Path) -> Reading:
    if name != "beads.sql":
        return read_issues((folder / name).read_bytes(), name)
    database = tmp_path / "beads.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript((folder / name).read_text())
    return read_database(database, "beads.db")


FORMS = [(OLD, "beads.sql"), (NEW, "export.jsonl"), (NEW, "list.json"), (NEW, "list_envelope.json")]


@pytest.mark.parametrize(("folder", "name"), FORMS, ids=lambda value: getattr(value, "name", value))
def test_what_is_ready_and_what_waits_is_what_bd_said(folder, name, tmp_path):
    reading = read(folder, name, tmp_path)
    assert reading.problems == ()
    backlog = resolve(reading.issues, Rules(NOW, aliases=False))
    found = standings(backlog, Rules(NOW, aliases=False))
    assert {one for one, standing in found.items() if standing.ready and is_work(backlog.issues[one])} == READY
    assert {one: list(backlog.blockers[one]) for one in WAITING} == WAITING
    told = frozenset(row["id"] for row in json.loads((folder / "ready.json").read_bytes()))
    assert differences(reading.issues, told, NOW, "bd ready") == ()


def test_the_export_of_0_47_forgets_until_when_an_issue_is_deferred(tmp_path):
    exported, stored = (
        {issue.id: issue for issue in read(OLD, name, tmp_path).issues} for name in ("export.jsonl", "beads.sql")
    )
    assert exported["fx-later"].defer_until is None
    assert stored["fx-later"].defer_until == pytest.approx(4070908800)
    told = frozenset(row["id"] for row in json.loads((OLD / "ready.json").read_bytes()))
    (difference,) = differences(exported.values(), told, NOW, "bd ready")
    assert "fx-later" in difference.what


def test_the_database_says_what_the_export_says(tmp_path):
    exported, stored = (read(OLD, name, tmp_path).issues for name in ("export.jsonl", "beads.sql"))
    told = {issue.id: issue for issue in exported if issue.id != "fx-later"}
    for issue in stored:
        if issue.id in told:
            other = told.pop(issue.id)
            same = ("title", "status", "priority", "kind", "created", "closed", "estimated_minutes", "assignee")
            assert [getattr(issue, key) for key in same] == [getattr(other, key) for key in same]
            assert set(issue.dependencies) == set(other.dependencies)
            assert set(issue.labels) == set(other.labels)
    assert not told


def test_an_answer_with_whole_issues_as_dependencies_is_read():
    for folder in (OLD, NEW):
        (shown,) = read_issues((folder / "show.json").read_bytes(), "show").issues
        edges = {(edge.target, edge.bond) for edge in shown.dependencies}
        assert edges == {("fx-epic", Bond.PARENT), ("fx-epic.1", Bond.BLOCKS)}


def test_a_deleted_issue_is_done(tmp_path):
    stored = {issue.id: issue for issue in read(OLD, "beads.sql", tmp_path).issues}
    assert stored["fx-gone"].status is Status.CLOSED
