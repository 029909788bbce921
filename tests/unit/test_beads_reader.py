"""Every dialect of a tracker is read, and whatever cannot be read is named with its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.backlog.beads import Reading, read_issues
from analyzer.backlog.issues import Bond, Status
from analyzer.backlog.readiness import Rules, resolve
from tests.support.backlogs import data, lines, record


def read(*records: dict) -> Reading:
    return read_issues(lines(*records), "t.jsonl")


def edges(*records: dict) -> dict[str, list[tuple[str, Bond]]]:
    return {issue.id: [(edge.target, edge.bond) for edge in issue.dependencies] for issue in read(*records).issues}


def test_a_plain_record_says_what_it_says():
    text = {"description": "d", "design": "e", "acceptance_criteria": "a", "notes": "n"}
    more = {"labels": ["x"], "estimated_minutes": 45, "assignee": "ann", "created_at": "2026-01-02T03:04:05.123456789Z"}
    (found,) = read(record("a-1", "a-2", priority=0, issue_type="bug", **text, **more)).issues
    assert (found.text, found.priority, found.kind, found.labels) == ("Do a-1\nd\ne\na\nn", 0, "bug", ("x",))
    assert (found.estimated_minutes, found.assignee, found.where) == (45, "ann", "t.jsonl:1")
    assert found.created == pytest.approx(1767323045.123456)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("tombstone", Status.CLOSED), ("done", Status.CLOSED), ("in_review", Status.IN_PROGRESS), ("Open", Status.OPEN),
        ("draft", Status.DEFERRED), ("hooked", Status.HOOKED), ("waiting for Bob", Status.DEFERRED),
    ],
)  # fmt: skip
def test_statuses_of_all_trackers_are_read_as_the_nearest_of_ours(word, status):
    reading = read(record("a-1", status=word))
    assert reading.issues[0].status is status
    assert bool(reading.problems) == (word == "waiting for Bob")


def test_dependencies_come_in_many_shapes():
    whole = {"id": "b", "title": "B", "status": "open", "dependency_type": "parent-child"}
    wait = {"depends_on_id": "e", "type": "waits-for", "metadata": '{"gate": "any-children"}'}
    found = edges(
        record("1", dependencies=["b", "c"]),
        record("2", dependencies=[whole]),
        record("3", blockedBy=["b"], createdAt="2026-01-01T00:00:00Z"),
        record("4", parent="b"),
        record("5", dependencies=[{"dependsOnId": "b", "type": "parent_child"}]),
        record(
            "6", dependencies=[{"depends_on_id": "b", "type": "blocked-by"}, {"depends_on_id": "c", "type": "tracks"}]
        ),
        record("7", dependencies=[wait]),
    )
    blocked, child = [("b", Bond.BLOCKS)], [("b", Bond.PARENT)]
    assert found == {
        "1": [*blocked, ("c", Bond.BLOCKS)], "2": child, "3": blocked, "4": child, "5": child,
        "6": [*blocked, ("c", Bond.RELATED)], "7": [("e", Bond.WAITS_FOR)],
    }  # fmt: skip
    assert read(record("7", dependencies=[wait])).issues[0].dependencies[0].any_child


def test_bad_lines_are_named_and_the_good_ones_count():
    good = json.dumps(record("a-1")).encode()
    bad = [
        b"<<<<<<< HEAD",
        b'{"id": "a-2", "title": "\\q"}',
        b"[1]",
        b'{"title": "nameless"}',
        b"",
        b"\xff\xfe",
        b"[" * 200_000,
    ]
    reading = read_issues(b"\n".join([*bad, good]), "t.jsonl")
    assert [issue.id for issue in reading.issues] == ["a-1"]
    assert [problem.where for problem in reading.problems] == [f"t.jsonl:{n}" for n in (1, 2, 3, 4, 6, 7)]
    assert "conflict marker" in reading.problems[0].what
    assert all(problem.did for problem in reading.problems)


def test_of_two_records_with_one_id_the_later_update_counts():
    old, new = (
        record("a", title="old", updated_at="2026-01-01T00:00:00Z"),
        record("a", title="new", updated_at="2026-02-01T00:00:00Z"),
    )
    for pair in ((old, new), (new, old)):
        reading = read(*pair)
        assert [issue.title for issue in reading.issues] == ["new"]
        assert reading.problems[0].where == "t.jsonl:2"


@pytest.mark.parametrize(
    "fields",
    [
        {"priority": "soon"}, {"priority": 9}, {"labels": 7}, {"title": {}}, {"status": 3}, {"created_at": "yesterday"},
        {"dependencies": "b"}, {"dependencies": [7]}, {"dependencies": [{"type": "blocks"}]},
        {"estimated_minutes": "x"},
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_costs_that_value_alone(fields):
    reading = read(record("a-1", **fields))
    assert [issue.id for issue in reading.issues] == ["a-1"]
    assert [problem.where for problem in reading.problems] == ["t.jsonl:1"]


@pytest.mark.parametrize(
    "wrap", ["{}", '{{"data": {}}}', '{{"issues": {}, "total": 2}}', '{{"schema_version": 1, "data": {{"items": {}}}}}']
)
def test_answers_of_bd_are_read_in_any_envelope(wrap):
    answer = wrap.format(json.dumps([record("a"), record("b")], indent=1))
    assert [issue.id for issue in read_issues(answer.encode(), "bd list").issues] == ["a", "b"]


def test_memories_are_told_once():
    reading = read(record("a"), {"_type": "memory", "key": "k"}, {"_type": "memory", "key": "l"})
    assert len(reading.issues) == 1
    assert [problem.where for problem in reading.problems] == ["t.jsonl:2"]


def test_every_mark_of_a_record_counts():
    found = {
        issue.id: issue
        for issue in read(
            record("a", pinned=True), record("b", pinned=True, status="closed"), record("c", ephemeral=True),
            record("d", is_template=True), record("e", deferUntil="2099-01-01T00:00:00Z"), record("f", wisp=True),
            record("g", claimedBy="ann", estimateMinutes=5, tags="ui, api", epicId="h"), record("h", type="gate"),
        ).issues
    }  # fmt: skip
    assert [found[name].status for name in "ab"] == [Status.PINNED, Status.CLOSED]
    assert [found[name].ephemeral for name in "acdf"] == [False, True, True, True]
    assert found["e"].defer_until == pytest.approx(4070908800)
    told = found["g"]
    assert (told.assignee, told.estimated_minutes, told.labels) == ("ann", 5, ("ui", "api"))
    assert [(edge.target, edge.bond) for edge in told.dependencies] == [("h", Bond.PARENT)]


@pytest.mark.parametrize("stem", ["bd-a3f8", "haxe.ocaml-1x", "jeffreysprompts.com-9z", "my_app-long-name-7", "42"])
def test_ids_of_any_prefix_have_children(stem):
    reading = read(record(stem), record(f"{stem}.1"), record(f"{stem}.1.2"), record(f"{stem}-other"))
    assert not reading.problems
    above = resolve(reading.issues, Rules(0.0)).parents
    assert above == {stem: (), f"{stem}.1": (stem,), f"{stem}.1.2": (f"{stem}.1",), f"{stem}-other": ()}


@pytest.mark.parametrize(
    ("word", "bond"),
    [
        ("blocked-by", Bond.BLOCKS), ("depends-on", Bond.BLOCKS), ("blocks-on", Bond.BLOCKS), ("blocker", Bond.BLOCKS),
        ("Depends_On", Bond.BLOCKS), ("parent", Bond.PARENT), ("child-of", Bond.PARENT), ("follows", Bond.RELATED),
        ("relates", Bond.RELATED), ("conditional-blocks", Bond.CONDITIONAL), ("tracks", Bond.RELATED),
    ],
)  # fmt: skip
def test_a_foreign_word_is_read_as_its_author_meant_it_and_can_be_switched_off(word, bond):
    edge = {"issue_id": "a", "depends_on_id": "b", "type": word}
    reading = read(record("a", dependencies=[edge]), record("b"))
    assert [found.bond for found in reading.issues[0].dependencies] == [bond]
    is_foreign = bond in (Bond.BLOCKS, Bond.PARENT)
    as_meant, as_bd = (resolve(reading.issues, Rules(0.0, aliases=aliases)) for aliases in (True, False))
    assert [len(backlog.problems) for backlog in (as_meant, as_bd)] == [int(is_foreign)] * 2
    assert bool(as_meant.blockers["a"] or as_meant.parents["a"]) == (bond is not Bond.RELATED)
    assert bool(as_bd.blockers["a"] or as_bd.parents["a"]) == (bond is Bond.CONDITIONAL)


def test_targets_that_are_not_there_are_named():
    reading = read(record("a", "gone-1"), record("b", "external:other:thing"))
    backlog = resolve(reading.issues, Rules(0.0))
    assert backlog.missing == {"a": ("gone-1",), "b": ("external:other:thing",)}
    assert [problem.where for problem in backlog.problems] == ["t.jsonl:1", "t.jsonl:2"]
    assert "lies outside" in backlog.problems[1].what


values = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists)
odd = values.map(
    lambda value: json.dumps({"id": "x", "dependencies": value, "status": value, "labels": value}).encode()
)


@given(st.lists(st.binary(max_size=40) | odd, max_size=6))
def test_nothing_makes_it_raise(rows):
    read_issues(b"\n".join(rows), "t.jsonl")


def test_what_bd_0_47_printed_is_read():
    folder = data("bd-0.47.2")
    exported = {issue.id: issue for issue in read_issues((folder / "export.jsonl").read_bytes(), "export").issues}
    listed = read_issues((folder / "list_json_all.json").read_bytes(), "list")
    assert {issue.id for issue in listed.issues} == exported.keys()
    assert any("counts" in problem.what for problem in listed.problems)
    (shown,) = read_issues((folder / "show_ID_json.json").read_bytes(), "show").issues
    assert {(edge.target, edge.bond) for edge in shown.dependencies} == {
        ("fx-k8d", Bond.PARENT),
        ("fx-k8d.1", Bond.BLOCKS),
    }
