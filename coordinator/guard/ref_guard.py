"""The ref guard: what git's own hooks of a slot ask when its shell script cannot pass a commit by itself. Light.

`--no-verify` skips a pre-commit hook, but not a reference transaction; so commits made by `--sparse`, by plumbing or
by cherry-picking are looked at here too. In a shared checkout the one branch of all moves by commits that follow on it,
bear the attempt's mark and hold files that it has locked. With one user id this is a guard rail and no wall:
`-c core.hooksPath=…` or a hand in the git folder goes round it. The wall is the landing check.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from coordinator.guard.places import UnknownStateError, ask_git, read_holds, read_scope, rule_of
from coordinator.guard.rule import GRANT, LOCKED, REFUSED, advice, judge

OK, REFUSE = 0, 1
MARK = "Agent-Coord-Issue"
"""The trailer by which commits in one shared history are told apart; a hook of git writes it."""
_OWN = ("HEAD", "refs/bisect/", "refs/worktree/", "refs/rewritten/", "refs/remotes/")
"""Refs that are the worktree's own, or mirror another repository."""


def check_refs(argv: list[str], lines: str) -> tuple[int, str]:
    """Judge a prepared reference transaction; `argv` names the slot's admin folder, `lines` are old, new, ref."""
    return _closed(lambda scope: _refs(scope, lines), argv)


def check_staged(argv: list[str]) -> tuple[int, str]:
    """Judge what is staged; `argv` names the slot's admin folder."""
    return _closed(lambda scope: _paths(scope, _changed(scope, "diff-index", "--cached", "HEAD")), argv)


def _closed(check: Callable[[dict], list[str]], argv: list[str]) -> tuple[int, str]:
    try:
        said = check(read_scope(os.path.join(argv[0], "scope.json")))
    except UnknownStateError as error:
        said = [f"{error}; no ref moves while that is not known"]
    except Exception as error:  # noqa: BLE001 -- whatever went wrong, no ref may move unseen
        said = [f"the guard failed ({type(error).__name__}: {error}); no ref moves then"]
    return (REFUSE, "".join(f"agent-coord: {line}\n" for line in said[:8])) if said else (OK, "")


def _refs(scope: dict, lines: str) -> list[str]:
    said: list[str] = []
    tips: dict[str, None] = {}
    for line in lines.splitlines():
        _, new, ref = line.split(" ", 2)
        if ref.startswith(_OWN) or ref.endswith("_HEAD"):
            continue
        if scope["mode"] == LOCKED and ref == f"refs/heads/{scope['base_branch']}":
            said += _shared_tip(scope, ref, new)
        elif not ref.startswith(scope["refs"]):
            said.append(_foreign(scope, ref))
        elif set(new) == {"0"}:
            said.append(f"{ref} stays: the coordinator removes it once its work has landed or is saved")
        else:
            tips[new] = None
    for tip in tips:
        said += _tip(scope, tip)
    return said


def _foreign(scope: dict, ref: str) -> str:
    if scope["mode"] == LOCKED:
        return f"{ref} is not yours to move; agent-coord commit adds your commits to {scope['base_branch']}"
    if ref == "refs/stash":
        return "all worktrees share one stash; commit what you have on your branch instead"
    return f"{ref} is not this slot's; commit on your own branch below {scope['refs']}, the coordinator lands it"


def _shared_tip(scope: dict, ref: str, tip: str) -> list[str]:
    code, out = ask_git(scope["path"], "rev-parse", "--verify", "--quiet", ref)
    old = out.strip()
    if code != 0 or ask_git(scope["path"], "merge-base", "--is-ancestor", old, tip)[0] != 0:
        return [f"{tip[:12]} does not follow on {old[:12]}: commits of others are built on, never rewritten"]
    marks = f"--format=%(trailers:key={MARK},valueonly,separator=%x2C)"
    code, out = ask_git(scope["path"], "log", marks, f"{old}..{tip}")
    if code != 0 or any(line != scope["issue"] for line in out.splitlines()):
        return [
            f"{tip[:12]} brings commits that do not bear the mark of {scope['issue']}: agent-coord commit makes yours"
        ]
    return _paths(scope, _changed(scope, "diff-tree", old, tip))


def _tip(scope: dict, tip: str) -> list[str]:
    if ask_git(scope["path"], "merge-base", "--is-ancestor", scope["base"], tip)[0] != 0:
        return [f"{tip[:12]} leaves out {scope['base'][:12]}, which this attempt began from; add commits on top of it"]
    code, found = ask_git(scope["path"], "merge-base", f"refs/heads/{scope['base_branch']}", tip)
    base = found.strip() if code == 0 else scope["base"]
    changed = _changed(scope, "diff-tree", base, tip)
    if scope.get("stacked"):
        # What it stands on is not its own, and is not on the base branch yet.
        own = set(_changed(scope, "diff-tree", scope["base"], tip))
        changed = [path for path in changed if path in own]
    return _paths(scope, changed)


def _changed(scope: dict, command: str, *arguments: str) -> list[str]:
    index = os.environ.get("GIT_INDEX_FILE", "")  # of `git commit FILE`, which commits from an index made for it
    code, out = ask_git(scope["path"], command, "-r", "-z", "--no-renames", "--name-only", *arguments, index=index)
    if code != 0:
        raise UnknownStateError("git cannot tell what changed")
    return [path for path in out.split("\0") if path]


def _paths(scope: dict, paths: list[str]) -> list[str]:
    rule = rule_of(scope)
    if rule.mode == "off" or not paths:
        return []
    if rule.mode == LOCKED:
        from coordinator.guard.locks import unlocked

        return unlocked(rule, read_holds(scope, paths), paths)
    holds = read_holds(scope, paths)
    rulings = {path: judge(rule, holds, path) for path in paths}
    said = [advice(scope["slot"], path, ruling) for path, ruling in rulings.items() if ruling.verdict == REFUSED]
    free = [path for path, ruling in rulings.items() if ruling.verdict == GRANT]
    if free and not said:
        from coordinator.guard.grants import grant

        said += grant(scope, free)
    return said
