"""Files are locked as an agent is about to write them: the guard's part in a checkout that several agents share.

A lock is a reservation that is not shared, on one file: its path after `..`, links and full
names are resolved, whatever it was called by. The tool call waits for whoever has it, as
long as the configuration says, and is refused with his name then; several files of one call are locked all together
or not at all, and a circle of waiting agents is broken as everywhere else (`mail.waiting`). What was changed already
when the attempt began, and is so still, is somebody's work outside of this run: it is not given out. Light while
everything is locked already, which nearly every call finds.
"""

from __future__ import annotations

from coordinator.guard.places import Spot, ask_git, is_ignored, read_holds
from coordinator.guard.rule import FREE, GRANT, REFUSED, Rule, covered, judge, judge_tree, lock_advice, same

TYPE_CHECKING = False  # typing itself costs 5 ms
if TYPE_CHECKING:
    from coordinator.guard.rule import Hold

AFTER_WAIT = 10
"""Seconds that are left for the answer itself; with the longest wait still below the minute that programs give."""


def lock(scope: dict, rule: Rule, places: list[tuple[Spot, bool]]) -> list[str]:
    """Lock the files that a tool is about to write, waiting for those who have them; returns why not, [] when done."""
    refused = [f"this write is refused: {spot.reason}." for spot, _ in places if spot.path is None and spot.reason]
    inside = [(spot.path, whole or not spot.path) for spot, whole in places if spot.path is not None]
    if not inside or refused:
        return refused
    holds = read_holds(scope, None if any(whole for _, whole in inside) else [path for path, _ in inside])
    free, held = [], []
    for path, whole in inside:
        ruling = (judge_tree if whole else judge)(rule, holds, path)
        if ruling.verdict == FREE or (not covered(rule.protected, path) and is_ignored(scope, path or ".")):
            continue
        if ruling.verdict == GRANT:
            free.append(path)
        elif ruling.hold is not None and not whole:
            held.append(path)
        elif ruling.verdict == REFUSED:
            refused.append(lock_advice(f"{path}/**".lstrip("/") if whole else path, ruling))
    # What another agent has is unsaved by its doing, and is saved and taken out before its lock is given back.
    outside = [_not_ours(path) for path in free if _is_unsaved(scope, rule, path)]
    return refused or outside or _take(scope, rule, [*free, *held])


def unlocked(rule: Rule, holds: list[Hold], paths: list[str]) -> list[str]:
    """Why paths that were written may not be committed: a sentence for each that the attempt has not locked."""
    rulings = {path: judge(rule, holds, path) for path in paths}
    return [lock_advice(path, ruling) for path, ruling in rulings.items() if ruling.verdict != FREE]


def _is_unsaved(scope: dict, rule: Rule, path: str) -> bool:
    found = [one for one in scope.get("main", {}) if same(one, rule.folds) == same(path, rule.folds)]
    return bool(found and ask_git(scope["path"], "status", "--porcelain", "--untracked-files=all", "--", *found)[1])


def _not_ours(path: str) -> str:
    return f"{path} was changed before this attempt began and is not committed: somebody outside of this run is at it"


def outlast(seconds: float) -> None:
    """Put off the alarm at which a hook gives up (`entrypoints.hooks`): it waits for others now, up to `seconds`."""
    import signal

    if signal.alarm(0):
        signal.alarm(int(seconds) + AFTER_WAIT)


def _take(scope: dict, rule: Rule, paths: list[str]) -> list[str]:
    if not paths:
        return []
    from pathlib import Path

    from analyzer.globs import escape
    from coordinator.mail.waiting import Wish, reserve_waiting
    from resources.state import leases
    from resources.state.sqlite import SqliteLedger
    from resources.system.errors import Failure

    outlast(scope["lock_seconds"])
    ledger = SqliteLedger(Path(scope["state"]))
    try:
        with ledger.read() as snapshot:
            owner = leases.owner_of(snapshot, scope["fence"])
        wish = Wish(
            tuple(map(escape, paths)), rule.agent, rule.issue, "written by the attempt", owner=owner, over_guesses=True
        )
        reserve_waiting(ledger, wish, scope["lock_seconds"])
    except Failure as failure:
        later = "Do what needs no file of others, then try again; when nothing is left, end and say whom you wait for."
        return [f"{failure.what} ({failure.why}). {later}" if failure.why else f"{failure.what}. {later}"]
    finally:
        ledger.close()
    return []
