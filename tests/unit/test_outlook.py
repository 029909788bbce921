"""What stands between finished work and the base branch, as a person sees it: trees, columns, nothing too wide."""

import pytest

from coordinator.entrypoints.live import frame
from coordinator.entrypoints.outlook_text import outlook_json, outlook_lines
from coordinator.entrypoints.status import render
from coordinator.merging.order import Entry
from coordinator.merging.outlook import Collided, Outlook, Standing, tries
from coordinator.merging.trials import Run


def entry(number: int, issue: str, state: str = "queued") -> Entry:
    return Entry(number, issue, f"agent/{issue}", "0" * 40, 0, 2, state, "", 900.0)


def run(number: int, *members: int, state: str = "running", about: int = 1) -> Run:
    return Run(number, "tip", members, about, False, "commit", "tree", "gate", state, 980.0)


ENTRIES = [entry(number, f"s-{letter}") for number, letter in enumerate("abcd", 1)]


def outlook(*runs: Run, exact: bool = True, **more: object) -> Outlook:
    chances = {one.id: 1.0 if one.state == "green" else 0.85 ** (len(one.members) - 1) for one in runs}
    tried = tuple(tries(runs, ENTRIES, chances, exact))
    why = {
        one.id: f"waits for its turn, as entry {one.id} of a queue that is told in a long sentence" for one in ENTRIES
    }
    base = {"at": 1000.0, "base": "main", "tip": "abcdef0123456789", "paused": False, "mode": "exact", "workers": 2}
    return Outlook(waiting=tuple(ENTRIES), why=why, tried=tried, **base | more)  # ty: ignore[invalid-argument-type]


def drawn(found: Outlook, head: str) -> list[str]:
    lines = outlook_lines(found, 120)
    start = next(place for place, line in enumerate(lines) if line.startswith(head))
    return lines[start + 1 : [*lines, ""].index("", start)]


def test_a_set_hangs_below_the_largest_that_it_contains_and_names_what_it_adds() -> None:
    found = outlook(run(7, 1), run(8, 1, 2), run(9, 1, 2, 3, 4, about=2), run(10, 2, state="green"))
    assert [" ".join(line.split()) for line in drawn(found, "TRIED NOW")] == [
        "main abcdef0123",
        "├─ s-a runs for 20 s 100%",
        "│ └─ + s-b runs for 20 s 85%",
        "│ └─ + s-c, s-d runs for 20 s 61%",
        "└─ s-b, without s-a passed, waits",
    ]


def test_the_base_branch_that_is_judged_itself_is_told() -> None:
    (line,) = drawn(outlook(bare=970.0), "TRIED NOW")
    assert line.split() == ["main", "abcdef0123", "judged", "itself", "for", "30", "s"]
    assert outlook_json(outlook())["base"]["judged_since"] is None


def test_a_passed_set_that_tells_nothing_any_more_is_not_shown_and_lanes_assume_nothing() -> None:
    assert tries([run(7, 2, state="green")], ENTRIES, {}, exact=True) == []
    assert tries([run(7, 2)], ENTRIES, {7: 1.0}, exact=False)[0].without == ()


def test_stacked_work_hangs_below_what_it_stands_on() -> None:
    on_b = Standing("s-c", "agent-3", (("s-b", "waits to land"),))
    on_both = Standing("s-d", "", (("s-a", "is being mended"), ("s-c", "waits to land")))
    assert [" ".join(line.split()) for line in drawn(outlook(standing=(on_b, on_both)), "STANDS")] == [
        "s-b waits to land",
        "└─ s-c agent-3 works on it",
        "└─ s-d waits to land; also on s-a",
    ]


def test_a_collision_says_who_was_told_and_what_is_only_stale() -> None:
    paths = ("a.py", "b.py", "c.py")
    told = (Collided("s-c", "s-b", "agent-3", paths, 940.0), Collided("s-d", None, "agent-4", ("z",), 880.0))
    found = outlook(collided=told, looked=(995.0, 4))
    assert "radar, 5 s ago: 4 pieces of unlanded work" in outlook_lines(found, 120)
    assert [" ".join(line.split()) for line in drawn(found, "WILL NOT MERGE")] == [
        "s-c s-b agent-3, 60 s ago a.py, b.py and 1 more",
        "s-d main (stale) agent-4, 2:00 min ago z",
    ]
    assert outlook_json(found)["collisions"][1]["with"] is None


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    collided = (Collided("s-c", "s-b", "agent-3", ("a/long/path/" * 9,), 940.0),)
    found = outlook(run(7, 1), run(8, 1, 2, 3, 4, about=3), collided=collided, looked=(995.0, 4))
    landing = outlook_lines(found, width)
    slot = {"slot": "pool-wt-1", "state": "leased", "task": "working", "agent": "agent-1", "issue": "s-a", "attempt": 1}
    status = {
        "repo": "/a/long/way/" * 9 + "shop", "base": {"branch": "main", "sha": "a" * 40}, "tasks": {"judging": 3},
        "coordinator": True,
        "agents": {"seats": 4, "working": 2, "bounced": 0, "landing": 1},
        "breaker": {"until": "then", "why": "the model refuses " * 9},
        "slots": [slot | {"database": None, "silent": 300.0, "activity": "said a lot " * 20}],
        "queue": [{"issue": "s-e", "why": "waits for s-a " * 9}], "merge": [], "leaks": 1, "leaks_counted": True,
        "limits": [{"resource": f"resource {number}", "level": "ok"} for number in range(12)],
    }  # fmt: skip
    lines = render(status, colour=False, width=width, landing=landing).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("shop  on main"), "the folder says more than the way to it"
    assert frame(lines, ["one", "two"], 24)[-1] == "Ctrl-C ends the view; the work goes on"


def test_what_does_not_fit_on_the_screen_is_said_and_the_newest_events_stay() -> None:
    shown = frame([f"line {number}" for number in range(50)], [f"event {number}" for number in range(9)], 20)
    assert len(shown) == 20
    assert shown[13] == "… 37 more lines; agent-coord merge status shows all"
    assert shown[15:18] == ["event 6", "event 7", "event 8"]
    assert len(frame(["a line"], ["an event"] * 90, 20)) == 20
