"""Views: which files one shows, when `auto` hides anything, and what git is told."""

import pytest

from resources.worktrees.view import View, as_cone, cone_shows, resolve, same_view, sparse_lines, widen

TREE = [
    "README.md", "pyproject.toml", ".beads/issues.jsonl", "src/app.py", "src/auth/login.py", "src/auth/deep/token.py",
    "src/billing/invoice.py", "src/billing/tax.py", "docs/a.md", "docs/b.md",
]  # fmt: skip


def test_a_cone_shows_what_is_below_and_what_lies_beside_each_ancestor():
    assert cone_shows(["src/auth"], TREE) == 5  # two root files, src/app.py, and both files below
    assert cone_shows([], TREE) == 2
    assert cone_shows(["src"], TREE) == 7


def test_places_become_the_fewest_directories():
    assert as_cone(["src/auth/**", "src/auth/deep/", "docs/*.md"], TREE) == ("docs", "src/auth")
    assert as_cone(["src/auth/login.py", "README.md"], TREE) == ("src/auth",)
    assert as_cone(["src/new/thing", ".github", ".beads"], TREE) == (".beads", "src/new/thing")


def test_auto_is_a_closure_only_where_it_hides_enough():
    closure = resolve("auto", TREE, directories=["src/auth"], hide_at_least=0.3)
    assert (closure.mode, closure.directories, closure.shown, closure.total) == (
        "closure", (".beads", "src/auth"), 6, 10,
    )  # fmt: skip
    assert resolve("auto", TREE, directories=["src/auth"], hide_at_least=0.5) == View.full(10)
    assert resolve("auto", [], directories=["src"]) == View.full(0)


def test_asked_for_modes_are_kept_and_always_adds():
    assert resolve("full", TREE, directories=["src"]) == View.full(10)
    assert resolve("closure", TREE, directories=["src"], always=["docs/*.md"]).directories == (".beads", "docs", "src")
    assert resolve("exact", TREE, patterns=["src/*.py"], always=["docs"]).patterns == ("src/*.py", "docs")


def test_an_exact_view_keeps_roots_manifests_and_the_tracker_and_anchors_its_patterns():
    lines = sparse_lines(resolve("exact", TREE, patterns=["src/auth/**", "tests", "**/conftest.py"]))
    assert lines[:2] == ["/*", "!/*/"]
    assert {"/.beads/", "package.json", "go.mod", "/src/auth/**", "/tests", "**/conftest.py"} <= set(lines)


@pytest.mark.parametrize("mode", ["closure", "exact", "full"])
def test_widening_never_hides(mode):
    view = resolve(mode, TREE, directories=["src/auth"], patterns=["src/auth/**"])
    wider = widen(view, ["docs/a.md"], TREE)
    assert set(wider.directories) >= set(view.directories)
    assert set(wider.patterns) >= set(view.patterns)
    assert {"closure": "docs" in wider.directories, "exact": "docs/a.md" in wider.patterns, "full": wider == view}[mode]


def test_a_view_survives_the_ledger_and_is_the_same_whatever_was_counted():
    view = View("closure", ("src", "docs"), (), 8, 10)
    assert View.of(view.to_json()) == view
    assert View.of({}) == View.full(0)
    assert same_view(view, View("closure", ("docs", "src"), (), 9, 11))
    assert not same_view(view, View("closure", ("docs",), (), 8, 10))
