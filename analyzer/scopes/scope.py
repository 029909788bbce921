"""Which paths an issue will touch: ranked, with a probability and the evidence for each.

A predicted scope is a ranking, never a wall: a third of what it reserves is wrong and a third of what work touches
does not exist before. So every file says why it is here, files named in the text but not in the tree are listed as to
be made, and hot files (those that most issues touch) are marked, for they say nothing about who conflicts with whom.

What the user states outright outweighs what is guessed: the paths in the issue's metadata (`files`, `paths`, `scope`,
`write`) and the folders that the policy gives to a label join the prediction as independent evidence.

Searching the texts of the past is what ranks well and what costs time (some milliseconds an issue), so it is done for
the first `searched` issues of a request, which the caller gives in the order of importance; the others are judged by
names, relatives and popularity.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analyzer.backlog.issues import Issue
from analyzer.globs import PatternSet, escape, normalise
from analyzer.scopes.history import History
from analyzer.scopes.kin import Kin, parents_of
from analyzer.scopes.mentions import Manner, Mentions, find_mentions
from analyzer.scopes.ranking import Ranker
from analyzer.scopes.reasons import Reasons
from analyzer.scopes.signals import Evidence, issue_terms
from analyzer.scopes.ties import Ties, weighed
from analyzer.scopes.tree import Tree
from resources.system.errors import Failure

ALWAYS_HOT = re.compile(
    r"(package|composer|deno|tsconfig|package-lock|npm-shrinkwrap)\.json|.*\.lockb?|(pnpm-lock|pubspec)\.yaml"
    r"|(Cargo|pyproject|gleam|manifest)\.toml|go\.(mod|sum|work)|requirements.*\.txt|setup\.(py|cfg)|(Gem|Pip)file"
    r"|mix\.exs|build\.gradle.*|pom\.xml|deps\.edn|project\.clj|(?i:changelog|changes|history|news|releases)(\..+)?"
)
"""Names of manifests, lock files and change logs: many issues touch them and their merges are mostly mechanical."""
DECLARED_IN = ("files", "paths", "scope", "write")
DECLARED_P = 0.9
LABEL_P = 0.6
"""For a label that stands for one file; for n files each gets 1/sqrt(n) of it."""
UNSEEN_P = 0.6
"""A named path that cannot be looked up."""
TELLING_TERMS = 120
NAMED_OUTRIGHT = (Manner.PATH, Manner.PART, Manner.NAME)
CROWD = 10
"""A file that more issues of one request claim, and more than `hot_share` of them, is hot in it."""


@dataclass(frozen=True, slots=True)
class ScopeFile:
    """A file of the tree with the probability that the issue touches it, and why, the strongest reason first."""

    path: str
    p: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What one issue is expected to touch."""

    issue: str
    files: tuple[ScopeFile, ...] = ()
    """Best first."""
    new: tuple[tuple[str, float], ...] = ()
    """Patterns of files to be made, with their probability."""
    write: tuple[str, ...] = ()
    """Patterns to reserve, sorted."""
    hot: tuple[str, ...] = ()
    """Hot files among `files`."""
    words: Mapping[str, float] = field(default_factory=dict, hash=False)
    """The telling terms of a searched issue, as a vector of length 1."""
    ties: Ties = field(default=Ties(), repr=False)
    """What a searched issue may have in common with others beside its files."""


@dataclass(frozen=True)
class ScopePolicy:
    """How scopes are read. `labels` gives patterns to labels, `hot` adds to the files that are always hot."""

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reserve_at: float = 0.2
    warn_at: float = 0.05
    hot_share: float = 0.05
    hot: tuple[str, ...] = ()
    limit: int = 20
    """Files that a searched issue keeps at least, where the tree has them."""
    searched: int = 100
    """Issues of a request whose words are looked up in the past."""


@dataclass(frozen=True)
class _Stated:
    """What the user states: pattern -> (p for each of its files, the reason), and which patterns to reserve."""

    files: Mapping[str, tuple[float, str]]
    reserve: frozenset[str]
    new: Mapping[str, float]


def predict(
    issues: Sequence[Issue],
    backlog: Mapping[str, Issue],
    history: History,
    tree: Sequence[str],
    policy: ScopePolicy | None = None,
) -> dict[str, Scope]:
    """The scope of each issue. `backlog` holds all known issues, `tree` the paths that exist now.

    Without a tree the files that the history touched stand in for it, and without both, paths named in the text are
    taken as they are. Bad patterns in metadata are passed over; a bad one in the policy raises `bad-pattern`.
    """
    policy = policy or ScopePolicy()
    paths = tree or sorted({path for commit in history.commits for path in commit.files})
    ranker = Ranker(Evidence(history, Tree(paths), Kin(backlog)))
    known_hot = history.hot_files(policy.hot_share) if len(history) else frozenset()
    drafts = [_draft(issue, ranker, policy, place < policy.searched) for place, issue in enumerate(issues)]
    known_hot |= _crowded(drafts, policy)
    always = PatternSet(map(normalise, policy.hot))
    return {scope.issue: _marked(scope, known_hot, always, policy) for scope in drafts}


def _crowded(scopes: Sequence[Scope], policy: ScopePolicy) -> frozenset[str]:
    """Files that so many issues of one request hold that holding them says nothing."""
    claims = Counter(file.path for scope in scopes for file in scope.files if file.p >= policy.reserve_at)
    guesses = Counter(file.path for scope in scopes for file in scope.files if file.p >= policy.warn_at)
    many = max(CROWD, policy.hot_share * len(scopes))
    claimed = {path for path, count in claims.items() if count > many}
    return frozenset(claimed | {path for path, count in guesses.items() if count > 2 * many})


def _marked(scope: Scope, hot: Container[str], always: PatternSet, policy: ScopePolicy) -> Scope:
    def is_hot(path: str) -> bool:
        return path in hot or bool(ALWAYS_HOT.fullmatch(path.rpartition("/")[2]) or always.match(path))

    marked = tuple(file.path for file in scope.files if file.p >= policy.warn_at and is_hot(file.path))
    return replace(scope, hot=marked) if marked else scope


def _draft(issue: Issue, ranker: Ranker, policy: ScopePolicy, searched: bool) -> Scope:
    evidence = ranker.evidence
    mentions = find_mentions(issue.text, evidence.tree)
    reading = ranker.read(issue, mentions, searched)
    fewest = policy.limit if searched else 0
    ranked = dict(ranker.rank(reading, policy.warn_at, fewest)) if evidence.tree.paths else _taken(mentions)
    stated = _stated(issue, mentions, evidence.tree, policy)
    reasons = Reasons(issue, evidence, mentions, reading.signals)
    for path, (p, _) in stated.files.items():
        ranked[path] = 1 - (1 - ranked.get(path, 0.0)) * (1 - p)
    files = tuple(
        ScopeFile(path, round(p, 4), (*([stated.files[path][1]] if path in stated.files else ()), *reasons.of(path)))
        for path, p in sorted(ranked.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    new = tuple(sorted(stated.new.items(), key=lambda pair: (-pair[1], pair[0])))
    write = {escape(file.path) for file in files if file.p >= policy.reserve_at} | stated.reserve
    write |= {escape(path) for path in _named_outright(mentions) if ranked.get(path, 0.0) >= policy.warn_at}
    write |= {pattern for pattern, p in new if p >= policy.reserve_at}
    words = evidence.history.telling_terms(issue_terms(issue), TELLING_TERMS) if searched else {}
    ties = _ties(issue, mentions, evidence, files) if searched else Ties()
    return Scope(issue.id, files, new, tuple(sorted(write)), words=words, ties=ties)


def _ties(issue: Issue, mentions: Mentions, evidence: Evidence, files: Sequence[ScopeFile]) -> Ties:
    habits, precedents = evidence.habits, weighed(evidence.precedents(issue.id))
    return Ties(
        issue=issue.id,
        kind=issue.kind,
        parents=frozenset(parents_of(issue)),
        targets=frozenset(dependency.target for dependency in issue.dependencies),
        dependants=evidence.kin.dependants(issue),
        cited=frozenset(evidence.kin.cited(issue)),
        labels=frozenset(issue.labels),
        named=frozenset(m.path for m in mentions.found if m.manner in NAMED_OUTRIGHT and m.share > 0.4),
        precedents=precedents,
        alike=weighed(evidence.past_alike(issue.id)),
        rarity={file.path: round(habits.rarity(file.path), 2) for file in files},
        wanted=sum(file.p * habits.wanted(file.path) for file in files) / (sum(file.p for file in files) or 1.0),
        met=sum(weight * habits.met(touched) for weight, touched in precedents),
        age=habits.age,
        breadth=habits.breadth,
        usual=habits.usual,
    )


def _taken(mentions: Mentions) -> dict[str, float]:
    """Named paths as they stand, when there is no tree to look them up in."""
    return {mention.path: UNSEEN_P for mention in mentions.found}


def _named_outright(mentions: Mentions) -> Iterator[str]:
    return (mention.path for mention in mentions.found if mention.manner in NAMED_OUTRIGHT and mention.share == 1)


def _stated(issue: Issue, mentions: Mentions, tree: Tree, policy: ScopePolicy) -> _Stated:
    files: dict[str, tuple[float, str]] = {}
    reserve = set(mentions.globs)
    new = dict(_to_be_made(mentions, tree))
    for pattern in _declared(issue):
        covered = tree.covered(pattern)
        reserve.add(pattern)
        files.update(dict.fromkeys(covered, (DECLARED_P / max(1, len(covered)) ** 0.25, "declared in the metadata")))
        if not covered:
            new[pattern] = DECLARED_P
    for label in issue.labels:
        for given in policy.labels.get(label, ()):
            pattern = normalise(given)
            covered = tree.covered(pattern)
            p = LABEL_P / max(1, len(covered)) ** 0.5
            files.update({path: (p, f"label {label} -> {given}") for path in covered if path not in files})
            if not covered:
                new.setdefault(pattern, LABEL_P)
    return _Stated(files, frozenset(reserve), new)


def _declared(issue: Issue) -> Iterator[str]:
    for key in DECLARED_IN:
        value = issue.metadata.get(key)
        for entry in [value] if isinstance(value, str) else value if isinstance(value, list) else ():
            if isinstance(entry, str):
                try:
                    yield normalise(entry)
                except Failure:
                    continue


def _to_be_made(mentions: Mentions, tree: Tree) -> Iterator[tuple[str, float]]:
    """Patterns of named files that the tree lacks, with how often such a file was made, by where it would lie."""
    for path in mentions.new:
        folder, slash, _ = path.rpartition("/")
        if slash and folder in tree.folders:
            yield escape(path), 0.6 if len(mentions.new) <= 3 else 0.4
        elif slash:
            yield escape(path), 0.35 if path.partition("/")[0] in tree.folders else 0.1
        else:
            yield f"**/{escape(path)}", 0.1
