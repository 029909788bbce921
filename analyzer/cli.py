"""`track-analyzer`: reads the facts, makes the plan, prints the answer. It changes nothing but its own cache.

stdout is the answer, stderr the narration (what could not be read, where, and what was done about it). Exit codes:
0 done, 1 the user can mend it, 2 usage, 3 our bug, 4 not now.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from analyzer.options import FORMATS, Options, read_plainly
from resources.system.clock import parse_iso, wall
from resources.system.door import leave
from resources.system.errors import Failure, Misuse
from resources.system.repository import Repository, find_repository

if TYPE_CHECKING:
    from analyzer.issues import Issue, Trouble
    from analyzer.layout import Look
    from analyzer.policy import Policy
    from analyzer.proposal import Plan
    from analyzer.scope import Scope
    from analyzer.sources import Facts


def main(argv: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    return leave("track-analyzer", argv, lambda: _dispatch(argv))


def _dispatch(argv: Sequence[str]) -> int:
    plain = read_plainly(argv)
    if plain:
        return run(*plain)
    from analyzer.commandline import run_app

    return run_app(argv, run)


@dataclass(frozen=True)
class _Desk:
    """One command at work: its options and the facts and policy that were read for it."""

    options: Options
    repository: Repository | None
    facts: Facts
    policy: Policy
    now: float

    def plan(self) -> Plan:
        from analyzer.plan import Request, make_plan

        options = self.options
        request = Request(now=self.now, slots=options.slots, only=options.only, epic=options.epic)
        return make_plan(self.facts, request, self.policy)

    def scope_of(self, issue: Issue, plan: Plan | None = None) -> Scope:
        from analyzer.scope import predict

        if plan and issue.id in plan.scopes:
            return plan.scopes[issue.id]
        backlog = {each.id: each for each in self.facts.issues}
        return predict([issue], backlog, self.facts.history, self.facts.tree, self.policy.scope)[issue.id]

    def issue(self) -> Issue:
        from analyzer.proposal import find_issue

        return find_issue({issue.id: issue for issue in self.facts.issues}, self.options.issue)

    def read(self, path: str) -> str | None:
        """The text of a file of the main checkout, None without one."""
        if self.repository is None or self.options.tree is not None:
            return None
        try:
            return (self.repository.root / path).read_text(errors="replace")
        except OSError:
            return None

    def say(self, text: str) -> None:
        if not self.options.quiet:
            print(text, file=sys.stderr)

    def look(self) -> Look:
        from shutil import get_terminal_size

        from analyzer.layout import Look

        color = sys.stdout.isatty() and not self.options.no_color and not os.environ.get("NO_COLOR")
        return Look(color, get_terminal_size((110, 40)).columns, self.options.verbose)

    def answer(self, record: Callable[[], dict[str, Any]], text: Callable[[], str]) -> None:
        """Print the answer in the form that was asked for; titles may hold what the terminal's encoding does not."""
        shown = json.dumps(record(), separators=(",", ":")) + "\n" if self.options.json else text()
        sys.stdout.write(shown.encode(sys.stdout.encoding or "utf-8", "replace").decode(sys.stdout.encoding or "utf-8"))


def run(command: str, options: Options) -> int:
    """Run one command; returns the exit code. Raises Failure."""
    begun = monotonic()
    desk = _desk(options)
    read = monotonic()
    _answer(command, desk)
    sys.stdout.flush()
    if options.verbose:
        desk.say(f"read in {read - begun:.2f} s, planned and told in {monotonic() - read:.2f} s")
    return 0


def _desk(options: Options) -> _Desk:
    from analyzer.sources import Asked, read_facts, read_policy

    if options.format and options.format not in FORMATS:
        raise Misuse("unknown-format", f"no format {options.format}", why=f"known: {', '.join(FORMATS)}")
    at = _time(options.at) if options.at else None
    repository = _repository(options)
    policy = read_policy(repository, options.config)
    facts = read_facts(repository, Asked(options.issues, options.history, options.tree, at))
    return _Desk(options, repository, facts, policy, wall() if at is None else at)


def _repository(options: Options) -> Repository | None:
    try:
        return find_repository(options.repo or Path.cwd())
    except Failure:
        if options.issues is None or options.repo is not None:
            raise
        return None


def _time(text: str) -> float:
    found = parse_iso(text)
    if found is None:
        try:
            found = float(text)
        except ValueError:
            raise Misuse("bad-time", f"{text} is no time", mend="write it as 2026-01-31T12:00:00Z") from None
    return found


def _narrate(desk: _Desk, problems: Iterable[Trouble]) -> None:
    for problem in problems:
        desk.say(f"{problem.where}: {problem.what}; {problem.did}")
    if desk.facts.source.stale:
        desk.say(f"{desk.facts.source.path}: {desk.facts.source.stale}")


def _answer(command: str, desk: _Desk) -> None:
    # The words for people are imported for people alone: other programs wait for the JSON.
    from analyzer import report

    if command == "scope":
        _answer_scope(desk)
        return
    plan = desk.plan()
    _narrate(desk, plan.problems)
    form = desk.options.format or ("mermaid" if command == "graph" else "")
    if command == "explain":
        issue = desk.issue()
        scope = desk.scope_of(issue, plan)
        desk.answer(
            lambda: report.explain_json(plan, issue, scope),
            lambda: _words("explain")(plan, issue, scope, desk.look()),
        )
    elif form:
        drawing = _draw(plan, form)
        desk.answer(lambda: {"schema": report.SCHEMA, "format": form, "graph": drawing}, lambda: drawing)
    else:
        as_json = getattr(report, f"{command}_json")
        desk.answer(lambda: as_json(plan), lambda: _words(command)(plan, desk.look()))


def _answer_scope(desk: _Desk) -> None:
    from analyzer import report
    from analyzer.preview import preview

    issue = desk.issue()
    scope = desk.scope_of(issue)
    _narrate(desk, desk.facts.problems)
    view = preview(scope, desk.facts.tree, desk.read)
    desk.answer(
        lambda: report.scope_json(issue.id, scope, view), lambda: _words("scope")(issue, scope, view, desk.look())
    )


def _words(command: str) -> Callable[..., str]:
    """The function of `narrative` that tells the answer of a command."""
    from analyzer import narrative

    return getattr(narrative, f"{command}_text")


def _draw(plan: Plan, form: str) -> str:
    from analyzer.diagrams import dot, mermaid
    from analyzer.drawing import svg
    from analyzer.page import html

    return {"mermaid": mermaid, "dot": dot, "svg": svg, "html": html}[form](plan)
