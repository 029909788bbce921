"""Who meets whom, where, and how probably."""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.globs import matches
from analyzer.scopes.conflicts import find_conflicts
from analyzer.scopes.scope import Scope, ScopeFile


def scope(issue, files=None, **rest):
    ranked = sorted((files or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    return Scope(issue, tuple(ScopeFile(path, p, ("named in the title",)) for path, p in ranked), **rest)


def conflicts(*scopes, threshold=0.2):
    return find_conflicts({one.issue: one for one in scopes}, threshold=threshold)


def test_the_probability_is_that_of_any_shared_file():
    (found,) = conflicts(scope("b", {"x": 0.6, "y": 0.5, "z": 0.9}), scope("a", {"x": 0.5, "y": 0.4}))
    assert (found.a, found.b) == ("a", "b")
    assert found.p == pytest.approx(1 - ((1 - 0.3) * (1 - 0.2)) ** 2)
    assert found.paths == ("x", "y")
    assert found.witness == "x"
    assert "a p=0.50 (named in the title)" in found.evidence[0]


def test_pairs_below_the_threshold_are_no_conflict():
    assert conflicts(scope("a", {"x": 0.3}), scope("b", {"x": 0.3})) == ()
    assert len(conflicts(scope("a", {"x": 0.3}), scope("b", {"x": 0.3}), threshold=0.15)) == 1


def test_meeting_in_hot_files_alone_is_told_apart():
    left, right = scope("a", {"hub": 0.9}, hot=("hub",)), scope("b", {"hub": 0.9})
    (found,) = conflicts(left, right)
    assert found.hot_only
    assert found.witness == "hub"
    (both,) = conflicts(scope("a", {"hub": 0.9, "x": 0.9}, hot=("hub",)), scope("b", {"hub": 0.9, "x": 0.9}))
    assert not both.hot_only
    assert both.paths == ("x",)


def test_files_to_be_made_meet_too():
    (found,) = conflicts(scope("a", new=(("new.py", 0.6),)), scope("b", new=(("new.py", 0.6),)))
    assert found.witness == "new.py"
    assert found.evidence[0].count("to be made") == 2


def test_a_pattern_meets_a_path_and_another_pattern_with_a_witness():
    wild = scope("a", write=("src/*/models.py",), new=(("src/*/models.py", 0.9),))
    other = scope("b", write=("src/web/**",), new=(("src/web/**", 0.9),))
    plain = scope("c", {"src/api/models.py": 0.8}, write=("src/api/models.py",))
    found = {(one.a, one.b): one for one in conflicts(wild, other, plain)}
    assert set(found) == {("a", "b"), ("a", "c")}
    assert found["a", "b"].witness == "src/web/models.py"
    assert found["a", "c"].witness == "src/api/models.py"


def test_two_issues_that_write_the_same_pattern_meet():
    both = {"write": ("src/**",), "new": (("src/**", 0.9),)}
    (found,) = conflicts(scope("a", **both), scope("b", **both))
    assert matches("src/**", found.witness)


names = st.sampled_from("abcd")
files = st.dictionaries(st.sampled_from(["x", "y", "z"]), st.floats(0.15, 1.0), max_size=3)


@given(st.dictionaries(names, files, max_size=4), st.floats(0.05, 1.0))
def test_the_index_finds_what_trying_all_pairs_finds(drafts, threshold):
    scopes = {name: scope(name, held) for name, held in drafts.items()}
    expected = {}
    for a, b in combinations(sorted(drafts), 2):
        shared = drafts[a].keys() & drafts[b].keys()
        p = 1 - math.prod(1 - drafts[a][path] * drafts[b][path] for path in shared) ** 2
        if shared and p > threshold + 1e-9:
            expected[a, b] = pytest.approx(p)
    found = {(one.a, one.b): one.p for one in find_conflicts(scopes, threshold=threshold) if one.p > threshold + 1e-9}
    assert found == expected
    ordered = [(-one.p, one.a, one.b) for one in find_conflicts(scopes, threshold=threshold)]
    assert ordered == sorted(ordered)
