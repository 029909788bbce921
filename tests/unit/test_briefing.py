from dataclasses import replace

from analyzer.backlog.issues import Issue
from coordinator.agents.briefing import Place, write_briefing, write_continuation, write_reentry
from coordinator.agents.handoff_text import write_handoffs
from coordinator.tasks.handoffs import Handoff, Ran

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
Do not close the issue: that would end your attempt.
The coordinator merges it with the newest base branch and runs, in a clean tree:

- tests: `make test`

All of them must pass; none may be skipped or weakened.

If nothing has to be changed, commit nothing and leave the worktree as it is. Say so, then end:
`agent-coord task resolve x-1 --as no-change|obsolete|already-done --why TEXT [--commit SHA]`
"""


def test_a_first_attempt() -> None:
    issue = Issue("x-1", "Count loans", "How many are out?", acceptance="A number.")
    assert write_briefing(issue, PLACE, ["src/loans.py"], ["tests: `make test`"]) == FIRST


SHARED = """\
# x-1: Count loans

## Where you work

You work in `/repo` on branch `main`, at the same time as other agents: you see their files as they write them. \
A failure in files that you have not touched may be somebody's unfinished work: leave it as it is and go on with yours.
Tests, servers and databases are shared too. Run your tests alone: `agent-coord mutex run -- COMMAND`.

## Files are locked

A file is yours alone from your first edit of it (or `agent-coord reserve add FILE --why TEXT`) until your work has \
been judged. What another agent has, you may not write: the call waits up to 30 s and is then refused with the \
holder's name. Then do what needs no file of others, and try again later; when nothing else is left, end and say whom \
you wait for.

Expected to be written for this issue:

- `src/loans.py`

## How your work is judged

Commit your own files, and nothing else, with `agent-coord commit -m TEXT FILE…`, then end. `git commit`, \
`git add --all`, stash, reset, switching branches, merge and rebase are refused: they would take the work of \
others along.
Do not close the issue: that would end your attempt.
The coordinator takes `main` without what others have not finished and runs, in a clean tree:

- tests: `make test`

All of them must pass; none may be skipped or weakened.

If nothing has to be changed, commit nothing and leave all files as they are. Say so, then end:
`agent-coord task resolve x-1 --as no-change|obsolete|already-done --why TEXT [--commit SHA]`
"""


def test_one_of_several_in_a_checkout() -> None:
    place = Place("berth-1", "/repo", "main", "", (0, 0), "full", True, 30.0)
    assert write_briefing(Issue("x-1", "Count loans"), place, ["src/loans.py"], ["tests: `make test`"]) == SHARED


FAILED = Handoff(
    1, "check tests failed with code 1 on the merge with main (src/loans.py)", "AssertionError: 2 != 3\n```\n",
    "refs/saved/x-1/1", "t1", "/logs/x-1/1.log", 0, 5120, " src/loans.py | 2 +-\n 1 file changed",
    (Ran("make lint", 0, True, "/logs/gate/x-1-1/lint.log"), Ran("make test", 1, False, "/logs/gate/x-1-1/tests.log")),
)  # fmt: skip
JUDGED = """\
What judged it:

- `make lint` passed with exit code 0; output: `/logs/gate/x-1-1/lint.log`
- `make test` failed with exit code 1; output: `/logs/gate/x-1-1/tests.log`

````
AssertionError: 2 != 3
```
````
"""
LATER = f"""\
## Attempt 1 did not land

check tests failed with code 1 on the merge with main (src/loans.py)

{JUDGED}
It changed, against its base:

```
src/loans.py | 2 +-
 1 file changed
```

Its agent's output: `/logs/x-1/1.log`, bytes 0 to 5120.

Its work is kept under `refs/saved/x-1/1`; look at it with `git show refs/saved/x-1/1`.
"""


def test_a_later_attempt_is_given_all_that_the_first_left() -> None:
    issue = Issue("x-1", "Count loans", "How many are out?", acceptance="A number.")
    text = write_briefing(issue, PLACE, ["src/loans.py"], ["tests: `make test`"], [FAILED])
    assert text == f"{FIRST}\n{LATER}"
    assert write_handoffs("x-1", "Count loans", [FAILED]) == f"# x-1: Count loans\n\n{LATER}"


def test_what_is_not_known_is_left_out() -> None:
    text = write_briefing(Issue("x-1", "Count loans"), PLACE, [], [], [Handoff(1, "it fell silent")])
    assert text.endswith("\n\n## Attempt 1 did not land\n\nit fell silent\n")
    assert "No paths could be predicted" in text


def test_only_the_newest_attempts_are_told() -> None:
    text = write_briefing(Issue("x-1", "Count loans"), PLACE, [], [], [Handoff(n, "no") for n in range(1, 8)])
    assert "Attempt 2 did" not in text
    assert "Attempt 3 did" in text


REENTRY = f"""\
# x-1: attempt 2 of 3

Your work did not land: check tests failed with code 1 on the merge with main (src/loans.py)

{JUDGED}
Find the cause and mend it in the same worktree; skip and weaken nothing. Then commit, with `x-1` in the message, \
and end. All that you were told at first still holds: `/logs/x-1/2.briefing.md`.
"""


def test_a_resumed_session_is_told_only_the_failure() -> None:
    assert write_reentry("x-1", FAILED, 3, "/logs/x-1/2.briefing.md") == REENTRY


CONTINUED = """\
# x-1: go on

You were interrupted: the usage limit was reached

Go on where you stopped. All that you were told at first still holds: `/logs/x-1/1.briefing.md`.
"""


def test_an_interrupted_session_is_told_why() -> None:
    assert write_continuation("x-1", "the usage limit was reached", "/logs/x-1/1.briefing.md") == CONTINUED


def test_a_worktree_that_shows_a_part_without_database_and_ports_says_so() -> None:
    text = write_briefing(Issue("x-1", "t"), replace(PLACE, database="", ports=(0, 0), view="closure"), [], [])
    assert "shows a part of the repository (view `closure`)" in text
    assert "Postgres" not in text
    assert "Ports" not in text
    assert "(no checks are configured)" in text
