"""One rule for four places: who may write what."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from analyzer.globs import intersect, matches
from coordinator.guard.rule import FREE, GRANT, REFUSED, Hold, Rule, advice, covers, judge, judge_tree, meets, partners


def rule(mode: str = "reserved-by-others") -> Rule:
    return Rule(mode, "ann", "a-1", always=["out/**"], protected=[".beads/**"], shared=["**/go.mod"])


def hold(pattern: str, agent: str = "bob", *, shared: bool = False, predicted: bool = False) -> Hold:
    return Hold(pattern, agent, f"issue-of-{agent}", shared, predicted, 1.8e9)


HOLDS = [hold("src/bob/**"), hold("src/guess.py", predicted=True), hold("src/mine.py", "ann", predicted=True)]


@pytest.mark.parametrize(
    ("mode", "path", "verdict"),
    [
        ("reserved-by-others", "src/bob/a.py", REFUSED),
        ("reserved-by-others", "src/guess.py", GRANT),
        ("reserved-by-others", "src/mine.py", FREE),
        ("reserved-by-others", "src/new.py", GRANT),
        ("reserved-by-others", ".beads/issues.jsonl", REFUSED),
        ("reserved-by-others", "out/bob/x", FREE),
        ("strict", "src/new.py", REFUSED),
        ("strict", "src/guess.py", REFUSED),
        ("strict", "src/mine.py", FREE),
        ("strict", "tests/unit/test_mine.py", GRANT),
        ("strict", "docs/mine.md", GRANT),
        ("strict", "lib/go.mod", GRANT),
        ("strict", "src/bob/test_mine.py", REFUSED),
        ("off", "src/bob/a.py", FREE),
        ("off", ".beads/issues.jsonl", FREE),
    ],
)
def test_what_each_mode_allows(mode: str, path: str, verdict: str) -> None:
    assert judge(rule(mode), HOLDS, path).verdict == verdict


def test_a_guess_refuses_nothing_and_protects_nothing() -> None:
    assert judge(rule(), [hold("a.py", predicted=True), hold("a.py", "ann")], "a.py").verdict == FREE
    assert judge(rule(), [hold("a.py"), hold("a.py", "ann", predicted=True)], "a.py").verdict == REFUSED
    assert judge(rule(), [hold("a.py", shared=True)], "a.py").verdict == GRANT


def test_a_refusal_names_the_holder_the_term_and_the_way_out() -> None:
    said = advice("pool-wt-1", "src/bob/a.py", judge(rule(), HOLDS, "src/bob/a.py"))
    assert "bob holds src/bob/** for issue-of-bob until 2027-" in said
    assert "agent-coord scope widen pool-wt-1 src/bob/a.py --why" in said
    assert "scope widen" not in advice("pool-wt-1", ".beads/x", judge(rule(), [], ".beads/x"))


def test_a_whole_folder_is_refused_for_what_others_hold_in_it() -> None:
    assert judge_tree(rule(), HOLDS, "src").verdict == REFUSED
    assert judge_tree(rule(), HOLDS, "").verdict == REFUSED
    assert judge_tree(rule(), HOLDS, "lib").verdict == FREE
    assert judge_tree(rule("strict"), HOLDS, "lib").verdict == REFUSED
    assert judge_tree(rule("strict"), [hold("lib/**", "ann")], "lib/deep").verdict == FREE


def test_partners_are_known_by_name() -> None:
    assert {"test_pay.py", "pay_test.py", "pay.md"} <= partners("src/pay.py")
    assert {"pay_test.go", "payTest.go"} <= partners("pay.go")
    assert partners("src/**") == partners("src/*.py") == partners("Makefile") == frozenset()


PARTS = some.sampled_from(["a", "b", "src", "*", "**", "*.py", "[ab]", "{a,b}", "x.py", "é"])
PATTERNS = some.lists(PARTS, min_size=1, max_size=4).map("/".join)
PATHS = some.lists(some.sampled_from(["a", "b", "src", "x.py", "é"]), min_size=1, max_size=4).map("/".join)


@settings(deadline=None)
@given(PATTERNS, PATHS)
def test_the_short_cuts_say_what_the_patterns_own_room_says(pattern: str, path: str) -> None:
    assert covers(pattern, path) == matches(pattern, path)
    assert meets(pattern, path) == (intersect(pattern, f"{path}/**") is not None)
