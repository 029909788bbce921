"""Is an issue fit for an agent? What to mend before it is given out, issue by issue.

An agent asks nobody back: what the text leaves open it guesses. So an issue is fit when it says what is to be done
(`description`), one thing (`outcome`), and when it is done (`acceptance`); those are errors. How it is proven
(`tests`), where to look (`pointers`), its `size`, its `title` and edges to nowhere (`dangling`) are warnings; a note
is only worth knowing. Rules read words, in English; each is kept so narrow that on public trackers it fires where a
reader would nod. The thresholds were set by looking at what they find there.

An acceptance criterion may stand in its own field or in the text ("Expected: …", "Done when …", a check list). A path
counts as a pointer when the tree has it, or when the text says that it is to be made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from analyzer.backlog.issues import Issue, Status
from analyzer.backlog.readiness import is_work
from analyzer.planning.imperatives import FOLLOWS, LEADS, VERBS
from analyzer.planning.proposal import Plan
from analyzer.planning.study import circle
from analyzer.scopes.mentions import Manner, Mentions, find_mentions
from analyzer.scopes.scope import DECLARED_IN, Scope
from analyzer.scopes.tree import Tree

LEAST_TEXT = 60
"""Characters below the title that say what is to be done; with criteria of their own, none are asked for."""
TELLING_TEXT = 400
"""Characters of a text that, pointing at its files, can do without criteria at a pinch."""
MOST_TEXT = 12_000
MOST_MINUTES = 240
MOST_BOXES = 12
MOST_FILES = 15
LIKELY = 0.5
SLIP = 0.9
"""How alike (0 to 1) two names are of which one may be the other, mistyped."""
_SURE = (Manner.PATH, Manner.PART, Manner.NAME, Manner.GLOB, Manner.MODULE, Manner.FOLDER)


class Level(StrEnum):
    """How bad a finding is; one `error` makes the issue unfit."""

    ERROR = "error"
    WARN = "warn"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """What is wrong by which rule, and how to mend it."""

    rule: str
    level: Level
    what: str
    mend: str


@dataclass(frozen=True)
class Verdict:
    """One issue with what was found, the worst first."""

    issue: Issue
    findings: tuple[Finding, ...]

    @property
    def fit(self) -> bool:
        """Whether an agent can be given the issue as it is."""
        return all(finding.level is not Level.ERROR for finding in self.findings)


@dataclass(frozen=True)
class _Case:
    """What the rules look at."""

    issue: Issue
    body: str
    """Everything but the title."""
    mentions: Mentions
    scope: Scope
    tree: Tree
    missing: Sequence[str]
    circle: Sequence[str]


def examine(plan: Plan, asked: Sequence[str] = ()) -> tuple[Verdict, ...]:
    """The verdict on each issue asked for, else on each that nobody is at yet, in the order of giving out.

    Raises Failure("no-such-issue").
    """
    names = asked or [
        name
        for name in (*plan.ready, *(one.id for one in plan.blocked))
        if plan.issue(name).status not in (Status.IN_PROGRESS, Status.HOOKED)
    ]
    tree = Tree(plan.facts.tree or sorted({path for commit in plan.facts.history.commits for path in commit.files}))
    return tuple(_verdict(plan, plan.issue(name), tree) for name in names)


def _verdict(plan: Plan, issue: Issue, tree: Tree) -> Verdict:
    case = _Case(
        issue=issue,
        body="\n".join(part for part in (issue.description, issue.design, issue.acceptance, issue.notes) if part),
        mentions=find_mentions(issue.text, tree),
        scope=plan.scopes.get(issue.id, Scope(issue.id)),
        tree=tree,
        missing=plan.backlog.missing.get(issue.id, ()),
        circle=next((cycle for cycle in plan.cycles if issue.id in cycle), ()),
    )
    rules = _RULES if is_work(issue) and issue.is_open else (_no_work,)
    found = [finding for rule in rules for finding in rule(case)]
    return Verdict(issue, tuple(sorted(found, key=lambda finding: list(Level).index(finding.level))))


def _no_work(case: _Case) -> Iterator[Finding]:
    issue = case.issue
    if not issue.is_open:
        yield Finding("work", Level.ERROR, f"it is {issue.status.value}", "open it again, or give out another one")
    else:
        yield Finding("work", Level.ERROR, f"an issue of type {issue.kind} is no work", "give its children to agents")


_VAGUE = re.compile(
    r"(?:(?:fix|update|improve|refactor|clean ?up|change|do|add|more|misc|various|small|minor|general|some|the|a|wip|"
    r"todo|tbd|test|tests|bug|bugs|issue|issues|stuff|things?|code|docs?|documentation|it|this|task|work|untitled)\W*)+",
    re.IGNORECASE,
)


def _title(case: _Case) -> Iterator[Finding]:
    title = case.issue.title.strip()
    if not title:
        yield Finding("title", Level.WARN, "it has no title", "say in one line what will be true when it is done")
    elif _VAGUE.fullmatch(title):
        yield Finding("title", Level.WARN, f"{title!r} does not say what", "name the thing and the change to it")


def _description(case: _Case) -> Iterator[Finding]:
    if len(case.body.strip()) >= LEAST_TEXT or case.issue.acceptance.strip():
        return
    said = f"only {len(case.body.strip())} characters stand" if case.body.strip() else "nothing stands"
    mend = "say what is wrong or wanted, where, and what is left as it is"
    yield Finding("description", Level.ERROR, f"{said} below the title", mend)


_JOINT = re.compile(r"\s*(?:;|\s\+\s|,\s*and\b|\band also\b|\band then\b|\band\b)\s*", re.IGNORECASE)
_PROOF = re.compile(r"\b(?:tests?|coverage|docs|documentation|disclaimer)\b", re.IGNORECASE)
_LOOSE = re.compile(r";|\s\+\s|\band also\b", re.IGNORECASE)
_ALSO = re.compile(
    r"\b(?:additionally|unrelated(?:ly)?|separately|on another note),[^\n]{0,60}|\bwhile (?:you're|we're|you are) "
    r"(?:at it|there)\b[^\n]{0,60}",
    re.IGNORECASE,
)
_COLLECTION = re.compile(
    r"\b(?:various|misc(?:ellaneous)?|several|a (?:bunch|batch) of|assorted|grab[- ]bag|follow-?ups|"
    r"small (?:fixes|changes))\b",
    re.IGNORECASE,
)
_POINT = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\S", re.MULTILINE)


def _outcome(case: _Case) -> Iterator[Finding]:
    title = re.sub(r"^[^:]{1,30}:\s+", "", case.issue.title.strip())  # "area: do this" and "feat(x): do this"
    parts = [part for part in _JOINT.split(title) if part.split() and not _PROOF.search(part)]
    starts = [part.split()[0].lower().strip("*`\"'") for part in parts]
    verbs = list(dict.fromkeys(verb for verb in starts if verb in VERBS))
    apart = [verb for verb in verbs if verb not in FOLLOWS and verb not in LEADS]
    points = len(_POINT.findall(case.body))
    if starts and starts[0] in VERBS and len(apart) > 1:
        level = Level.ERROR if len(apart) > 2 or _LOOSE.search(title) else Level.WARN
        mend = "split it, one outcome to an issue, joined by a dependency where one needs the other"
        yield Finding("outcome", level, f"the title asks for {len(apart)} things: {', '.join(apart)}", mend)
    elif _COLLECTION.search(title) and points > 2:
        mend = "make each point an issue, so that each can land alone"
        yield Finding("outcome", Level.ERROR, f"a collection of {points} points under one title", mend)
    elif also := _ALSO.search(case.body):
        mend = "move that into an issue of its own, unless it follows from the first"
        yield Finding("outcome", Level.NOTE, f"perhaps a second wish in passing: {also[0].strip()!r}", mend)


_DONE_WHEN = re.compile(
    r"accept(?:ance|ed when)|done[- ]when|definition of done|\bdod\b|success criteri|criteria|complete when|"
    r"expect(?:ed|ation|s)?\b|should (?:be|not|have|return|show|work|fail|print|say|pass|produce|use|accept|reject)|"
    r"\bmust\b|so that\b|verif(?:y|ied|ication)|^\s*[-*] \[[ x]\]|\bensure\b|\bgoal:|\boutcome:|deliverable",
    re.IGNORECASE | re.MULTILINE,
)
_OPEN_QUESTION = re.compile(
    r"^(?:investigate|decide|discuss|explore|research|figure out|think about|consider|spike)\b|\?$", re.IGNORECASE
)
_CRITERIA = {
    "bug": "what happens now, what should happen instead, and how to see it",
    "feature": "what one can do or see then that one cannot now",
    "refactor": "what must stay the same (which tests pass unchanged) and what is gone",
    "": "what one can see or run when it is done",
}


def _acceptance(case: _Case) -> Iterator[Finding]:
    title = case.issue.title.strip()
    if case.issue.acceptance.strip() or _DONE_WHEN.search(case.body) or re.search(r"(?i)\btests?\b", title):
        return
    if _OPEN_QUESTION.search(title):
        mend = "say what the answer leaves behind: a note at which path, a decision, a failing test"
        yield Finding("acceptance", Level.ERROR, "a question without a form for its answer", mend)
        return
    # A long text that points at its files shows what is meant, though not when to stop.
    is_plain = len(case.body) >= TELLING_TEXT and bool(_named(case) or case.mentions.new)
    kind = "refactor" if "refactor" in title.lower() else case.issue.kind
    mend = f"add acceptance criteria: {_CRITERIA.get(kind, _CRITERIA[''])}"
    yield Finding("acceptance", Level.WARN if is_plain else Level.ERROR, "nothing says when it is done", mend)


_PROVEN = re.compile(
    r"\btest(?:s|ed|ing|able)?\b|_test\b|\btest_|\bspecs?\b|\bverif|reproduc|\brepro\b|\bassert|coverage|\be2e\b|"
    r"benchmark|\bcheck that\b|\bmanual(?:ly)? (?:check|test)|```(?:sh|bash|console)?\n\s*\$",
    re.IGNORECASE,
)
_NO_CODE = re.compile(r"\b(?:docs?|documentation|readme|changelog|typo|comment|translation|license)\b", re.IGNORECASE)


def _tests(case: _Case) -> Iterator[Finding]:
    text = case.issue.text
    if not _PROVEN.search(text) and not _NO_CODE.search(case.issue.title):
        mend = "name the test to write or the command to run, and what it must show"
        yield Finding("tests", Level.WARN, "nothing says how it is proven", mend)


_TO_MAKE = re.compile(
    r"\b(?:new|create|creates|creating|add|adds|introduce|write|extract|move|rename|generate)\b", re.I
)


def _named(case: _Case) -> set[str]:
    """The files that the text names without a doubt."""
    return {mention.path for mention in case.mentions.found if mention.manner in _SURE or mention.share == 1.0}


def _pointers(case: _Case) -> Iterator[Finding]:
    known = _named(case)
    declared = any(key in case.issue.metadata for key in DECLARED_IN)
    if not known and not case.mentions.globs and not case.mentions.new and not declared:
        likely = [file.path for file in case.scope.files[:3] if file.p >= LIKELY / 2]
        mend = f"name those that are right of {', '.join(likely)}" if likely else "name the file or module to begin in"
        yield Finding("pointers", Level.WARN, "it names no file of the tree", mend)
    elif not known and not case.mentions.globs and not _TO_MAKE.search(case.issue.text):
        told = f"the tree has no {', '.join(case.mentions.new[:3])}"
        yield Finding("pointers", Level.WARN, told, "mend the path, or say that it is to be made")
    for path in case.mentions.new if case.tree.paths else ():
        near = _namesake(path, case.tree)
        if near:
            yield Finding("pointers", Level.NOTE, f"the tree has no {path}", f"is {near} meant?")


def _namesake(path: str, tree: Tree) -> str:
    """A file of the same folder whose name is nearly that of the path: perhaps a slip."""
    folder, _, name = path.rpartition("/")
    there = {other.rpartition("/")[2]: other for other in tree.folders.get(folder, ())}
    near = get_close_matches(name, there, 1, SLIP)
    return there[near[0]] if near else ""


def _size(case: _Case) -> Iterator[Finding]:
    minutes = case.issue.estimated_minutes or 0
    boxes = len(re.findall(r"^\s*[-*] \[[ xX]\]", case.body, re.MULTILINE))
    named = {m.path for m in case.mentions.found if m.manner in (Manner.PATH, Manner.PART) and m.share == 1.0}
    wide = max(len(named), sum(file.p >= LIKELY for file in case.scope.files))
    too_much = (
        (minutes > MOST_MINUTES, f"it is estimated at {minutes / 60:.0f} hours"),
        (boxes > MOST_BOXES, f"its check list has {boxes} boxes"),
        (wide > MOST_FILES, f"it reaches over {wide} files"),
        (len(case.body) > MOST_TEXT, f"its text has {len(case.body):,} characters"),
    )
    for is_so, what in too_much:
        if is_so:
            yield Finding("size", Level.WARN, what, "split it where one part can land without the other")


def _dangling(case: _Case) -> Iterator[Finding]:
    for target in case.missing:
        mend = f"bd dep remove {case.issue.id} {target}, or bring that issue in"
        yield Finding("dangling", Level.WARN, f"it waits for {target}, which the tracker does not have", mend)
    if case.circle:
        told = circle(case.circle)
        yield Finding("dangling", Level.ERROR, f"it waits for itself: {told}", "remove one dependency of the circle")


_RULES: tuple[Callable[[_Case], Iterable[Finding]], ...] = (
    _title, _description, _outcome, _acceptance, _tests, _pointers, _size, _dangling,
)  # fmt: skip
