"""Patterns against an independent matcher (regular expressions) and against all paths of a small alphabet."""

import itertools
import random
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.globs import PatternSet, escape, intersect, is_literal, matches, normalise
from resources.system.errors import Failure

NAMES = ["".join(chars) for size in (1, 2) for chars in itertools.product("ab.", repeat=size)]
SEGMENTS = ["a", "b", "ab", "."]
PATHS = ["/".join(parts) for size in (1, 2, 3) for parts in itertools.product(SEGMENTS, repeat=size)] + NAMES

pieces = st.sampled_from(["a", "b", ".", "*", "?", "[ab]", "[!a]", "[a-b]"])
segment_text = st.lists(pieces, min_size=1, max_size=4).map("".join)
segment = segment_text.filter(lambda text: text not in (".", "..", "**"))
plain = st.lists(st.one_of(segment, st.just("**")), min_size=1, max_size=4).map("/".join)
braced = st.lists(plain, min_size=2, max_size=3).map(lambda parts: "{" + ",".join(parts) + "}")
pattern = st.one_of(plain, braced, st.tuples(plain, braced).map("/".join))


def reference(pattern: str, path: str) -> bool:
    """The same meaning by regular expressions, written apart from the code under test."""
    brace = re.search(r"\{([^{}]*)\}", pattern)
    if brace:
        readings = (pattern[: brace.start()] + one + pattern[brace.end() :] for one in brace[1].split(","))
        return any(reference(one, path) for one in readings)
    out = ""
    parts = pattern.split("/")
    for part in parts:
        if part == "**":
            out += "(?:[^/]+/)*"
            continue
        for piece in re.findall(r"\[!?[^\]]+\]|.", part):
            if piece[0] == "[" and len(piece) > 1:
                out += piece.replace("[!", "[^/")
            else:
                out += {"*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece))
        out += "/"
    return re.fullmatch(out, path + "/") is not None


@given(pattern)
@settings(max_examples=120, deadline=None)
def test_matches_what_the_reference_matches(text):
    for path in PATHS:
        assert matches(text, path) == reference(text, path), path


@given(pattern, pattern)
@example("src/web/**", "src/*/models.py")
@example("**/a", "a/**")
@example("*a", "*b")
@settings(max_examples=200, deadline=None)
def test_two_patterns_meet_exactly_when_some_path_matches_both(a, b):
    witness = intersect(a, b)
    if witness is None:
        assert not [path for path in PATHS if reference(a, path) and reference(b, path)]
    else:
        assert reference(a, witness)
        assert reference(b, witness)
    assert (witness is None) == (intersect(b, a) is None)


def test_ten_thousand_pairs_meet_as_all_paths_say():
    draw = random.Random(23)
    parts = ["a", "b", "ab", "*", "?", "a*", "*b", "[ab]", "[!a]*", "**", "**", "?b", "*a*", "."]
    texts = ["/".join(draw.choice(parts) for _ in range(draw.randint(1, 4))) for _ in range(400)]
    texts = sorted({text for text in texts if "." not in text.split("/")} | {"a/{b,**}/ab", "{a,*b}/?"})
    covered = {text: sum(1 << at for at, path in enumerate(PATHS) if reference(text, path)) for text in texts}
    for _ in range(10_000):
        a, b = draw.choice(texts), draw.choice(texts)
        witness = intersect(a, b)
        if witness is None:
            assert not covered[a] & covered[b], (a, b)
        else:
            assert reference(a, witness), (a, b, witness)
            assert reference(b, witness), (a, b, witness)
            shortest = min(
                (len(path) for at, path in enumerate(PATHS) if (covered[a] & covered[b]) >> at & 1), default=99
            )
            assert len(witness) <= shortest, (a, b, witness)


@given(st.lists(pattern, max_size=5), pattern)
@settings(max_examples=100, deadline=None)
def test_a_set_answers_as_its_patterns_do(patterns, other):
    index = PatternSet(patterns)
    for path in PATHS[::5]:
        found = index.match(path)
        assert (found is not None) == any(matches(one, path) for one in patterns)
        assert found is None or matches(found, path)
    met = index.overlaps(other)
    assert (met is not None) == any(intersect(one, other) for one in patterns)
    if met:
        assert matches(met[0], met[1])
        assert matches(other, met[1])


def kept(patterns: list[str], path: str) -> bool:
    """The last that matches decides."""
    told = [not one.startswith("!") for one in patterns if reference(one.removeprefix("!"), path)]
    return bool(told) and told[-1]


@given(st.lists(st.tuples(st.sampled_from(["", "", "!"]), plain).map("".join), max_size=5), plain)
@settings(max_examples=150, deadline=None)
@example(["a/**", "!a/b"], "a/*")
@example(["**", "!a/**", "a/b"], "a/**")
@example(["a*", "!a"], "a")
def test_in_a_list_the_last_pattern_that_matches_decides(patterns, other):
    index = PatternSet(patterns)
    for path in PATHS[::3]:
        assert (index.match(path) is not None) == kept(patterns, path), path
    met = index.overlaps(other)
    if met:
        assert kept(patterns, met[1])
        assert reference(other, met[1])
    else:
        assert not [path for path in PATHS if kept(patterns, path) and reference(other, path)]


@given(st.text(alphabet="ab*?[]{},!^-. é", min_size=1, max_size=8).filter(lambda text: text not in (".", "..")))
def test_an_escaped_path_matches_itself_and_is_literal(name):
    for path in (name, f"app/{name}"):
        assert matches(escape(path), path)
        assert is_literal(escape(path))
        assert not matches(escape(path), f"{path}x")


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("./src//web/", "src/web/**"),
        ("src/./a.py", "src/a.py"),
        (".", "**"),
        ("e\u0301.txt", "é.txt"),
        ("{a,b}/*.py", "{a,b}/*.py"),
        ("a{b}c", "a{b}c"),
    ],
)
def test_patterns_are_cleaned(given_text, kept):
    assert normalise(given_text) == kept


@pytest.mark.parametrize("text", ["", "/etc/passwd", "a/../b", "src/[ab", "src/{a,b", "{a,b}" * 9, "[b-a]", "a\nb"])
def test_bad_patterns_are_refused_with_the_way_out(text):
    with pytest.raises(Failure) as refused:
        normalise(text)
    assert refused.value.reference == "bad-pattern"
    assert refused.value.mend


def test_a_folder_pattern_covers_the_folder_itself_and_dotfiles():
    assert matches("src/**", "src")
    assert matches("src/**", "src/.env")
    assert not matches("src/**", "srcs/a")


def test_many_stars_cost_no_more_than_the_product_of_the_lengths():
    many = "*a" * 20
    assert intersect(many, "*b" * 20) is None
    assert intersect(many + "*", "*b" * 20 + "*") is not None
    assert not matches(many, "a" * 200 + "b")


def test_classes_inside_braces_and_nested_braces():
    assert matches("{[,],b}x", ",x")
    assert matches("a/{b,{c,d}e}", "a/de")
    assert intersect("src/{web,api}/*.py", "src/api/m*") == "src/api/m.py"
