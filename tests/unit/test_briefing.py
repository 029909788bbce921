from analyzer.issues import Issue
from coordinator.agents.briefing import Handoff, Place, write_briefing, write_continuation, write_reentry

PLACE = Place("pool-wt-1", "/repo/pool-wt-1", "agent/pool-wt-1/x-1/1", "app_wt_1", (42000, 42009), "full")
FIRST = """\
# x-1: Count loans

How many are out?

## Acceptance criteria

A number.

## Where you work

You are alone in the git worktree `/repo/pool-wt-1` (slot pool-wt-1), on branch `agent/pool-wt-1/x-1/1`.
Any failure that you see here is caused by your changes.
Your own Postgres database is `app_wt_1`; DATABASE_URL and PG* point at it. Nobody else uses it.
Ports 42000 to 42009 are yours.

## Scope

These paths are reserved for you while you work:

- `src/loans.py`

What somebody else holds you may not write; `agent-coord scope widen PATTERN --why TEXT` asks for it.

## How your work is judged

Commit your work on this branch, with `x-1` in the message, then end. Do not merge, push, stash or switch branches.
The coordinator merges it with the newest base branch and runs, in a clean tree:

- tests: `make test`

All of them must pass; none may be skipped or weakened.
"""


def test_a_first_attempt() -> None:
    issue = Issue("x-1", "Count loans", "How many are out?", acceptance="A number.")
    assert write_briefing(issue, PLACE, ["src/loans.py"], ["tests: `make test`"]) == FIRST


def test_a_later_attempt_is_given_the_evidence() -> None:
    handoff = Handoff(1, "check tests failed", "AssertionError: 2 != 3\n", "refs/saved/x-1/1")
    text = write_briefing(Issue("x-1", "Count loans"), PLACE, [], [], [handoff])
    assert text.endswith(
        "## Attempt 1 did not land\n\ncheck tests failed\n\n```\nAssertionError: 2 != 3\n```\n\n"
        "Its work is kept under `refs/saved/x-1/1`; look at it with `git show refs/saved/x-1/1`.\n"
    )
    assert "No paths could be predicted" in text


REENTRY = """\
# x-1: attempt 2 of 3

Your work did not land: check tests failed

```
AssertionError: 2 != 3
```

Find the cause and mend it in the same worktree; skip and weaken nothing. Then commit, with `x-1` in the message, \
and end. All that you were told at first still holds: `/logs/x-1/2.briefing.md`.
"""


def test_a_resumed_session_is_told_only_the_failure() -> None:
    handoff = Handoff(1, "check tests failed", "AssertionError: 2 != 3\n")
    assert write_reentry("x-1", handoff, 3, "/logs/x-1/2.briefing.md") == REENTRY


def test_an_interrupted_session_is_told_why() -> None:
    text = write_continuation("x-1", "the usage limit was reached", "/logs/x-1/1.briefing.md")
    assert text.splitlines()[2] == "You were interrupted: the usage limit was reached"
