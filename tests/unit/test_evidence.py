import pytest

from coordinator.gate.evidence import Work, complaints, names, outline


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("bd-1: fix", True),
        ("fix (bd-1)", True),
        ("bd-12: other", False),
        ("bd-1.2: child", False),
        ("bd-1. A sentence", True),
        ("abd-1", False),
        ("x.bd-1", False),
    ],
)
def test_a_message_names_an_issue_as_a_word(message: str, named: bool) -> None:
    assert names(message, "bd-1") is named


def test_no_commit_is_the_only_complaint_then() -> None:
    (only,) = complaints(Work("bd-1", (), (), ("a.py",)), commit_names_issue=True)
    assert "no commit" in only
    assert "1 files have uncommitted changes" in only


def test_the_tracker_is_not_the_agents_to_change() -> None:
    found = complaints(Work("bd-1", ("bd-1: x",), (".beads/issues.jsonl", "a.py")), commit_names_issue=True)
    assert len(found) == 1
    assert ".beads/issues.jsonl" in found[0]


def test_naming_the_issue_can_be_left_to_people() -> None:
    work = Work("bd-1", ("fix it",), ("a.py",))
    assert complaints(work, commit_names_issue=True)
    assert not complaints(work, commit_names_issue=False)


def test_an_outline_counts_the_rest() -> None:
    assert outline(["a", "b"]) == "a, b"
    assert outline(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
