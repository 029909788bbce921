"""Where a file system takes names of any case for one, so do scopes and reservations; elsewhere nothing changes."""

import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from analyzer.casing import key, pattern_key
from analyzer.globs import escape, intersect, matches
from coordinator.guard.rule import FREE, GRANT, REFUSED, Hold, Rule, judge, judge_tree

LETTERS = "aBzZ09.-_[]{!^ éÉßİΣςﬁK\u0301"
NAMES = some.text(LETTERS, min_size=1, max_size=6).filter(lambda name: name not in (".", ".."))
PATHS = some.lists(NAMES, min_size=1, max_size=3).map("/".join)
SPELLINGS = (str.lower, str.upper, str.swapcase, str.title, str.casefold)
FORMS = ("NFC", "NFD")
PARTS = some.sampled_from(["a", "B", "src", "*", "**", "*.Py", "[ab]", "[!A-C]", "[x-]", "[A-]", "{a,B}", "É", "??"])
PATTERNS = some.lists(PARTS, min_size=1, max_size=4).map("/".join)


@given(PATHS, some.sampled_from(SPELLINGS), some.sampled_from(FORMS))
def test_every_spelling_of_a_path_has_one_key(path: str, spell, form) -> None:
    assert key(unicodedata.normalize(form, path)) == key(path)
    assert key(key(path)) == key(path)
    assert key(spell(path)) == key(path) or spell(path).casefold() != path.casefold()
    assert matches(pattern_key(escape(path)), key(path))


def rule(mode: str, folds: bool) -> Rule:
    return Rule(mode, "ann", "a-1", ["Out/**"], [".beads/**"], ["**/go.mod"], folds)


@settings(deadline=None)
@given(PATHS, some.sampled_from(SPELLINGS), some.sampled_from(["strict", "reserved-by-others"]))
def test_whoever_holds_a_path_holds_all_its_spellings(path: str, spell, mode: str) -> None:
    assume(spell(path).casefold() == path.casefold())
    for agent, below in (("bob", ""), ("bob", "/**"), ("ann", "")):
        holds = [Hold(escape(path) + below, agent, "x", False, False, 1.8e9)]
        wanted = judge(rule(mode, True), holds, path).verdict
        assert judge(rule(mode, True), holds, spell(path)).verdict == wanted == (FREE if agent == "ann" else REFUSED)
        assert judge_tree(rule(mode, True), holds, spell(path)) == judge_tree(rule(mode, True), holds, path)


@settings(deadline=None)
@given(PATTERNS, some.lists(some.sampled_from("aBxsrcpPyéÉ.-"), min_size=1, max_size=5).map("".join))
def test_a_pattern_covers_with_a_path_all_its_spellings(pattern: str, name: str) -> None:
    for path in (name, f"src/{name}", f"a/B/{name}"):
        folded = pattern_key(pattern)
        assert not matches(pattern, path) or matches(folded, key(path)) or "[!" in pattern
        assert matches(folded, key(path)) == matches(folded, key(path.swapcase()))
        assert pattern_key(folded) == folded


def test_classes_take_in_both_cases() -> None:
    assert pattern_key("[A-C]x") == "[A-Cabc]x"
    assert pattern_key("[!A]") == "[!Aa]"
    assert pattern_key("[B-]/Q") == "[Bb-]/q"
    assert pattern_key("[]A]") == "[]Aa]"
    assert pattern_key("[*]/[!]") == "[*]/[!]"
    assert matches(pattern_key("app/[[]Id].ts"), key("APP/[iD].TS"))
    assert intersect(pattern_key("Src/[A-Z]*"), pattern_key("src/readme.md")) == "src/readme.md"


@pytest.mark.parametrize(("folds", "verdict"), [(True, REFUSED), (False, GRANT)])
def test_elsewhere_nothing_changes(folds: bool, verdict: str) -> None:
    holds = [Hold("src/**", "bob", "b-1", False, False, 1.8e9)]
    assert judge(rule("reserved-by-others", folds), holds, "SRC/a.py").verdict == verdict
    assert judge(rule("reserved-by-others", folds), [], ".Beads/x").verdict == verdict
    assert judge(rule("strict", folds), [], "lib/GO.MOD").verdict == (GRANT if folds else REFUSED)
    mine = [Hold("src/Pay.py", "ann", "a-1", True, False, 1.8e9)]
    assert judge(rule("strict", folds), mine, "tests/test_pay.py").verdict == (GRANT if folds else REFUSED)
