"""The sign at the door: an agent's tool call, answered before the tool runs. Light.

The whole process has 25 ms, so that nobody is tempted to switch it off: nothing heavy is imported unless a new path
has to be reserved, which happens once for each. It fails closed: what it cannot read or does not know is refused with
the reason, because both programs take a hook that ends in any other way for one that agrees.

What the attempt itself has made out of its scope, and git does not track, it may take away again.

Text that only a shell could work out (a variable never set, `xargs`) passes under "reserved-by-others" and is refused
under "strict": refusing it always would forbid every second loop, and the landing check looks at facts.
"""

from __future__ import annotations

import os
from collections import namedtuple

from coordinator.guard.deeds import GIT, GONE, Deed
from coordinator.guard.places import UnknownStateError, find_scope, is_ignored, is_new, read_holds, rule_of, spots
from coordinator.guard.rule import FREE, GRANT, LOCKED, REFUSED, Hold, Rule, Ruling, advice, judge, judge_tree
from coordinator.guard.toolcall import UnreadableCallError, read_call

ALLOW, DENY = 0, 2
"""Exit codes of a hook; any other one lets the tool run."""

Place = namedtuple("Place", "spot whole gone")
Place.__doc__ = """Where a deed writes, whether all below it is meant, and whether it is taken away."""


def answer(text: bytes, cwd: str, environ: dict[str, str]) -> tuple[int, str]:
    """The exit code of the hook and what it says: on standard error when it denies, on output when it allows."""
    said = _refusals(text, cwd, environ)
    letters, takes_context = _letters(text, cwd, environ)
    if said or (letters and not takes_context):
        lines = said[:5] or ["nothing is wrong with this call, it waits for you to read this; then repeat it"]
        return DENY, "agent-coord: " + "\n".join([*lines, *letters]) + "\n"
    return ALLOW, _context("\n\n".join(letters)) if letters else ""


def _refusals(text: bytes, cwd: str, environ: dict[str, str]) -> list[str]:
    try:
        folder, reading = read_call(text, cwd, environ)
        if not reading.deeds and not reading.refusals:
            return []
        scope = find_scope(folder, environ)
        deeds, refusals = reading.deeds, reading.refusals
        if reading.shared and scope.get("mode") == LOCKED:
            deeds, refusals = [*deeds, *reading.shared.deeds], [*refusals, *reading.shared.refusals]
        return _unsafe(scope, refusals) or _judged(scope, deeds)
    except (UnknownStateError, UnreadableCallError) as error:
        return [f"{error}. Nothing is written while that is not known: agent-coord doctor"]
    except Exception as error:  # noqa: BLE001 -- whatever went wrong, the write must not happen unseen
        return [f"the guard failed ({type(error).__name__}: {error}). Nothing is written then: agent-coord doctor"]


def _letters(text: bytes, cwd: str, environ: dict[str, str]) -> tuple[list[str], bool]:
    """Urgent letters to the agent, and whether its program hands on what a hook adds to a call that it allows.

    Codex (whose calls have a turn) is not known to; there the call is denied once. A call without a session is a trial
    of the guard, to which nobody listens.
    """
    try:
        scope = find_scope(cwd, environ)
        if os.stat(scope["bell"]).st_size == 0:
            return [], True
        from coordinator.mail.alarm import hear
        from resources.system.quick_json import read_json

        call = read_json(text)
        if call.get("session_id", "proof") == "proof":
            return [], True
        return hear(scope["state"], scope["agent"], scope["issue"]), "turn_id" not in call
    except Exception:  # noqa: BLE001 -- a letter that cannot be told decides nothing about the write
        return [], True


def _context(text: str) -> str:
    """Words for the model beside a call that is allowed, in the form of Claude Code."""
    from json import dumps

    added = {"hookEventName": "PreToolUse", "additionalContext": f"An urgent letter for you. {text}"}
    return dumps({"hookSpecificOutput": added})


def _unsafe(scope: dict, refusals: list[tuple[str, str]]) -> list[str]:
    def counts(folder: str) -> bool:
        # A repository of its own in a temporary folder is the agent's to do with as it likes.
        return any(spot.path is not None or spot.reason for spot in spots(scope, folder, "."))

    return [why for folder, why in refusals if counts(folder)]


def _judged(scope: dict, deeds: list[Deed]) -> list[str]:
    rule = rule_of(scope)
    if rule.mode == "off":
        return []
    refused: list[str] = []
    if rule.mode == "strict" and any(deed.target is None for deed in deeds):
        refused.append("it cannot be told where this writes; name the path")
    named = [deed for deed in deeds if deed.target is not None]
    places = [place for deed in named for target in _expanded(deed) for place in _where(scope, deed, target)]
    if rule.mode == LOCKED:
        from coordinator.guard.locks import lock

        return lock(scope, rule, [(place.spot, place.whole) for place in dict.fromkeys(places)])
    inside = [spot.path for spot, _, _ in places if spot.path is not None]
    widely = any(whole or not spot.path for spot, whole, _ in places if spot.path is not None)
    holds = read_holds(scope, None if widely else inside) if inside else []
    grants: list[str] = []
    for place in dict.fromkeys(places):
        refused += _ruled(scope, rule, holds, place, grants)
    if grants and not refused:
        from coordinator.guard.grants import grant

        refused += grant(scope, grants)
    return list(dict.fromkeys(refused))


def _expanded(deed: Deed) -> list[str]:
    if not any(sign in deed.target for sign in "*?[") or os.path.lexists(os.path.join(deed.cwd, deed.target)):
        return [deed.target]
    from glob import glob

    return glob(deed.target, root_dir=deed.cwd) or [deed.target]


def _where(scope: dict, deed: Deed, target: str) -> list[Place]:
    full = os.path.join(deed.cwd, os.path.expanduser(target))
    if deed.extent == GONE:
        found = spots(scope, deed.cwd, target)
        whole = os.path.isdir(full) and not os.path.islink(full)
        return [Place(spot, whole, True) for spot in (found if target.endswith("/") else found[:1])]
    if isinstance(deed.extent, str) and deed.extent != GIT and os.path.isdir(full):
        target, full = f"{target}/{deed.extent}", f"{full}/{deed.extent}"
    found = spots(scope, deed.cwd, target)
    if deed.extent == GIT:
        return [Place(spot, False, False) for spot in found if spot.path is None and spot.reason]
    return [Place(spot, deed.extent is True and os.path.isdir(full), False) for spot in found]


def _ruled(scope: dict, rule: Rule, holds: list[Hold], place: Place, grants: list[str]) -> list[str]:
    spot = place.spot
    if spot.path is None:
        return [f"this write is refused: {spot.reason}. Write below {scope['path']}."] if spot.reason else []
    ruling: Ruling = (judge_tree if place.whole or not spot.path else judge)(rule, holds, spot.path)
    if ruling.verdict == FREE or (spot.path and is_ignored(scope, spot.path)):
        return []
    if ruling.verdict == REFUSED and place.gone and is_new(scope, spot.path):
        return []
    if ruling.verdict == GRANT:
        grants.append(spot.path)
    return [advice(scope["slot"], spot.path, ruling)] if ruling.verdict == REFUSED else []
