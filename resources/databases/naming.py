"""Names of databases and roles. Pure.

A name serves people (`meal_planner_wt_1` in a list of databases); who owns a thing is told by its mark.
Names are made of [a-z0-9_] so that no tool ever needs quotes, and never exceed 63 bytes: Postgres cuts a
longer one silently, and two slots would then share a database. What does not fit keeps its beginning and
gets 8 hex digits of a hash of the whole.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

LIMIT = 63
"""NAMEDATALEN - 1 of every stock Postgres, in bytes."""

_DIGITS = 8


def slug(text: str) -> str:
    """`text` in [a-z0-9_], starting with a letter: "Meal-Planner" -> "meal_planner"; "" -> "db"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if not words:
        return "db_" + fingerprint(text) if text else "db"
    return words if words[0].isalpha() else f"db_{words}"


def fingerprint(text: str) -> str:
    """8 hex digits that stand for `text` in a name."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]


def fitted(name: str) -> str:
    """`name` itself when it fits, else its beginning with the fingerprint of the whole."""
    if len(name.encode()) <= LIMIT:
        return name
    return f"{name[: LIMIT - _DIGITS - 1].rstrip('_')}_{fingerprint(name)}"


def slot_names(prefix: str, slot: str, owner: str) -> tuple[str, str]:
    """The name for a slot's database and role, and the one to take when another owner already has the first.

    ("meal planner", "pool-wt-1", uid) -> ("meal_planner_wt_1", "meal_planner_wt_1_9f86d081")
    """
    short = slot.removeprefix("pool-") or slot
    name = f"{slug(prefix)}_{re.sub(r'^db_(?=[0-9])', '', slug(short))}"
    return fitted(name), fitted(f"{name}_{fingerprint(owner + chr(0) + slot)}")


def owner_name(prefix: str, owner: str) -> str:
    """The role that owns the tables in templates; the owner's fingerprint keeps two projects of one name apart."""
    return fitted(f"{slug(prefix)[:40]}_app_{fingerprint(owner)}")


def template_name(prefix: str, key: str, salt: str) -> str:
    """A template's database; `salt` keeps an unfinished build apart from the next try."""
    return fitted(f"{slug(prefix)[:30]}_template_{key[:10]}_{salt}")


def spare_name(prefix: str, key: str, salt: str) -> str:
    """A clone that waits for a slot; `salt` tells it from its siblings."""
    return fitted(f"{slug(prefix)[:30]}_spare_{key[:10]}_{salt}")


def retired_name(prefix: str, salt: str) -> str:
    """A database that a fresh one replaced and that waits to be dropped."""
    return fitted(f"{slug(prefix)[:30]}_retired_{salt}")
