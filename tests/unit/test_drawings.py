"""The drawings show every track that their format can bear, and say what they leave out."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from analyzer.showing.diagrams import MERMAID_LINES, MERMAID_TEXT, dot, mermaid
from analyzer.showing.drawing import MOST_TRACKS, svg
from tests.support.backlogs import issue, plan

SVG = "{http://www.w3.org/2000/svg}"


def boxes(drawn: str) -> int:
    return len(ElementTree.fromstring(drawn).findall(f"{SVG}g"))


def test_some_hundred_loose_tracks_are_drawn_whole():
    made = plan(issue(f"s-{number}") for number in range(300))
    assert boxes(svg(made)) == 300
    assert "not drawn" not in svg(made)
    assert dot(made).count("label=") == 2 * 300
    assert mermaid(made).count(":::") == 300
    assert "not drawn" not in mermaid(made)


def test_what_is_too_much_is_left_out_and_told():
    count = MOST_TRACKS + 5
    made = plan(issue(f"s-{number}") for number in range(count))
    assert boxes(svg(made)) == MOST_TRACKS
    assert "not drawn: 5 more tracks" in svg(made)
    assert dot(made).count("label=") == 2 * count
    drawn = mermaid(made)
    assert 0.9 * MERMAID_TEXT < len(drawn) <= MERMAID_TEXT
    assert f"and {count - drawn.count(':::')} more tracks that are not drawn" in drawn


@pytest.mark.parametrize("waits", [40, 700])
def test_mermaid_keeps_to_its_limit_of_lines(waits):
    made = plan([issue("first"), *(issue(f"s-{number}", "first") for number in range(waits))])
    drawn = mermaid(made)
    assert len(re.findall(r"^  n\d+ (?:-->|==>)", drawn, re.MULTILINE)) <= MERMAID_LINES
    assert ("not drawn" in drawn) == (waits > MERMAID_LINES)
