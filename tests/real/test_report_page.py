"""The report of runs in a real browser: it draws what the ledger told, asks for nothing, and fits a narrow screen."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from coordinator.reports.criteria import Judged, advice, by_week
from coordinator.reports.run_page import Told, run_page
from coordinator.reports.timeline import build_timeline
from tests.support.projects import make_place, writes
from tests.support.run_log import Log

pytestmark = pytest.mark.real
# A name that nobody has: what the browser would ask for on its own account stays at home.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"
WEEK = 7 * 86400
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
IMAGE = '<img src="http://report.invalid/x.png">'


@pytest.fixture(scope="module")
def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), "")
    if not found:
        pytest.skip("there is no chromium on PATH to look at the report with")
    return found


class Browser:
    """What a browser makes of a page: its document, what it complains of, what the page asks for."""

    def __init__(self, chromium: str, page: Path, *flags: str) -> None:
        log = page.with_suffix(".net.json")
        words = [chromium, *FLAGS, OFFLINE, f"--user-data-dir={page.parent / 'profile'}", "--enable-logging=stderr"]
        words += [f"--log-net-log={log}", *flags, "--dump-dom", page.as_uri()]
        done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=True)
        self.dom = done.stdout
        self.complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        events = json.loads(log.read_text())["events"]
        told = [event["params"] for event in events if "initiator" in event.get("params", {})]
        # What the browser asks for by itself has no origin.
        self.asked = [one["url"] for one in told if one.get("initiator") != "not an origin" and "url" in one]

    def count(self, pattern: str) -> int:
        return len(re.findall(pattern, self.dom))


def wide(page: Path) -> Path:
    """The page with its policy taken out and a script that writes down how wide it came out, in a narrow frame."""
    script = "<script>document.title = document.documentElement.scrollWidth + ' of ' + innerWidth</script></body>"
    copy = page.with_name("wide.html")
    copy.write_text(POLICY.sub("", page.read_text()).replace("</body>", script))
    return copy


def many_runs() -> Log:
    """Five weeks, in each a run of three slots."""
    dice, log = random.Random(5), Log()
    for number in range(60):
        begin = number // 12 * WEEK + number % 4 * 300
        name, slot, passed = f"desk-{number:x}", f"pool-wt-{number % 3 + 1}", dice.random() < 0.7
        log.attempt(name, begin, begin + 250, slot=slot, passed=passed, title='</svg><script>throw "x"</script>')
        log.tell(begin + 90, "radar.collision", name, slot, other="base", paths=["a.py"])
    log.rows.sort(key=lambda row: row["at"])
    for place, row in enumerate(log.rows):
        row["seq"] = place
    return log


@pytest.fixture
def page(tmp_path: Path) -> Path:
    rows = many_runs().rows
    weeks = by_week(rows, Judged({"t"}, {"t"}, {"None": "t"}))
    file = tmp_path / "a report.html"
    file.write_text(run_page(build_timeline(rows), Told("a <desk>", "main", weeks, 0, advice(weeks, 0))))
    return file


def test_every_attempt_landing_and_week_is_drawn_and_nothing_is_asked_for(chromium: str, page: Path) -> None:
    seen = Browser(chromium, page)
    assert (seen.complaints, seen.asked) == ([], [])
    timeline = build_timeline(many_runs().rows)
    assert len(timeline.bars) == 60
    assert seen.count(r'<rect class="body" x="[^.]') == 60
    assert seen.count(r"<title>desk-\w+ landed</title>") == len(timeline.landings)
    assert seen.count(r"<title>told: it will not merge with what has landed</title>") == 60
    assert seen.count("<details>") == 4, "the newest run is open"
    assert seen.count(r'<svg class="weeks"') >= 5
    assert seen.count(r"<title>20\d\d-W\d\d: ") >= 5 * 5
    assert seen.count("<script") == 0, "what people wrote is text"


def test_the_browser_would_complain_and_tell_what_a_page_asks_for(chromium: str, page: Path) -> None:
    text = page.read_text().replace("</body>", IMAGE + "</body>")
    page.write_text(text)
    assert any("Content Security Policy" in line for line in Browser(chromium, page).complaints)
    page.write_text(POLICY.sub("", text))
    assert Browser(chromium, page).asked == ["http://report.invalid/x.png"]


@pytest.mark.parametrize("width", [1280, 500])
def test_only_the_timeline_is_wider_than_the_screen(chromium: str, page: Path, width: int) -> None:
    found = re.search(r"<title>(\d+) of (\d+)</title>", Browser(chromium, wide(page), f"--window-size={width},900").dom)
    assert found is not None
    assert int(found[1]) <= int(found[2])


def test_a_real_run(chromium: str, tmp_path: Path) -> None:
    place = make_place(tmp_path / "a place")
    place.script("a-1", writes("one.txt", "1", "a-1: one"))
    place.script("a-2", "", writes("two.txt", "2", "a-2: two"))
    place.json("init")
    assert place.run("run").returncode == 0
    report = place.root / "report.html"
    told = place.json("report", "--html", str(report))
    seen = Browser(chromium, report)
    assert (seen.complaints, seen.asked) == ([], [])
    assert seen.count(r'<rect class="body" x="[^.]') == len(told["attempts"]) == 3
    assert seen.count(r"<title>a-\d landed</title>") == 2
    assert seen.count("<td[^>]*>a-2</td>") == 1, "what did not land at once"
