import pytest

from coordinator.gate.resolution import Shown, missing, sentence
from coordinator.tasks.lifecycle import Next, Outcome, decide
from coordinator.tasks.resolutions import Kind, Resolution

WHY = "the page has counted loans since the rewrite; test_loans shows it"
NAMING = (("c" * 40, "x-12: other"), ("a" * 40, "x-1: count them"))


def lacks(kind: Kind, shown: Shown, why: str = WHY, proof: str = "") -> str:
    return "; ".join(missing("x-1", "Count the loans of a member", Resolution(kind, why, proof), shown))


@pytest.mark.parametrize("kind", [Kind.NO_CHANGE, Kind.OBSOLETE])
def test_a_reason_and_a_slot_as_it_was_given_are_enough(kind: Kind) -> None:
    assert lacks(kind, Shown()) == ""
    assert "commits were made" in lacks(kind, Shown(commits=1))
    assert "undo a.py" in lacks(kind, Shown(uncommitted=("a.py",)))


@pytest.mark.parametrize(
    "why", ["", "done", "not needed", "x" * 60, "Count  the loans of A MEMBER", "- - - - - - - - - -"]
)
def test_a_reason_must_tell_something(why: str) -> None:
    assert "the reason tells too little" in lacks(Kind.NO_CHANGE, Shown(), why)


def test_a_reason_may_be_in_any_script() -> None:
    assert lacks(Kind.OBSOLETE, Shown(), "自从上次重写以来会员页面已经显示借出数量测试证明了这一点") == ""


def test_what_is_done_already_needs_the_commit_that_has_done_it() -> None:
    assert "no commit on the base branch names x-1" in lacks(Kind.ALREADY_DONE, Shown(naming=NAMING[:1]))
    assert lacks(Kind.ALREADY_DONE, Shown(naming=NAMING)) == ""
    back = (("d" * 40, 'Revert "x-1: count them"'), *NAMING)
    assert "took it back" in lacks(Kind.ALREADY_DONE, Shown(naming=back))
    assert "there is no commit beef" in lacks(Kind.ALREADY_DONE, Shown(), proof="beef")
    assert "has not landed" in lacks(Kind.ALREADY_DONE, Shown(proof="b" * 40), proof="beef")
    assert lacks(Kind.ALREADY_DONE, Shown(proof="b" * 40, on_base=True), proof="beef") == ""


def test_the_reason_names_the_commit() -> None:
    said = Resolution(Kind.ALREADY_DONE, WHY)
    assert sentence("x-1", said, Shown(naming=NAMING)) == f"already done in {'a' * 12}: {WHY}"


def test_what_follows() -> None:
    assert decide(Outcome.RESOLVED, 3, 3, WHY).next is Next.CLOSE
    assert decide(Outcome.DOUBTED, 1, 3, WHY).next is Next.HAND_OFF
