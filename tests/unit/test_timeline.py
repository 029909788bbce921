"""A run's events become bars, a text that fits, and a picture that stands alone."""

import xml.etree.ElementTree as ET

from coordinator.reports.bars import Outcome, clock, cut, short_names, ticks
from coordinator.reports.timeline import build_timeline, timeline_svg, timeline_text
from tests.support.run_log import Log


def test_an_attempt_becomes_a_bar():
    bar = Log().attempt("d-1", 0, 5).timeline.bars[0]
    assert (bar.begin, bar.worked, bar.end, bar.outcome) == (0, 3, 5, Outcome.LANDED)
    assert [(gate.begin, gate.end, gate.passed) for gate in bar.gates] == [(4, 5, True)]


def test_a_red_gate_and_the_second_attempt_are_two_bars():
    timeline = Log().attempt("d-1", 0, 5, passed=False).attempt("d-1", 5, 9, number=2).timeline
    assert [(bar.attempt, bar.outcome) for bar in timeline.bars] == [(1, Outcome.RED), (2, Outcome.LANDED)]
    assert "1 issue landed from 1 slot in 9 s" in timeline.headline()
    assert timeline.details(0) == "2 attempts · 1 red gate · 2 gate runs · 0 leaks"


def test_a_conflict_is_no_red_gate():
    log = Log().tell(0, "attempt.started", "d-1", title="x").tell(1, "attempt.ended", "d-1", ending="done")
    assert log.tell(2, "landing.bounced", "d-1", why="conflicts with main").timeline.bars[0].outcome is Outcome.BOUNCED


def test_what_ends_badly_says_how():
    log = Log()
    for number, ending in enumerate(("failed", "stopped", "done")):
        log.tell(number, "attempt.started", f"d-{number}").tell(
            number + 1, "attempt.ended", f"d-{number}", ending=ending, why="no"
        )
    log.tell(9, "task.handed_off", "d-0", why="3 attempts")
    assert [bar.outcome for bar in log.timeline.bars] == [Outcome.HANDED_OFF, Outcome.STOPPED, Outcome.RED]
    assert "0 of 3 issues landed" in log.timeline.headline()


def test_a_run_that_still_goes_is_drawn_as_far_as_it_tells():
    log = Log().attempt("d-1", 0, 6, passed=None).tell(7, "attempt.started", "d-2", "pool-wt-2", title="Two")
    log.tell(8, "gate.ended", "d-9", passed=True).tell(9, "odd.kind", "d-1")
    log.rows[2]["data"] = "no json"
    timeline = log.timeline
    assert [bar.end for bar in timeline.bars] == [None, None]
    assert "▸" in timeline_text(timeline)
    ET.fromstring(timeline_svg(timeline))


def test_no_events_no_bars():
    timeline = build_timeline([])
    assert timeline.bars == ()
    assert "nothing" in timeline_text(timeline)
    ET.fromstring(timeline_svg(timeline))


def test_slots_stand_in_the_order_of_their_numbers():
    log = Log()
    for number in (10, 2, 1):
        log.attempt(f"d-{number}", 0, 5, slot=f"pool-wt-{number}")
    assert log.timeline.slots == ("pool-wt-1", "pool-wt-2", "pool-wt-10")


def busy(attempts=40):
    log = Log()
    for number in range(attempts):
        slot, begin = f"pool-wt-{number % 4 + 1}", number // 4 * 6
        log.attempt(f"desk-a{number}", begin, begin + 5.5, slot=slot, passed=number % 7 != 3, title="A title " * 20)
    log.rows.sort(key=lambda row: row["at"])
    for place, row in enumerate(log.rows):
        row["seq"] = place
    return log.timeline


def test_the_text_fits_its_width():
    for width in (60, 110):
        lines = timeline_text(busy(), width=width, leaks=0).splitlines()
        assert max(map(len, lines[3:9])) <= width
        assert max(map(len, lines[-40:])) <= width


def test_no_line_of_a_narrow_text_is_wider_and_long_times_are_told_in_minutes():
    lines = timeline_text(busy(), width=80, leaks=0).splitlines()
    assert max(map(len, lines)) <= 80
    assert any("✗ red gate" in line for line in lines)
    text = timeline_text(Log().attempt("d-1", 0, 30).attempt("d-2", 3000, 3065).timeline)
    assert "50:00 min – 51:05 min  ✓ d-2" in text


def test_every_bar_keeps_its_mark_when_the_next_follows_at_once():
    text = timeline_text(Log().attempt("d-1", 0, 5, passed=False).attempt("d-1", 5, 10, number=2).timeline)
    row = next(line for line in text.splitlines() if line.startswith("pool-wt-1"))
    assert row.count("✗") == 1
    assert row.endswith("✓")


def test_the_picture_names_every_attempt_and_escapes_what_people_wrote():
    timeline = Log().attempt("d-1", 0, 5, passed=False).attempt("d-1", 5, 9, number=2).timeline
    root = ET.fromstring(timeline_svg(timeline, leaks=0))
    told = "\n".join(root.itertext())
    assert told.count("d-1: Do <it> & more") == 2
    assert "0 leaks" in told
    assert "landing on main" in told


def test_the_picture_stays_inside_its_frame():
    root = ET.fromstring(timeline_svg(busy()))
    width = float(root.attrib["viewBox"].split()[2])
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert 0 <= float(box.get("x", 0)) <= float(box.get("x", 0)) + float(box.attrib["width"]) <= width


def test_a_quiet_time_divides_two_runs_but_not_while_somebody_may_be_at_work():
    log = Log().attempt("d-1", 0, 9).attempt("d-2", 3000, 3009, passed=None)
    log.attempt("d-3", 9000, 9009, slot="pool-wt-2").attempt("d-4", 90_000, 90_005)
    first, second, third = log.timeline.runs()
    assert [bar.issue for bar in second.bars] == ["d-2", "d-3"], "d-2 is open: nothing is known of its end"
    assert (first.seconds, second.seconds, third.seconds) == (9, 6009, 5)
    assert (third.origin, third.bars[0].begin, third.bars[0].end) == (1_700_090_000, 0, 5)
    assert third.bars[0].gates[0].begin == 4
    assert build_timeline([]).runs() == ()


def test_what_the_radar_told_is_marked_where_it_was_told():
    log = Log().tell(0, "attempt.started", "d-1", title="x").tell(4, "radar.collision", "d-1", other="d-<2>")
    assert log.timeline.bars[0].warned == ((4, "d-<2>"),)
    told = "\n".join(ET.fromstring(timeline_svg(log.tell(9, "attempt.ended", "d-1").timeline)).itertext())
    assert "told: it will not merge with d-<2>" in told


def test_a_crowded_lane_makes_the_picture_wider():
    log = Log()
    for number in range(60):
        log.attempt(f"d-{number}", number * 9, number * 9 + 8)
    root = ET.fromstring(timeline_svg(log.timeline))
    bars = [
        box
        for box in root.iter("{http://www.w3.org/2000/svg}rect")
        if box.get("class") == "body" and box.get("y") == "106"
    ]
    assert len(bars) == 60
    assert min(float(bar.attrib["width"]) for bar in bars) > 30


def test_words():
    assert [clock(seconds) for seconds in (0.4, 31.4, 245, 3720, 7320)] == [
        "0 s",
        "31 s",
        "4:05 min",
        "62:00 min",
        "2:02 h",
    ]
    assert (cut("abc", 3), cut("abcd", 3), cut("abcd", 1)) == ("abc", "ab…", "")
    assert short_names(["desk-a", "desk-f2.1"]) == {"desk-a": "a", "desk-f2.1": "f2.1"}
    assert short_names(["a-1", "b-1"]) == {"a-1": "a-1", "b-1": "b-1"}
    assert ticks(19, 10) == [float(at) for at in range(0, 20, 2)]
