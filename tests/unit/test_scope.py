"""Predicted scopes: what the text names, what the past says, what the policy adds."""

import os
from pathlib import Path

import pytest

from analyzer.backlog.issues import Bond, Dependency, Issue
from analyzer.scopes.history import Commit, History
from analyzer.scopes.scope import ScopePolicy, predict

TREE = (
    "README.md",
    "app/[id]/page.tsx",
    "docs/guide.md",
    "package.json",
    "src/api/__init__.py",
    "src/api/billing.py",
    "src/api/users.py",
    "src/web/users.py",
    "src/web/UserStore.ts",
    "tests/test_billing.py",
    "tests/test_users.py",
)
ROOT = Path(__file__).resolve().parents[2]


def history_of(*works, texts=None):
    """Commits from (message, files), a minute apart."""
    commits = [Commit(f"{n:040x}", 60.0 * n, message, tuple(files)) for n, (message, files) in enumerate(works)]
    return History.of(commits, texts or {})


def scope_of(issue, *, backlog=(), history=None, tree=TREE, policy=None):
    known = {one.id: one for one in (*backlog, issue)}
    return predict([issue], known, history or History.of([]), tree, policy)[issue.id]


def probabilities(scope):
    return {file.path: file.p for file in scope.files}


@pytest.mark.parametrize(
    "text",
    [
        "Fix `src/api/billing.py` first.",
        "see src/api/billing.py:40, please",
        "(./src/api/billing.py)",
        "api/billing.py is wrong",
        "billing.py",
        "`src.api.billing.charge` raises",
    ],
)
def test_a_named_file_comes_first_and_says_why(text):
    scope = scope_of(Issue("a-1", "Fix rounding", text))
    assert scope.files[0].path == "src/api/billing.py"
    assert "description" in scope.files[0].evidence[0]


def test_a_named_path_is_reserved_and_its_test_is_a_candidate():
    scope = scope_of(Issue("a-1", "Fix rounding", "In `src/api/billing.py`."))
    assert "src/api/billing.py" in scope.write
    assert probabilities(scope)["src/api/billing.py"] > 0.5
    assert "tests/test_billing.py" in [file.path for file in scope.files[:3]]


def test_an_ambiguous_name_counts_less_than_an_exact_path():
    vague = probabilities(scope_of(Issue("a-1", "x", "users.py is slow")))
    exact = probabilities(scope_of(Issue("a-1", "x", "src/api/users.py is slow")))
    assert 0 < vague["src/api/users.py"] < exact["src/api/users.py"]


def test_paths_that_the_tree_lacks_are_to_be_made():
    scope = scope_of(Issue("a-1", "New endpoint", "Create src/api/export.py and tests in https://x.io/a/b.py"))
    assert dict(scope.new) == {"src/api/export.py": pytest.approx(0.6)}
    assert "src/api/export.py" in scope.write


def test_brackets_in_a_path_are_reserved_literally():
    scope = scope_of(Issue("a-1", "x", "Edit app/[id]/page.tsx"))
    assert "app/[[]id]/page.tsx" in scope.write


def test_emphasis_and_numbers_are_no_patterns():
    scope = scope_of(Issue("a-1", "x", "**Done.** 2 * 3, *sql.Tx, e.g. v1.2, a .py file, ~/notes/*.md"))
    assert scope.new == ()
    assert not [pattern for pattern in scope.write if "*" in pattern]


def test_globs_in_the_text_are_reserved():
    assert "src/api/*.py" in scope_of(Issue("a-1", "x", "All of `src/api/*.py`")).write


def test_commits_on_relatives_lift_their_files():
    works = [("e-1.1: charge", ["src/api/billing.py"]), *((f"chore {n}", [f"src/{n}.py"]) for n in range(8))]
    history = history_of(*works)
    tree = (*TREE, *(f"src/{n}.py" for n in range(8)))
    child, other = Issue("e-1.2", "Part two"), Issue("z-9", "Part two")
    backlog = [Issue("e-1"), Issue("e-1.1", dependencies=(Dependency("e-1", Bond.PARENT),))]
    policy = ScopePolicy(searched=0)
    near = scope_of(child, backlog=backlog, history=history, tree=tree, policy=policy)
    far = scope_of(other, backlog=backlog, history=history, tree=tree, policy=policy)
    assert probabilities(near)["src/api/billing.py"] > probabilities(far).get("src/api/billing.py", 0.0)
    reasons = next(file.evidence for file in near.files if file.path == "src/api/billing.py")
    assert any("e-1.1" in reason for reason in reasons)


def test_words_of_the_past_find_files_that_the_text_does_not_name():
    works = [
        ("a-2: invoice rounding", ["src/api/billing.py"]),
        *((f"style {n}", ["src/web/users.py"]) for n in range(9)),
    ]
    history = history_of(*works, texts={"a-2": "Invoices are rounded wrongly"})
    scope = scope_of(Issue("a-1", "Invoice totals rounded twice"), history=history)
    found = probabilities(scope)
    assert found["src/api/billing.py"] > found["src/api/users.py"]
    reasons = next(file.evidence for file in scope.files if file.path == "src/api/billing.py")
    assert any("read like this" in reason for reason in reasons)


def test_labels_and_metadata_are_taken_at_their_word():
    policy = ScopePolicy(labels={"docs": ("docs/**",)})
    labelled = scope_of(Issue("a-1", "x", labels=("docs",)), policy=policy)
    assert labelled.files[0].path == "docs/guide.md"
    assert labelled.files[0].evidence[0] == "label docs -> docs/**"
    declared = scope_of(Issue("a-1", "x", metadata={"files": ["src/web", "src/../bad", 7]}))
    assert declared.files[0].p > 0.5
    assert "src/web" in declared.write


def test_hot_files_are_marked():
    scope = scope_of(
        Issue("a-1", "x", "package.json and docs/guide.md and src/api/billing.py"), policy=ScopePolicy(hot=("docs/*",))
    )
    assert set(scope.hot) == {"package.json", "docs/guide.md"}


def test_without_a_tree_named_paths_are_taken_as_they_are():
    scope = scope_of(Issue("a-1", "Do it", "Edit lib/core.rs and `lib/*.toml`"), tree=())
    assert [(file.path, file.p) for file in scope.files] == [("lib/core.rs", 0.6)]
    assert scope.write == ("lib/*.toml", "lib/core.rs")
    assert scope_of(Issue("a-1"), tree=()).files == ()


def test_the_history_stands_in_for_a_missing_tree():
    scope = scope_of(Issue("a-1", "x", "core.rs"), tree=(), history=history_of(("start", ["lib/core.rs"])))
    assert scope.files[0].path == "lib/core.rs"


def test_one_issue_gets_the_asked_number_of_files_and_the_tracker_is_no_scope():
    tree = (*TREE, ".beads/issues.jsonl")
    scope = scope_of(Issue("a-1", "Nothing to go by", ".beads/issues.jsonl"), tree=tree)
    assert len(scope.files) == len(TREE)
    assert ".beads/issues.jsonl" not in probabilities(scope)
    assert [file.p for file in scope.files] == sorted((file.p for file in scope.files), reverse=True)


def test_a_file_that_most_issues_claim_is_hot_even_without_a_past():
    issues = [Issue(f"a-{n}", "x", "src/api/billing.py") for n in range(12)]
    scopes = predict(issues, {one.id: one for one in issues}, History.of([]), TREE)
    assert all("src/api/billing.py" in scope.hot for scope in scopes.values())


def test_public_cases_reach_the_floor():
    """recall@10 on one repository of the public cases; the reference ranker without source text has .80 there."""
    data = Path(os.environ.get("AGENT_COORD_DATA", ROOT.parent / "shared" / "data")) / "scope" / "charlieyou__mala"
    if not data.is_dir():
        pytest.skip(f"no public cases in {data}: set AGENT_COORD_DATA")
    from benchmarks.scope import Repository, file_figures

    repository = Repository(data)
    cases = list(repository.evaluated())[::10]
    figures = []
    for case in cases:
        history = repository.history.before(case["history_before_ts"])
        issue = repository.backlog[case["id"]]
        scope = predict([issue], repository.backlog, history, repository.trees[case["base"]])[issue.id]
        figures.append(file_figures([file.path for file in scope.files], set(case["existing"]))["recall@10"])
    assert sum(figures) / len(figures) > 0.75
