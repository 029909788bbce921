"""`track-analyzer`: reads the facts, makes the plan, prints the answer. It changes nothing but its own cache.

stdout is the answer, stderr the narration (what could not be read, where, and what was done about it). Exit codes:
0 done, 1 the user can mend it, 2 usage, 3 our bug, 4 not now.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from analyzer.desk import Desk, open_desk
from analyzer.options import Options, read_plainly
from resources.system.door import leave
from resources.system.errors import Misuse

if TYPE_CHECKING:
    from analyzer.backlog.issues import Issue
    from analyzer.planning.proposal import Plan
    from analyzer.scopes.scope import Scope
    from analyzer.showing.layout import Look


def main(argv: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    return leave("track-analyzer", argv, lambda: _dispatch(argv))


def _dispatch(argv: Sequence[str]) -> int:
    plain = read_plainly(argv)
    if plain:
        return run(*plain)
    from analyzer.commandline import run_app

    return run_app(argv, run)


def run(command: str, options: Options) -> int:
    """Run one command; returns the exit code. Raises Failure."""
    begun = monotonic()
    desk = open_desk(options)
    read = monotonic()
    code = _answer(command, desk)
    sys.stdout.flush()
    if options.verbose:
        desk.say(f"read in {read - begun:.2f} s, planned and told in {monotonic() - read:.2f} s")
    return code


def _answer(command: str, desk: Desk) -> int:
    if desk.options.write_deps and command != "recommend":
        raise Misuse("usage", "--write-deps goes with recommend alone", mend="track-analyzer recommend --write-deps")
    if command == "scope":
        _answer_scope(desk)
    elif command == "lint":
        return _answer_lint(desk)
    elif command == "layered":
        from analyzer.deeds import layered

        layered(desk)
    elif desk.options.write_deps:
        from analyzer.deeds import write_dependencies

        write_dependencies(desk)
    else:
        _answer_plan(command, desk)
    return 0


def _answer_lint(desk: Desk) -> int:
    """Exits 1 when an issue that was asked for by its id is unfit: so a script can stop before it gives it out."""
    from analyzer.planning.fitness import examine
    from analyzer.showing.verdicts import lint_json, lint_text

    plan = desk.plan()
    desk.narrate(plan.problems)
    verdicts = examine(plan, desk.options.ids)
    desk.answer(lambda: lint_json(verdicts), lambda: lint_text(verdicts, desk.look()))
    return int(bool(desk.options.ids) and not all(verdict.fit for verdict in verdicts))


def _answer_plan(command: str, desk: Desk) -> None:
    # The words for people are imported for people alone: other programs wait for the JSON.
    from analyzer.showing import report

    plan = desk.plan()
    desk.narrate(plan.problems)
    form = desk.options.format or ("mermaid" if command == "graph" else "")
    if command == "explain":
        issue = desk.issue()
        scope = desk.scope_of(issue, plan)
        desk.answer(
            lambda: report.explain_json(plan, issue, scope),
            lambda: _explained(plan, issue, scope, desk.look()),
        )
    elif form:
        drawing = _draw(plan, form)
        desk.answer(lambda: {"schema": report.SCHEMA, "format": form, "graph": drawing}, lambda: drawing)
    else:
        as_json = getattr(report, f"{command}_json")
        desk.answer(lambda: as_json(plan), lambda: _words(command)(plan, desk.look()))


def _answer_scope(desk: Desk) -> None:
    from analyzer.planning.preview import preview
    from analyzer.showing import report

    issue = desk.issue()
    scope = desk.scope_of(issue)
    desk.narrate(desk.facts.problems)
    view = preview(scope, desk.facts.tree, desk.read)
    desk.answer(
        lambda: report.scope_json(issue.id, scope, view), lambda: _words("scope")(issue, scope, view, desk.look())
    )


def _explained(plan: Plan, issue: Issue, scope: Scope, look: Look) -> str:
    from analyzer.showing.explanation import explain_text

    return explain_text(plan, issue, scope, look)


def _words(command: str) -> Callable[..., str]:
    """The function of `narrative` that tells the answer of a command."""
    from analyzer.showing import narrative

    return getattr(narrative, f"{command}_text")


def _draw(plan: Plan, form: str) -> str:
    from analyzer.showing.diagrams import dot, mermaid
    from analyzer.showing.drawing import svg
    from analyzer.showing.page import html

    return {"mermaid": mermaid, "dot": dot, "svg": svg, "html": html}[form](plan)
