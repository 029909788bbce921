"""Whether an issue is fit for an agent: each rule fires where it should, and says how to mend it."""

from __future__ import annotations

import pytest

from analyzer.backlog.beads import read_issues
from analyzer.backlog.issues import Status
from analyzer.planning.fitness import Level, examine
from analyzer.showing.layout import Look
from analyzer.showing.verdicts import lint_json, lint_text
from tests.support.backlogs import data, issue, plan

TREE = ["app/loans.py", "app/routes.py", "tests/test_loans.py"]
GOOD = {
    "title": "Refuse to lend a tool that is out",
    "description": "`lend` in `app/loans.py` lends a tool twice. It should refuse the second loan and name the first.",
    "acceptance": "`tests/test_loans.py` lends twice and gets the refusal.",
}


def found(*waits: str, **fields) -> dict[str, Level]:
    (verdict,) = examine(plan([issue("x-1", *waits, **{**GOOD, **fields})], tree=TREE))
    assert all(each.what and each.mend for each in verdict.findings)
    assert verdict.fit == (Level.ERROR not in {each.level for each in verdict.findings})
    return {each.rule: each.level for each in verdict.findings}


def test_a_good_issue_has_no_findings():
    assert found() == {}


@pytest.mark.parametrize(
    ("fields", "rule", "level"),
    [
        ({"title": "Fix bug"}, "title", Level.WARN),
        ({"description": "Too short.", "acceptance": ""}, "description", Level.ERROR),
        ({"title": "Fix the loan; add a report + rename the routes"}, "outcome", Level.ERROR),
        ({"title": "Fix the loan and add a report"}, "outcome", Level.WARN),
        ({"title": "Various loan fixes", "description": "- one\n- two\n- three"}, "outcome", Level.ERROR),
        ({"description": "Lends a tool twice. " * 5, "acceptance": ""}, "acceptance", Level.ERROR),
        ({"description": "`app/loans.py` lends a tool twice. " * 20, "acceptance": ""}, "acceptance", Level.WARN),
        ({"description": "Lends `app/loans.py` twice.", "acceptance": "No."}, "tests", Level.WARN),
        ({"description": "It lends a tool twice.", "acceptance": "A test says no."}, "pointers", Level.WARN),
        ({"description": "See `app/loan.py`.", "acceptance": "A test in `app/routes.py`."}, "pointers", Level.NOTE),
        ({"estimated_minutes": 600}, "size", Level.WARN),
        ({"description": "`app/loans.py`\n" + "- [ ] a box\n" * 20}, "size", Level.WARN),
    ],
)
def test_what_is_missing_is_found(fields, rule, level):
    assert found(**fields).get(rule) == level


@pytest.mark.parametrize(
    "title",
    [
        "Add a report of loans and test it", "Investigate and fix the double loan", "Add --json to list, send and show",
        "fix(loans): refuse a second loan", "Move the loans and update the docs", "Render search and filter results",
    ],
)  # fmt: skip
def test_one_outcome_in_other_words_is_one_outcome(title):
    assert "outcome" not in found(title=title)


def test_edges_to_nowhere_and_circles():
    assert found("x-9")["dangling"] == Level.WARN
    backlog = [issue("x-1", "x-2", **GOOD), issue("x-2", "x-1", **GOOD)]
    assert [verdict.fit for verdict in examine(plan(backlog, tree=TREE))] == [False, False]


def test_who_is_looked_at():
    backlog = [
        issue("x-1", **GOOD), issue("x-2", kind="epic"), issue("x-3", status=Status.CLOSED),
        issue("x-4", status=Status.IN_PROGRESS, **GOOD),
    ]  # fmt: skip
    whole = plan(backlog, tree=TREE)
    assert [verdict.issue.id for verdict in examine(whole)] == ["x-1"]
    assert [verdict.fit for verdict in examine(whole, ["x-4", "x-2"])] == [True, False]


def test_the_answer_in_json_and_in_words():
    verdicts = examine(plan([issue("x-1", **GOOD), issue("x-2", title="Fix bug")], tree=TREE))
    answer = lint_json(verdicts)
    assert [(one["id"], one["fit"]) for one in answer["issues"]] == [("x-1", True), ("x-2", False)]
    assert {"rule", "level", "what", "mend"} == set(answer["issues"][1]["findings"][0])
    assert (answer["summary"]["fit"], answer["summary"]["unfit"]) == (1, 1)
    text = lint_text(verdicts, Look())
    assert text.startswith("1 of 2 issues are fit for an agent")
    assert "x-2  unfit" in text
    assert "x-1" not in text


def test_on_real_trackers_it_tells_the_good_from_the_bad():
    """Written with care against written by a machine that reports stalls: neither all nor nothing."""
    shares = {}
    for name in ("Dicklesworthstone__ntm", "0x4765654b__aidlc-beads"):
        issues = read_issues((data("beads") / f"{name}.jsonl").read_bytes(), name).issues
        verdicts = examine(plan(issues))
        shares[name] = sum(verdict.fit for verdict in verdicts) / len(verdicts)
    assert shares["Dicklesworthstone__ntm"] > 0.9
    assert shares["0x4765654b__aidlc-beads"] < 0.5
