"""One command at work: its options, the facts and the policy that were read for it, and how it answers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.options import FORMATS, Options
from resources.system.clock import parse_iso, wall
from resources.system.errors import Failure, Misuse
from resources.system.repository import Repository, find_repository

if TYPE_CHECKING:
    from analyzer.backlog.issues import Issue, Trouble
    from analyzer.backlog.readiness import Rules
    from analyzer.planning.policy import Policy
    from analyzer.planning.proposal import Plan
    from analyzer.scopes.scope import Scope
    from analyzer.showing.layout import Look
    from analyzer.sources import Facts

MOST_TOLD = 20
"""Bad spots of the input that are told one by one; a broken file has thousands."""


@dataclass(frozen=True)
class Desk:
    """What a command works with; `now` is the moment it plans for, in seconds since 1970."""

    options: Options
    repository: Repository | None
    facts: Facts
    policy: Policy
    now: float

    def plan(self) -> Plan:
        """The plan that the options ask for. Raises Failure("no-such-issue")."""
        from analyzer.planning.plan import Request, make_plan
        from analyzer.remembered import recall, remember

        options = self.options
        request = Request(now=self.now, slots=options.slots, only=options.only, epic=options.epic)
        cache = self._cache()
        known = recall(cache, self.facts, self.policy) if cache else {}
        plan = make_plan(self.facts, request, self.policy, known)
        if cache and plan.scopes.keys() - known.keys():
            remember(cache, self.facts, self.policy, {**known, **plan.predicted})
        return plan

    def _cache(self) -> Path | None:
        """Where this repository's scopes are kept; None when the facts are not the repository's own."""
        options = self.options
        if self.repository is None or not (options.issues is options.history is options.tree is None):
            return None
        return self.repository.state / "cache" / "scopes.json"

    def rules(self) -> Rules:
        """The rules of readiness in force."""
        from analyzer.backlog.readiness import Rules

        return Rules(self.now, frozenset(), self.policy.unknown_blocks, self.policy.alias_dependencies)

    def scope_of(self, issue: Issue, plan: Plan | None = None) -> Scope:
        """The predicted scope of one issue."""
        from analyzer.scopes.scope import predict

        if plan and issue.id in plan.scopes:
            return plan.scopes[issue.id]
        backlog = {each.id: each for each in self.facts.issues}
        return predict([issue], backlog, self.facts.history, self.facts.tree, self.policy.scope)[issue.id]

    def issue(self) -> Issue:
        """The issue that the command is about. Raises Failure("no-such-issue")."""
        from analyzer.planning.proposal import find_issue

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
        """Tell on stderr, unless quiet."""
        if not self.options.quiet:
            sys.stderr.write(text + "\n")

    def narrate(self, problems: Iterable[Trouble]) -> None:
        """Tell what was odd about the input, and why the tracker may be newer than what was read."""
        spots = [f"{problem.where}: {problem.what}; {problem.did}" for problem in problems]
        for spot in spots if self.options.verbose else spots[:MOST_TOLD]:
            self.say(spot)
        if len(spots) > MOST_TOLD and not self.options.verbose:
            self.say(f"… and {len(spots) - MOST_TOLD} more bad spots (--verbose shows them, --json holds them)")
        if self.facts.source.stale:
            self.say(f"{self.facts.source.path}: {self.facts.source.stale}")

    def look(self) -> Look:
        """How to print for people."""
        from shutil import get_terminal_size

        from analyzer.showing.layout import Look

        color = sys.stdout.isatty() and not self.options.no_color and not os.environ.get("NO_COLOR")
        return Look(color, get_terminal_size((110, 40)).columns, self.options.verbose)

    def answer(self, record: Callable[[], dict[str, Any]], text: Callable[[], str]) -> None:
        """Print the answer in the form that was asked for; titles may hold what the terminal's encoding does not."""
        shown = json.dumps(record(), separators=(",", ":")) + "\n" if self.options.json else text()
        sys.stdout.write(shown.encode(sys.stdout.encoding or "utf-8", "replace").decode(sys.stdout.encoding or "utf-8"))


def open_desk(options: Options) -> Desk:
    """Read what the options name. Raises Misuse for a wrong value, Failure for what cannot be read."""
    from analyzer.sources import Asked, read_facts, read_policy

    if options.format and options.format not in FORMATS:
        raise Misuse("unknown-format", f"no format {options.format}", why=f"known: {', '.join(FORMATS)}")
    at = _time(options.at) if options.at else None
    repository = _repository(options)
    policy = read_policy(repository, options.config)
    facts = read_facts(repository, Asked(options.issues, options.history, options.tree, at, options.cross_check))
    return Desk(options, repository, facts, policy, wall() if at is None else at)


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
