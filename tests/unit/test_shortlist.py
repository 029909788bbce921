"""The closer look at the best candidates: what it sees, and that the forest's chances keep their promises."""

from dataclasses import replace

import pytest

from analyzer.backlog.issues import Issue
from analyzer.scopes.forest import Forest, grown
from analyzer.scopes.history import Commit, History
from analyzer.scopes.kin import Kin
from analyzer.scopes.mentions import find_mentions
from analyzer.scopes.ranking import Ranker
from analyzer.scopes.scope import predict
from analyzer.scopes.signals import Evidence
from analyzer.scopes.tree import Tree

TREE = (*(f"src/part{n}.py" for n in range(30)), "src/api/billing.py", "tests/test_billing.py", "docs/guide.md")
WORKS = tuple((f"a-{n}: part {n}", (f"src/part{n}.py",)) for n in range(30))


def history_of(works, texts=None):
    commits = [Commit(f"{n:040x}", 3600.0 * n, message, files) for n, (message, files) in enumerate(works)]
    return History.of(commits, texts or {})


def looked_at(issue, works=WORKS, backlog=()):
    """The columns of a searched issue, by path."""
    texts = {one.id: one.text for one in backlog}
    kin = Kin({one.id: one for one in (*backlog, issue)})
    ranker = Ranker(Evidence(history_of(works, texts), Tree(TREE), kin))
    reading = ranker.read(issue, find_mentions(issue.text, ranker.evidence.tree), searched=True)
    scores = ranker.candidates(reading)
    columns = ranker.shortlist.rows(issue, reading.mentions, reading.signals, scores)
    return {
        name: dict(zip(scores, column, strict=True)) if isinstance(column, list) else column
        for name, column in columns.items()
    }


def test_the_forest_reads_only_columns_that_are_made():
    made = looked_at(Issue("a-99", "Anything"))
    assert set(grown().columns) <= set(made)
    assert set(grown().calibration) == {"", "sum", "best", "expected", "breadth"}


def test_a_tree_goes_left_up_to_its_limit():
    forest = Forest(("size", "q_sum"), ([0, 1.5, 0.25, [1, 0.0, 5.0, 0.5]], 1.0), {})
    assert forest.sums({"size": [1.5, 2.0], "q_sum": 1.0}) == [1.25, 1.5]


def test_chances_fall_with_the_sums():
    forest = replace(grown(), columns=("size",), trees=([0, 1.5, 0.25, 0.75],))
    low, high = forest.chances({"size": [1.0, 2.0], "q_sum": 1.0, "q_breadth": 1.0})
    assert low < high


def test_commits_around_the_time_of_writing_count():
    columns = looked_at(Issue("a-99", "Anything", created=3600.0 * 10 - 60))
    assert columns["written_soon"]["src/part10.py"] > columns["written_soon"]["src/part12.py"] > 0
    assert columns["written_before"]["src/part9.py"] > columns["written_before"]["src/part2.py"] > 0
    assert columns["written_before"]["src/part20.py"] == 0


def test_issues_of_the_same_sitting_lend_their_files():
    others = [Issue(f"a-{n}", f"Part {n}", created=50.0 * n) for n in range(30)]
    columns = looked_at(Issue("a-99", "Anything", created=501.0), backlog=others)
    assert columns["company"]["src/part10.py"] > columns["company"]["src/part20.py"] > 0


def test_files_that_change_together_draw_each_other():
    works = (*WORKS, *(("billing", ("src/api/billing.py", "docs/guide.md")) for _ in range(4)))
    columns = looked_at(Issue("a-99", "Fix it", "In src/api/billing.py"), works)
    assert columns["drawn"]["docs/guide.md"] == max(columns["drawn"].values())
    assert columns["partner"]["tests/test_billing.py"] == columns["score"]["src/api/billing.py"]


def test_labels_and_kinds_lend_the_files_of_their_issues():
    known = [Issue("a-3", "Part 3", labels=("api",), kind="bug"), Issue("a-4", "Part 4", labels=("web",))]
    columns = looked_at(Issue("a-99", "x", labels=("api",), kind="bug"), backlog=known)
    assert columns["label"]["src/part3.py"] == 1
    assert columns["kind"]["src/part3.py"] > columns["kind"]["src/part4.py"] == 0


@pytest.mark.parametrize("named", [True, False])
def test_work_done_under_its_own_name_is_the_surest_evidence(named):
    works = (*WORKS, ("a-99: begin" if named else "begin", ("docs/guide.md",)), ("more", ("src/part1.py",)))
    issue = Issue("a-99", "Anything else")
    scope = predict([issue], {"a-99": issue}, history_of(works), TREE)["a-99"]
    assert (scope.files[0].path == "docs/guide.md") is named
    assert ("commits that name this issue touched it" in scope.files[0].evidence) is named


def test_the_order_holds_beyond_the_shortlist():
    tree = tuple(f"lib/file{n}.py" for n in range(200))
    issue = Issue("a-99", "Rework the library")
    ranker = Ranker(Evidence(history_of(WORKS), Tree(tree), Kin({"a-99": issue})))
    ranked = ranker.rank(ranker.read(issue, find_mentions(issue.text, ranker.evidence.tree), searched=True), 0.05, 150)
    chances = [p for _, p in ranked]
    assert len({path for path, _ in ranked}) == 150
    assert chances == sorted(chances, reverse=True)
