"""May this attempt write this path? One pure function, asked in four places.

The sign (the agent's tool call), the ref guard (a commit), the dirty check (what was left lying about) and the
landing check all call `judge`, so that they cannot mean different things. What they are given differs in trust
only: the first two read what lies in the slot, the landing check the ledger and its own configuration.

A predicted scope is a ranking, never a wall: a third of what work touches did not exist when it was predicted, and a
third of what is predicted is wrong. So under "reserved-by-others" a path is refused where it is protected, or where
somebody else's exclusive hold on it is *firm*: asked for, declared, or all but certain. A mere guess keeps two issues
from being started side by side and refuses no write. What is free becomes the writer's by writing there: it is reserved
on the spot, beside others who do the same, since two edits of one file merge more often than not. Under "strict" only
what the attempt holds, the tests and docs of it and the shared class may be written, the rest must be asked for. Under
"locked" (several agents in one checkout) nothing merges anything: who writes a file holds it alone, whatever it is.

Where the file system takes names of any case for one (`folds`), paths and patterns are compared by their keys
(`analyzer.casing`); what is told keeps the spelling in which it was given.

No dataclass, and the patterns' own room only where a pattern is no plain path: see `resources.state.peek`.
"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False  # typing itself costs 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MODES = ("reserved-by-others", "strict", "off")
LOCKED = "locked"
"""The mode of a shared checkout; never asked for by itself, it comes with that."""
FREE, GRANT, REFUSED = "free", "grant", "refused"

Rule = namedtuple("Rule", "mode agent issue always protected shared folds", defaults=(False,))
Rule.__doc__ = """Whose write, under which policy. `always`, `protected` and `shared` are patterns.

`folds`: names that differ in case alone are one file."""

Hold = namedtuple("Hold", "pattern agent issue shared predicted until")
Hold.__doc__ = """A live reservation. `until` is wall-clock seconds."""

Ruling = namedtuple("Ruling", "verdict why hold", defaults=("", None))
Ruling.__doc__ = """FREE, GRANT (reserve it first), or REFUSED with why and, where somebody has it, the hold."""


def is_mine(rule: Rule, hold: Hold) -> bool:
    """Whether the hold is the attempt's own: of its issue, or of its agent."""
    return hold.agent == rule.agent or (hold.issue == rule.issue != "")


def judge(rule: Rule, holds: Iterable[Hold], path: str) -> Ruling:
    """The ruling on one file, a path relative to the root of the repository with `/` between the parts."""
    fixed = _fixed(rule, path)
    if fixed is not None:
        return fixed
    here = [hold for hold in holds if covers(hold.pattern, path, rule.folds)]
    if rule.mode == LOCKED:
        return _locked(rule, [hold for hold in here if not hold.predicted])
    wall = next((hold for hold in here if _stops(rule, hold)), None)
    mine = [hold for hold in here if is_mine(rule, hold)]
    if wall is not None and all(hold.predicted for hold in mine):
        return Ruling(REFUSED, _held(wall), wall)
    if mine:
        return Ruling(FREE)
    if rule.mode == "strict" and not covered(rule.shared, path, rule.folds) and not _is_partner(rule, holds, path):
        return Ruling(REFUSED, "it is outside the scope of this attempt")
    return Ruling(GRANT)


def _locked(rule: Rule, here: Sequence[Hold]) -> Ruling:
    theirs = next((hold for hold in here if not is_mine(rule, hold)), None)
    if theirs is not None:
        return Ruling(REFUSED, _held(theirs), theirs)
    return Ruling(GRANT if all(hold.shared for hold in here) else FREE)


def _stops(rule: Rule, hold: Hold) -> bool:
    return not ((hold.shared and rule.mode != LOCKED) or hold.predicted or is_mine(rule, hold))


def judge_tree(rule: Rule, holds: Sequence[Hold], folder: str) -> Ruling:
    """The ruling on everything below a folder ("" the whole repository): removed, moved or overwritten at one go."""
    fixed = _fixed(rule, folder)
    if fixed is not None:
        return fixed
    blocked = next((pattern for pattern in rule.protected if meets(pattern, folder, rule.folds)), "")
    if blocked:
        return Ruling(REFUSED, f"{blocked} in it is protected")
    theirs = next((one for one in holds if _stops(rule, one) and meets(one.pattern, folder, rule.folds)), None)
    if theirs is not None:
        return Ruling(REFUSED, _held(theirs), theirs)
    inside = f"{folder}/x".strip("/")
    whole = any(is_mine(rule, one) and covers(one.pattern, inside, rule.folds) for one in holds)
    if rule.mode in ("strict", LOCKED) and not whole:
        return Ruling(REFUSED, "not all of it is in the scope of this attempt")
    return Ruling(FREE)


def advice(slot: str, path: str, ruling: Ruling) -> str:
    """A refusal as a sentence for the agent, with the command that asks for the path where asking can help."""
    said = f"{path or 'the whole tree'} may not be written by this attempt: {ruling.why}."
    if ruling.hold is None and "protected" in ruling.why:
        return said
    quoted = path if is_plain(path) and " " not in path else f"'{path}'"
    return f"{said} Leave it, or ask for it: agent-coord scope widen {slot} {quoted} --why 'REASON'"


def lock_advice(path: str, ruling: Ruling) -> str:
    """The same in a shared checkout, where only locking helps."""
    what = path or "the whole tree"
    if ruling.hold is not None:
        later = "Do what needs no file of others, then try again; when nothing is left, end and say whom you wait for."
        return f"{what} is locked: {ruling.why}. {later}"
    if "protected" in ruling.why:
        return f"{what} may not be written by this attempt: {ruling.why}."
    quoted = path if is_plain(path) and " " not in path else f"'{path}'"
    return f"{what} is not locked by this attempt. Lock it: agent-coord reserve add {quoted} --why 'REASON'"


def _fixed(rule: Rule, path: str) -> Ruling | None:
    if rule.mode == "off":
        return Ruling(FREE)
    if covered(rule.protected, path, rule.folds):
        return Ruling(REFUSED, "it is protected: the coordinator writes it, no agent does")
    return Ruling(FREE) if rule.mode != LOCKED and covered(rule.always, path, rule.folds) else None


def _held(hold: Hold) -> str:
    who = f"{hold.agent} holds {hold.pattern}" + (f" for {hold.issue}" if hold.issue else "")
    from resources.system.clock import iso

    return f"{who} until {iso(hold.until)}"


def _is_partner(rule: Rule, holds: Iterable[Hold], path: str) -> bool:
    name = same(path.rpartition("/")[2], rule.folds)
    mine = (hold.pattern for hold in holds if is_mine(rule, hold))
    return any(name in (same(one, rule.folds) for one in partners(pattern)) for pattern in mine)


def partners(pattern: str) -> frozenset[str]:
    """The names of the tests and docs of a file, by the habits of the common languages; none for a wider pattern."""
    stem, dot, suffix = pattern.rpartition("/")[2].rpartition(".")
    if not (dot and stem) or not is_plain(stem):
        return frozenset()
    code = {
        f"test_{stem}.{suffix}",
        *(f"{stem}{mark}.{suffix}" for mark in ("_test", ".test", ".spec", "_spec", "Test")),
    }
    return frozenset(code | {f"{stem}{mark}" for mark in (".md", ".rst")} | {f"{stem}.snap", f"{stem}.{suffix}.snap"})


def same(path: str, folds: bool) -> str:
    """What a path is compared by."""
    if not folds:
        return path
    from analyzer.casing import key

    return key(path)


def _pattern(pattern: str, folds: bool) -> str:
    if not folds:
        return pattern
    from analyzer.casing import pattern_key

    return pattern_key(pattern)


def covered(patterns: Iterable[str], path: str, folds: bool = False) -> bool:
    """Whether one of the patterns covers the path."""
    return any(covers(pattern, path, folds) for pattern in patterns)


def is_plain(pattern: str) -> bool:
    """Whether the pattern is a path and nothing else."""
    return not any(sign in pattern for sign in "*?[{") and pattern.isascii() and not pattern.startswith("!")


def covers(pattern: str, path: str, folds: bool = False) -> bool:
    """Whether the pattern matches the path, exactly as `analyzer.globs.matches` says; plain ones at once."""
    pattern, path = _pattern(pattern, folds), same(path, folds)
    if path.isascii():
        if is_plain(pattern):
            return path == pattern
        folder = pattern.removesuffix("/**")
        if folder != pattern and is_plain(folder):
            return path == folder or path.startswith(f"{folder}/")
    from analyzer.globs import matches

    return matches(pattern, path)


def meets(pattern: str, folder: str, folds: bool = False) -> bool:
    """Whether the pattern matches the folder itself or anything below it."""
    pattern, folder = _pattern(pattern, folds), same(folder, folds)
    if not folder:
        return True
    if folder.isascii() and is_plain(pattern):
        return pattern == folder or pattern.startswith(f"{folder}/")
    from analyzer.globs import escape, intersect

    return intersect(pattern, f"{escape(folder)}/**") is not None
