"""The tracker is found where `bd` finds it, and its most current form is read."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from analyzer.backlog.database import read_database
from analyzer.backlog.issues import Bond, Status
from analyzer.trackers import find_place, read_tracker, tracker_version
from resources.system.errors import Failure
from resources.system.repository import Repository
from tests.support.backlogs import lines, record

OLDEST = """
CREATE TABLE issues (id TEXT PRIMARY KEY, title TEXT, status TEXT, priority INTEGER, issue_type TEXT,
                     created_at DATETIME, closed_at DATETIME, metadata TEXT);
CREATE TABLE dependencies (issue_id TEXT, depends_on_id TEXT, type TEXT);
INSERT INTO issues VALUES ('a-1', 'One', 'open', 0, 'bug', '2025-10-20 12:00:00.5 -0700 PDT m=+0.1', NULL, '{"k": 1}');
INSERT INTO issues VALUES ('a-2', 'Two', 'open', 2, 'task', '2025-10-20 12:00:00', NULL, '{');
INSERT INTO dependencies VALUES ('a-2', 'a-1', 'blocks');
"""


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Repository:
    # What the developer's own shell says about trackers, and the programs there, must not decide a test.
    for name in ("BEADS_DIR", "BEADS_DB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    root = tmp_path / "a repository"
    (root / ".beads").mkdir(parents=True)
    return Repository(root, root / ".git", root)


def store(folder: Path, script: str = OLDEST, name: str = "beads.db") -> Path:
    with closing(sqlite3.connect(folder / name)) as connection:
        connection.executescript(script)
    return folder / name


def export(folder: Path, *names: str, ago: float = 0) -> Path:
    file = folder / "issues.jsonl"
    file.write_bytes(lines(*(record(name) for name in names)))
    os.utime(file, (file.stat().st_atime, file.stat().st_mtime - ago))
    return file


def ids(repository: Repository) -> tuple[str, list[str]]:
    reading, source = read_tracker(repository)
    return source.kind, [issue.id for issue in reading.issues]


def test_the_newer_form_is_read(repository):
    beads = repository.root / ".beads"
    store(beads)
    assert ids(repository) == ("sqlite", ["a-1", "a-2"])
    export(beads, "j-1", ago=60)
    assert ids(repository)[0] == "sqlite"
    export(beads, "j-1", ago=-60)
    assert ids(repository) == ("jsonl", ["j-1"])


def test_a_writers_journal_makes_the_database_newer_and_counts(repository):
    beads = repository.root / ".beads"
    with closing(sqlite3.connect(beads / "beads.db")) as connection:
        connection.executescript(f"PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0; {OLDEST}")
        export(beads, "j-1", ago=-60)
        os.utime(beads / "beads.db", (0, 0))
        assert ids(repository)[0] == "jsonl"
        os.utime(beads / "beads.db-wal", (2**31, 2**31))
        assert ids(repository) == ("sqlite", ["a-1", "a-2"])


def test_the_schema_of_any_version_is_read(tmp_path):
    reading = read_database(store(tmp_path), "beads.db")
    one, two = reading.issues
    assert reading.problems == ()
    assert (one.kind, one.priority, one.metadata, one.where) == ("bug", 0, {"k": 1}, "beads.db:a-1")
    assert one.created == pytest.approx(1760986800.5)
    assert [(edge.target, edge.bond) for edge in two.dependencies] == [("a-1", Bond.BLOCKS)]
    more = "ALTER TABLE issues ADD COLUMN pinned INTEGER; ALTER TABLE issues ADD COLUMN surprise TEXT;"
    store(tmp_path, f"{more} CREATE TABLE labels (issue_id TEXT, label TEXT); DROP TABLE dependencies;"
          "UPDATE issues SET pinned = 1; INSERT INTO labels VALUES ('a-1', 'ui')")  # fmt: skip
    one, two = read_database(tmp_path / "beads.db", "beads.db").issues
    assert (one.labels, one.status, two.dependencies) == (("ui",), Status.PINNED, ())


def test_a_broken_database_falls_back_to_the_export_and_says_so(repository):
    beads = repository.root / ".beads"
    database = store(beads)
    database.write_bytes(database.read_bytes()[:5000] + b"\xff" * 9000)
    with pytest.raises(Failure, match="no beads tracker") as caught:
        read_tracker(repository)
    assert "cannot be read" in caught.value.why
    export(beads, "j-1", ago=60)
    _, source = read_tracker(repository)
    assert source.kind == "jsonl"
    assert "beads.db is newer than issues.jsonl" in (source.stale or "")
    assert "beads.db cannot be read" in (source.stale or "")


def test_a_database_without_issues_is_none(tmp_path):
    with pytest.raises(Failure, match="cannot read") as caught:
        read_database(store(tmp_path, "CREATE TABLE cats (name TEXT)"), "x.db")
    assert "no table of issues" in caught.value.why


def test_redirects_are_followed_and_dead_ones_passed_over(repository, tmp_path):
    far = tmp_path / "far" / ".beads"
    far.mkdir(parents=True)
    export(far, "f-1")
    pointer = repository.root / ".beads/redirect"
    pointer.write_text("# where it went\n\n../far/.beads\n")
    assert ids(repository)[1] == ["f-1"]
    export(repository.root / ".beads", "h-1")
    for dead in ("../nowhere", "", "\0", "# only a comment"):
        pointer.write_text(dead)
        assert ids(repository)[1] == ["h-1"]
    pointer.write_text(".beads")
    assert ids(repository)[1] == ["h-1"]


def test_a_worktrees_own_redirect_counts_and_its_copy_does_not(repository, tmp_path):
    slot = repository.root / ".agent-worktrees/slot"
    (slot / ".beads").mkdir(parents=True)
    export(slot / ".beads", "stale-1")
    export(repository.root / ".beads", "h-1")
    inside = Repository(repository.root, repository.common, slot)
    assert ids(inside)[1] == ["h-1"]
    (tmp_path / "other").mkdir()
    export(tmp_path / "other", "o-1")
    (slot / ".beads/redirect").write_text(str(tmp_path / "other"))
    assert ids(inside)[1] == ["o-1"]


def test_the_environment_names_another_tracker(repository, tmp_path, monkeypatch):
    # These two variables are bd's own interface.
    export(repository.root / ".beads", "h-1")
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("BEADS_DB", str(store(other, name="mine.db")))
    assert ids(repository) == ("sqlite", ["a-1", "a-2"])
    export(other, "o-1", ago=-60)
    monkeypatch.setenv("BEADS_DIR", str(other))
    assert ids(repository) == ("jsonl", ["o-1"])


@pytest.mark.parametrize("name", ["metadata.json", "issues.jsonl"])
def test_junk_in_the_trackers_folder_is_no_reason_to_stop(repository, name):
    beads = repository.root / ".beads"
    export(beads, "j-1", ago=60)
    (beads / name).write_bytes(b"[" * 100_000 + b"\xff\0")
    (beads / "beads.db").write_bytes(b"no database")
    assert ids(repository)[0] == "jsonl"


def test_dolt_is_current_only_in_an_export_that_is_newer(repository):
    beads = repository.root / ".beads"
    (beads / "metadata.json").write_text('{"backend": "dolt"}')
    noms = beads / "embeddeddolt/fx/.dolt/noms"
    noms.mkdir(parents=True)
    (noms / "manifest").write_text("5:x")
    file = export(beads, "j-1", ago=60)
    assert "Dolt" in (read_tracker(repository)[1].stale or "")
    os.utime(file, (2**31, 2**31))
    assert read_tracker(repository)[1].stale is None
    before = tracker_version(repository)
    os.utime(noms / "manifest", (2**31, 2**31))
    assert tracker_version(repository) == before
    (noms / "journal").write_text("more")
    assert tracker_version(repository) != before


def test_a_change_of_any_form_is_a_new_version(repository):
    beads = repository.root / ".beads"
    seen = {tracker_version(repository)}
    export(beads, "j-1")
    seen.add(tracker_version(repository))
    database = store(beads)
    seen.add(tracker_version(repository))
    database.with_name("beads.db-wal").write_bytes(b"x")
    seen.add(tracker_version(repository))
    assert len(seen) == 4
    assert find_place(repository).database == database
