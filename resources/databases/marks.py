"""The mark that makes a database or a role ours: a JSON comment on it. Pure.

    {"agent_coord": OWNER, "kind": "slot"|"template"|"build"|"spare"|"retired"|"app", "slot": …, "key": …, "at": …}

The owner comes first and the text is built in one way, so the server can pick out our things by the beginning
of the comment without parsing comments that other people wrote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

FIELD = "agent_coord"

ANYBODY = f'{{"{FIELD}": '
"""What the mark of every repository begins with."""


def encode(owner: str, kind: str, **facts: str) -> str:
    """The comment for a thing of `owner`."""
    return json.dumps({FIELD: owner, "kind": kind, **facts}, ensure_ascii=True)


def beginning(owner: str) -> str:
    """What every comment of `owner` starts with."""
    return json.dumps({FIELD: owner}, ensure_ascii=True)[:-1]


def decode(comment: str | None, owner: str) -> Mapping[str, Any] | None:
    """The mark in `comment` when it is one of `owner`'s, else None."""
    if not comment or not comment.startswith(beginning(owner)):
        return None
    try:
        mark = json.loads(comment)
    except ValueError:
        return None
    return mark if isinstance(mark, dict) and mark.get(FIELD) == owner else None
