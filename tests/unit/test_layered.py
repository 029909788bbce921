"""Layered tasks: what the form means, what is said of bad lines, and that reading undoes writing."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.backlog.issues import Bond, Dependency, Issue, Status
from analyzer.backlog.layered import read_layered
from analyzer.backlog.readiness import Rules, resolve, standings
from analyzer.layering import depths, write_layered
from analyzer.showing.layout import clean
from tests.support.backlogs import NOW, issue

RULES = Rules(NOW)
FILE = """# Layered Tasks: desk

**Purpose**: prose is passed over, and so are comments <!-- like this -->
<!--
- [ ] T999 in a comment
-->

## Layer 1: Foundation

#### @ana Foundation
- [x] T001 @ana Take tools in
- [ ] **T002** List them
  - **Blocks**: T004

## Layer 2: Loans (after layer 1)
- [~] T003: @bo Lend a tool
  Dependencies: T001, T002 (both)
  In `app/loans.py`.

  - [ ] not a task of its own
- [ ] T004 Take it back
**Depends on:** T001-T003
- [ ] `odd id` Something
  Dependencies: none

```
- [ ] T998 in a code block
```
"""


def waits(found: Issue) -> list[str]:
    return [edge.target for edge in found.dependencies]


def test_the_form():
    reading = read_layered(FILE.encode(), "tasks.md")
    tasks = {task.id: task for task in reading.issues}
    assert reading.problems == ()
    assert list(tasks) == ["T001", "T002", "T003", "T004", "odd id"]
    assert [task.status for task in reading.issues] == [
        Status.CLOSED, Status.OPEN, Status.IN_PROGRESS, Status.OPEN, Status.OPEN,
    ]  # fmt: skip
    assert (tasks["T003"].assignee, tasks["T003"].title, tasks["T003"].where) == ("bo", "Lend a tool", "tasks.md:16")
    assert tasks["T003"].description == "In `app/loans.py`.\n\n- [ ] not a task of its own"
    assert waits(tasks["T003"]) == ["T001", "T002"]
    assert sorted(waits(tasks["T004"])) == ["T001", "T002", "T003"]
    assert tasks["T003"].metadata["layer"] == "Layer 2: Loans (after layer 1)"


def test_bad_lines_are_named_and_the_good_ones_count():
    text = (
        b"- [ ] Re-run all of it\n- [?] T1 What\n  Dependencies: T1, soon\n  Blocks: T9\n- [ ] T1 Again\n- [ ] T2\n"
        b"- [ ] T3 \xff\n"
    )
    reading = read_layered(text, "t.md")
    assert [task.id for task in reading.issues] == ["T1", "T2", "T3"]
    assert [(problem.where, problem.what) for problem in reading.problems] == [
        ("t.md:1", "a task without an id: 'Re-run all of it'"),
        ("t.md:2", "unknown mark [?]"),
        ("t.md:3", "'soon' is no task id"),
        ("t.md:5", "T1 stands here and at t.md:2"),
        ("t.md:6", "a task without a title"),
        ("t.md:7", "not UTF-8 at byte 9"),
        ("t.md:3", "T1 waits for itself"),
        ("t.md:4", "T1 blocks T9, which is not in the file"),
    ]


def test_layers_and_what_an_epic_says():
    backlog = [
        *(issue("e1", kind="epic"), issue("a1", parent="e1"), issue("a2", "a1", parent="e1")),
        *(issue("e2", "e1", kind="epic"), issue("b1", parent="e2")),
        *(issue("c1", "c2"), issue("c2", "c1"), issue("d1", "c1")),
    ]
    text = write_layered(resolve(backlog, RULES))
    assert re.findall(r"^## .*|(?<=\] )\w+", text, re.MULTILINE) == [
        "## Layer 1", "a1", "## Layer 2", "a2", "## Layer 3", "b1", "## Layer 4", "c1", "c2", "d1",
    ]  # fmt: skip
    assert "b1 Do b1\n  Dependencies: a1, a2" in text


def test_what_is_no_work_still_holds_others_back():
    text = write_layered(resolve([issue("e1", kind="epic"), issue("g1", kind="gate"), issue("a1", "e1", "g1")], RULES))
    after = resolve(read_layered(text.encode(), "t.md").issues, RULES)
    assert [name for name, found in standings(after, RULES).items() if found.ready] == []


def test_depths_of_a_long_chain():
    chain = {f"t{n}": ([f"t{n - 1}"] if n else []) for n in range(10_000)}
    assert depths(chain)["t9999"] == 9999


IDS = st.one_of(
    st.from_regex(r"[A-Z]{1,2}\d{1,3}", fullmatch=True),
    st.from_regex(r"[a-z]{2}-[a-z0-9]{3}(\.\d)?", fullmatch=True),
    st.text(st.characters(exclude_characters="`", exclude_categories=("C", "Z")), min_size=1, max_size=8),
)
LINES = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    [
        "- [ ] T1 x",
        "Dependencies: T1",
        " \\Blocks: x",
        "- **Blocks**: T2",
        "## Layer 9",
        "```",
        "<!--",
        "\\",
        "\tx",
        "@x y",
    ]
)


@st.composite
def backlogs(draw):
    names = draw(st.lists(IDS, unique=True, max_size=7))
    found = []
    for name in names:
        targets = draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
        found.append(
            Issue(
                name,
                title=draw(LINES),
                description="\n".join(draw(st.lists(LINES, max_size=4))),
                status=draw(st.sampled_from([status for status in Status if status is not Status.PINNED])),
                assignee=draw(st.sampled_from(["", "ana", "bo b", "@x"])),
                dependencies=tuple(Dependency(other, Bond.BLOCKS) for other in targets if other != name),
                metadata=draw(st.sampled_from([{}, {"layer": "Layer 1: All"}, {"layer": 3}])),
            )
        )
    return found


def plain(issue: Issue) -> tuple:
    """What the form can hold of an issue."""
    lines = [line.rstrip() for line in re.split("\r\n|\r|\n", issue.description)]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    status = Status.IN_PROGRESS if issue.status is Status.HOOKED else issue.status
    agent = re.sub(r"\s+", "-", clean(issue.assignee).strip())
    return clean(issue.title).strip(), agent, status, "\n".join(lines), set(waits(issue))


@settings(deadline=None, max_examples=60)
@given(backlogs())
def test_a_tracker_survives_the_round_trip(issues):
    before = resolve(issues, RULES)
    text = write_layered(before)
    reading = read_layered(text.encode(), "t.md")
    assert [p for p in reading.problems if p.what != "a task without a title"] == []
    assert {task.id: plain(task) for task in reading.issues} == {one.id: plain(one) for one in issues}
    after = resolve(reading.issues, RULES)
    assert write_layered(after) == text
    ready = [{name for name, found in standings(b, RULES).items() if found.ready} for b in (before, after)]
    assert ready[0] == ready[1]


@settings(deadline=None)
@given(st.lists(LINES | st.just("- [ ] T1 x") | st.just("## Layer 2"), max_size=12))
def test_any_text_is_read(lines):
    text = "\n".join(lines)
    reading = read_layered(text.encode(), "t.md")
    again = read_layered(write_layered(resolve(reading.issues, RULES)).encode(), "t.md")
    assert {task.id: plain(task) for task in again.issues} == {task.id: plain(task) for task in reading.issues}
