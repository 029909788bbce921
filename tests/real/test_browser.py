"""The HTML page in a real browser: it draws what it should, without a script error, also for thousands of issues."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.analyzers import ROOT, run
from tests.support.backlogs import lines, record

pytestmark = pytest.mark.real
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1200",
]
DEMO = ROOT / "coordinator/demo/sample/beads/issues.jsonl"


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
    )
    if not found:
        pytest.skip("there is no chromium on PATH to look at the page with")
    return found


class Dom(HTMLParser):
    """The cards, ties and attributes of the page as the browser left it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.html: dict[str, str | None] = {}
        self.cards: dict[str, str] = {}
        self.ties: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.html = dict(attrs)
        elif "data-issue" in told:
            self.cards[told["data-issue"]] = told["class"]
        elif tag == "path" and told.get("class", "").startswith("tie"):
            self.ties.append(told["class"])


def browse(chromium: str, page: Path, *flags: str, fragment: str = "") -> str:
    words = [chromium, *FLAGS, f"--user-data-dir={page.parent / 'profile'}", *flags, page.as_uri() + fragment]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=True).stdout


def look(chromium: str, page: Path, fragment: str = "") -> Dom:
    dom = Dom(browse(chromium, page, "--dump-dom", fragment=fragment))
    assert "data-error" not in dom.html, dom.html
    assert int(dom.html["data-drawn"] or 0) == len(dom.cards)
    return dom


def draw(tracker: Path, page: Path) -> Path:
    page.write_text(run("graph", "--format", "html", "--quiet", "--issues", tracker, cwd=page.parent).stdout)
    assert not re.search(r"(?:src|href)=.?https?:", page.read_text()), "the page would fetch something"
    return page


def clicked(page: Path, selector: str) -> Path:
    """The page with something clicked at once."""
    click = f"<script>document.querySelector({selector!r}).click()</script></body>"
    copy = page.with_name("clicked.html")
    copy.write_text(page.read_text().replace("</body>", click))
    return copy


def colours(png: bytes) -> int:
    """How many different stretches of 64 bytes a picture has: a blank one has next to none."""
    data, place = b"", 8
    while place < len(png):
        size = int.from_bytes(png[place : place + 4], "big")
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + size]
        place += 12 + size
    pixels = zlib.decompress(data)
    return len({pixels[start : start + 64] for start in range(0, len(pixels), 64)})


def test_the_backlog_of_the_demo(chromium, tmp_path):
    page = draw(DEMO, tmp_path / "a plan.html")
    dom = look(chromium, page)
    assert len(dom.cards) == 13
    assert "critical" in dom.cards["desk-f2m.1"]
    assert sum("arrow" in tie for tie in dom.ties) == 4
    browse(chromium, page, f"--screenshot={tmp_path / 'page.png'}")
    assert colours((tmp_path / "page.png").read_bytes()) > 50


def test_a_link_to_an_issue_lights_its_chain(chromium, tmp_path):
    dom = look(chromium, draw(DEMO, tmp_path / "plan.html"), "#desk-f2m.2")
    assert "chosen" in dom.cards["desk-f2m.2"]
    assert all("lit" in dom.cards[name] for name in ("desk-f2m.1", "desk-f2m.3"))
    assert "dim" in dom.cards["desk-w8t"]


def test_two_thousand_issues_open_with_the_first_layers(chromium, tmp_path):
    dice = random.Random(7)
    made = [record("b-0", title='</script><script>throw Error("x")</script>')]
    for number in range(1, 2000):
        waits = {f"b-{dice.randrange(number)}" for _ in range(dice.choice([0, 1, 1, 2]))}
        made.append(record(f"b-{number}", *sorted(waits), description=f"Edit `src/part{number % 90}/file{number}.py`."))
    (tmp_path / "big.jsonl").write_bytes(lines(*made))
    page = draw(tmp_path / "big.jsonl", tmp_path / "big.html")
    assert page.stat().st_size < 3_000_000
    dom = look(chromium, page)
    assert 30 < len(dom.cards) <= 3 * 36
    deep = next(f"b-{number}" for number in range(1999, 0, -1) if f"b-{number}" not in dom.cards)
    assert "chosen" in look(chromium, page, f"#{deep}").cards[deep]
    deeper = Dom(browse(chromium, clicked(page, "button.deeper"), "--dump-dom"))
    wider = Dom(browse(chromium, clicked(page, ".layer button.more"), "--dump-dom"))
    assert min(len(deeper.cards), len(wider.cards)) > len(dom.cards)
