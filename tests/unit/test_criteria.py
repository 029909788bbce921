import json
import xml.etree.ElementTree as ET

import pytest

from coordinator.reports.bars import Timeline
from coordinator.reports.criteria import Judged, advice, by_week, overlapping
from coordinator.reports.run_page import Told, run_page
from coordinator.reports.weeks_svg import week_charts

WEEK = 7 * 86400.0
NONE = Judged((), (), {})
MONDAY = 1_700_438_400.0  # 2023-11-20, the Monday of 2023-W47


def event(at: float, kind: str, issue: str = "a", **data) -> dict:
    return {"at": at, "kind": kind, "issue": issue, "data": json.dumps(data)}


def test_by_week() -> None:
    judged = Judged({"t1", "t2"}, {"t1"}, {"m1": "t1", "m2": "t2", "m3": "t3"})
    events = [
        event(MONDAY, "landing.bounced"), event(MONDAY + 50, "landing.bounced"),
        event(MONDAY + 100, "landing.landed", merged="m1"),
        event(MONDAY + 110, "landing.landed", "b", merged="m2"),
        event(MONDAY + 120, "landing.landed", "c", merged="m3"),
        event(MONDAY + WEEK, "paths.reserved"), event(MONDAY + WEEK, "paths.refused"), event(MONDAY, "slot.leased"),
    ]  # fmt: skip
    weeks = by_week(events, judged)
    first, second = (week.as_json() for week in weeks.values())
    assert list(weeks) == ["2023-W47", "2023-W48"]
    assert (first["landed"], first["landed_without_gate"], first["bounced"]) == (3, 1, 2)
    assert first["recorded_checks"] == pytest.approx(1 / 3, abs=1e-3)
    assert first["median_repair_seconds"] == 100.0, "from the first bounce to the landing"
    assert second["wait_rate"] == 0.5
    assert any("had to wait" in line for line in advice(weeks, 0))
    assert advice({}, 0) == []


def test_a_drawing_for_each_criterion_says_what_is_good_and_what_is_not() -> None:
    events = [event(MONDAY, "paths.reserved"), event(MONDAY + WEEK, "paths.refused"), event(MONDAY, "landing.bounced")]
    charts = {
        chart.partition('aria-label="')[2].partition('"')[0]: chart for chart in week_charts(by_week(events, NONE))
    }
    waits = charts["reservations that had to wait"]
    assert "2023-W47: 0%" in waits
    assert "2023-W48: 100%" in waits
    assert (waits.count('rect class="good"'), waits.count('rect class="bad"'), waits.count('class="limit"')) == (
        1,
        1,
        1,
    )
    assert "with recorded checks" not in charts, "nothing landed: there is no figure"
    assert 'rect class="plain"' in charts["given back, red or in conflict"]
    for chart in charts.values():
        ET.fromstring(chart)


def test_who_had_to_wait_and_got_it_is_one_try_and_one_wait() -> None:
    waited = [event(MONDAY, "paths.reserved"), event(MONDAY, "paths.waited", granted=True)]
    week = by_week([event(MONDAY, "paths.reserved"), *waited], Judged((), (), {}))["2023-W47"]
    assert (week.as_json()["reservations"], week.as_json()["wait_rate"]) == (2, 0.5)
    week = by_week([event(MONDAY, "paths.waited", granted=False)], Judged((), (), {}))["2023-W47"]
    assert (week.as_json()["reservations"], week.as_json()["wait_rate"]) == (1, 1.0)


def contended(*events: dict) -> str:
    return " ".join(advice(by_week(events, Judged((), (), {})), 0))


def test_what_stands_in_the_way_is_counted_by_day_and_names_what_to_try() -> None:
    reserved = [event(MONDAY, "paths.reserved")] * 1000
    waits = [event(MONDAY + day * 86400, "paths.refused") for day in (0, 1) for _ in range(20)]
    assert contended(*reserved, *waits) == ""
    assert "21 waits for paths on one day" in contended(*reserved, *waits, event(MONDAY, "paths.refused"))
    berth = event(MONDAY, "slot.leased") | {"slot": "berth-1"}
    assert 'isolation = "slots"' in contended(berth, *reserved, *waits, event(MONDAY, "paths.refused"))
    mutex = [event(MONDAY + day * 86400, "mutex.waited", seconds=600.0) for day in (0, 1)]
    assert contended(*mutex) == ""
    assert "10 minutes were waited for mutexes" in contended(*mutex, event(MONDAY, "mutex.refused", seconds=5.0))
    assert "1 attempts changed the main checkout" in contended(event(MONDAY, "attempt.ended", strays="x"))
    assert "1 attempts changed the main checkout" in contended(event(MONDAY, "strays.found", strays="x"))
    assert contended(event(MONDAY, "attempt.ended", strays="")) == ""


def test_overlaps_in_time_and_path_are_found() -> None:
    def held(agent: str, pattern: str, begin: float, end: float | None, shared: int = 0) -> dict:
        return {
            "agent": agent,
            "pattern": pattern,
            "taken_at": begin,
            "released_at": end,
            "expires_at": 99.0,
            "shared": shared,
        }

    one = held("ann", "src/**", 0, 10)
    assert overlapping([one, held("bob", "src/a.py", 10, None), held("ann", "src/a.py", 1, 2)]) == []
    assert overlapping([held("a", "x", 0, 9, 1), held("b", "x", 0, 9, 1)]) == []
    assert overlapping([one, held("bob", "src/*.py", 9, None)])[0][:2] == ("ann", "bob")


def test_the_page_shows_what_was_told_and_runs_nothing() -> None:
    told = Told("a <repo>", "main", by_week([event(MONDAY, "task.handed_off")], Judged((), (), {})), 2, ["mind <this>"])
    page = run_page(Timeline((), 0.0), told)
    assert "a &lt;repo&gt;" in page
    assert "mind &lt;this&gt;" in page
    assert "2023-W47" in page
    assert "<script" not in page
