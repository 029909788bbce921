"""No input makes the reader or the planner fall over: an answer, or troubles that name the place."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, suppress
from dataclasses import fields

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.backlog.beads import MOST_LINE, MOST_PROBLEMS, Reading, read_issues
from analyzer.backlog.beads_fields import MOST_TEXT
from analyzer.backlog.database import read_database
from analyzer.backlog.issues import Issue
from analyzer.backlog.readiness import Rules, differences, resolve, standings
from resources.system.errors import Failure
from tests.support.backlogs import NOW, issue, lines, plan, record

KEYS = (
    "id", "title", "status", "priority", "issue_type", "type", "labels", "dependencies", "blockedBy", "depends_on",
    "parent", "created_at", "updatedAt", "closed_at", "defer_until", "estimated_minutes", "metadata", "pinned",
    "ephemeral", "_type", "dependency_count", "issue_id", "depends_on_id", "data", "items", "issues",
)  # fmt: skip
names = st.sampled_from(["a", "b", "a.1", "a.1.2", "x-1", "external:p:c", ""])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
records = st.dictionaries(st.sampled_from(KEYS), values, max_size=8) | names.map(lambda name: {"id": name})


def is_sound(reading: Reading) -> None:
    """Every issue is whole and its own, every trouble says where, what and what was done."""
    assert len({one.id for one in reading.issues}) == len(reading.issues)
    assert all(one.id and one.id.isprintable() and one.where for one in reading.issues)
    assert all(trouble.where and trouble.what and trouble.did for trouble in reading.problems)
    for one in reading.issues:
        assert all(isinstance(getattr(one, key.name), str) for key in fields(Issue) if key.type == "str")
    rules = Rules(NOW)
    standings(resolve(reading.issues, rules), rules)
    assert differences(reading.issues, frozenset(), NOW, "x") is not None


@settings(deadline=None)
@given(st.lists(records, max_size=8))
def test_any_records_are_read_in_every_form(rows):
    form = json.dumps(rows).encode()
    reading = read_issues(lines(*rows), "t.jsonl")
    is_sound(reading)
    for data in (form, b'{"data": ' + form + b"}", b'{"schema_version": 1, "issues": ' + form + b"}"):
        is_sound(read_issues(data, "bd list"))


@settings(deadline=None)
@given(st.lists(records, min_size=1, max_size=6), st.data())
def test_any_backlog_is_planned(rows, data):
    found = read_issues(lines(*rows), "t.jsonl").issues
    answer = plan(found, slots=data.draw(st.integers(1, 3)))
    assert set(answer.ready) <= {one.id for one in found}


@settings(deadline=None)
@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf")
@example(b"{\x00")
@example(b'{"id": "a", "priority": 1e400, "created_at": NaN}')
@example(b'{"id": "a", "estimated_minutes": ' + b"9" * 5000 + b"}")
@example(b'{"id": "\\ud800", "title": "\\ud800"}\n{"id": "b\\u001b[2J"}')
@example(b'{"id": "a", "metadata": ' + b'{"a":' * 50_000)
@example(b"[" * 200_000 + b"]" * 200_000)
def test_any_bytes_are_read(data):
    is_sound(read_issues(data, "t.jsonl"))


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 8000), st.integers(0, 200))
def test_a_damaged_database_is_read_or_refused(tmp_path_factory, junk, at, cut):
    path = tmp_path_factory.mktemp("db") / "beads.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE issues (id, title, status, priority, metadata)")
        connection.execute("INSERT INTO issues VALUES ('a', x'ff', 'open', 'high', '[')")
        connection.commit()
    data = path.read_bytes()
    path.write_bytes((data[:at] + junk + data[at + len(junk) :])[: len(data) - cut])
    with suppress(Failure):
        is_sound(read_database(path, "beads.db"))


def test_one_broken_line_among_many_costs_that_line():
    good = [json.dumps(record(f"a-{n}", description="word " * 20)).encode() for n in range(20_000)]
    for place in (0, 9_999, 20_000):
        reading = read_issues(b"\n".join([*good[:place], b'{"id": "br', *good[place:]]), "t.jsonl")
        assert len(reading.issues) == 20_000
        assert [trouble.where for trouble in reading.problems] == [f"t.jsonl:{place + 1}"]


def test_what_is_too_large_is_cut_or_left_out_by_name():
    long = record("a-1", description="x" * 10_000_000)
    name = record("n" * 300)
    huge = b'{"id": "a-2", "title": "' + b"y" * MOST_LINE + b'"}\n'
    wide = b'{"id": "a-3", "labels": [' + b"[]," * 3_000_000 + b"[]]}\n"
    reading = read_issues(lines(long, name) + huge + wide + lines(record("a-4")), "t.jsonl")
    assert {one.id: len(one.description) for one in reading.issues} == {"a-1": MOST_TEXT, "a-3": 0, "a-4": 0}
    assert {trouble.where for trouble in reading.problems} == {f"t.jsonl:{n}" for n in (1, 2, 3, 4)}


def test_a_heap_of_junk_is_counted():
    reading = read_issues(b"\xff\n" * 5000 + lines(record("a-1")), "t.jsonl")
    assert [one.id for one in reading.issues] == ["a-1"]
    assert len(reading.problems) == MOST_PROBLEMS + 1
    assert "4000 more" in reading.problems[-1].what


def test_ten_thousand_issues_in_one_chain_are_planned():
    chain = [issue("c-0"), *(issue(f"c-{n}", f"c-{n - 1}") for n in range(1, 10_000))]
    assert plan(reversed(chain)).ready == ("c-0",)


@pytest.mark.parametrize("kind", ["blocks", "parent-child", "waits-for"])
def test_cycles_are_named_and_the_rest_is_planned(kind):
    def ring(name: str, target: str) -> dict:
        return record(name, dependencies=[{"issue_id": name, "depends_on_id": target, "type": kind}])

    reading = read_issues(
        lines(*(ring(f"r-{n}", f"r-{(n + 1) % 500}") for n in range(500)), ring("s-1", "s-1"), record("free-1")), "t"
    )
    answer = plan(reading.issues)
    assert "free-1" in answer.ready
    assert kind != "blocks" or any(len(cycle) == 500 for cycle in answer.cycles)
