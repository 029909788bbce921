"""What has to be done so that the next slot need not wait, and what may go. Pure.

A clone takes 35 to 210 ms, putting a ready one in place takes 5. So some clones of the template that was lent last
are kept ready as *spares*; those of the one lent before it stay too, because a branch that adds migrations and the
base take turns. A project without slots needs no spare.

A template is kept while a slot's database came from it, while it is one of the newest, and for a week after it was
last lent: building it again costs seconds to minutes, keeping it some megabytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from resources.databases.values import Found

NEWEST = 2
"""Templates, and keys with spares, that stay whatever their age."""

KEEP_SECONDS = 7 * 24 * 3600.0
"""How long after its last use a template stays."""


@dataclass(frozen=True)
class Chores:
    """Databases to drop, spares to take out of the stock, keys of templates to drop, and spares to make of `key`.

    `wrecks` are templates and spares that somebody makes now or was killed over: (name, key, "" when it bears no mark).
    """

    drop: tuple[str, ...] = ()
    wrecks: tuple[tuple[str, str], ...] = ()
    surplus: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    key: str = ""
    make: int = 0


def chores(found: Iterable[Found], used: Mapping[str, float], spares: int, now: float) -> Chores:
    """What to do given everything of ours on the server and when each template's key was last lent."""
    things = list(found)
    newest = sorted(_keys(things, "template"), key=lambda key: used.get(key, 0.0), reverse=True)
    wanted = spares if any(thing.kind == "database" for thing in things) else 0
    surplus, standing = [], Counter[str]()
    for thing in (thing for thing in things if thing.kind == "spare"):
        key = str(thing.mark.get("key"))
        if key in newest[:NEWEST] and standing[key] < wanted:
            standing[key] += 1
        else:
            surplus.append(thing.name)
    return Chores(
        drop=tuple(thing.name for thing in things if thing.mark.get("kind") == "retired"),
        wrecks=tuple(
            (thing.name, str(thing.mark.get("key", "")))
            for thing in things
            if thing.kind == "template" and thing.mark.get("kind") in {"build", "app"}
        ),
        surplus=tuple(surplus),
        templates=tuple(key for key in newest[NEWEST:] if may_go(key, things, used, now)),
        key=newest[0] if newest else "",
        make=max(0, wanted - standing[newest[0]]) if newest else 0,
    )


def may_go(key: str, found: Iterable[Found], used: Mapping[str, float], now: float) -> bool:
    """Whether no slot's database came from the template with `key` and nobody has borrowed it for a week.

    One without a record of its use counts as used long ago.
    """
    return key not in _keys(found, "database") and now - used.get(key, 0.0) > KEEP_SECONDS


def _keys(found: Iterable[Found], kind: str) -> set[str]:
    # An unfinished build and a clone that was never marked count as templates in the inventory, and are none.
    return {
        str(thing.mark["key"])
        for thing in found
        if thing.kind == kind and "key" in thing.mark and thing.mark.get("kind") != "build"
    }
