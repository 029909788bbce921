"""Editing a tracker file: what is not meant to change stays, to the byte."""

import json

import pytest

from analyzer.backlog.records import Edits, edit_records
from resources.system.errors import Failure

JUNK = "<<<<<<< ours\nnot json\n\n" + '{"_type":"memory","id":"b-1"}\n'


def edit(file, *names, added=()):
    changes = {name: lambda record: record.update(done=True) for name in names}
    edit_records(file, file.with_name("lock"), lambda _: Edits(changes, added))


def test_only_the_named_line_changes(tmp_path):
    file = tmp_path / "issues.jsonl"
    other = '{ "id": "b-2",  "big": 1.50, "u": "\\u00fc" }\r\n'
    file.write_bytes(("\ufeff" + '{"id":"b-1","odd":[1]}\r\n' + JUNK + other).encode() + b'{"id": "b-3\xff"}\n')
    file.chmod(0o640)
    edit(file, "b-1")
    first, _, rest = file.read_bytes().partition(b"\n")
    assert rest == (JUNK + other).encode() + b'{"id": "b-3\xff"}\n'
    assert first.startswith("\ufeff{".encode())
    assert first.endswith(b"}\r")
    record = json.loads(first.decode("utf-8-sig"))
    assert (record["odd"], record["done"]) == ([1], True)
    assert file.stat().st_mode & 0o777 == 0o640


def test_of_two_records_the_one_that_counts_is_changed(tmp_path):
    file = tmp_path / "issues.jsonl"
    lines = [{"id": "a", "updated_at": f"2026-01-0{day}T00:00:00Z"} for day in (1, 3, 2)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    edit(file, "a")
    assert ["done" in json.loads(line) for line in file.read_text().splitlines()] == [False, True, False]


def test_new_records_are_appended_and_a_link_stays_a_link(tmp_path):
    target = tmp_path / "real.jsonl"
    target.write_text('{"id":"a"}')
    link = tmp_path / "issues.jsonl"
    link.symlink_to(target)
    edit(link, added=[{"id": "b", "half": "\ud800"}])
    assert link.is_symlink()
    assert [json.loads(line)["id"] for line in target.read_text().splitlines()] == ["a", "b"]
    assert target.read_text().endswith("}\n")


def test_nothing_is_written_when_an_issue_is_missing(tmp_path):
    file = tmp_path / "issues.jsonl"
    file.write_text('{"id":"a"}\n')
    with pytest.raises(Failure, match="holds no issue b"):
        edit(file, "a", "b")
    assert file.read_text() == '{"id":"a"}\n'
