"""What a scripted agent is to do: TOML to frozen steps.

A script is a file `<issue id>.toml` with one `[[attempt]]` for each attempt; later attempts repeat the last
one. An attempt is a list of `[[attempt.step]]` tables. The verb of a step is the key that names it:

    say = "text"                                  a line in the log
    sleep = 0.3                                   seconds
    write = "path"          text = "…"            the whole file
    append = "path"         text = "…"
    insert_after = "path"   anchor = "…" text     after the one line that holds the anchor
    replace = "path"        old = "…" new = "…"   where `old` stands exactly once
    delete = "path"
    run = ["{python}", …]                         must end with 0, unless `may_fail = true`
    commit = "message"                            what this attempt touched
    cherry_pick = ["commit", …]                   all of them, or none and exit code 3

`unless = "text"` on an edit skips it where the file already holds the text, so that a second attempt may
start from the first one's work or from a fresh base.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resources.system.errors import Failure
from resources.system.tables import read_toml

EDITS: Mapping[str, tuple[str, ...]] = {
    "write": ("text",),
    "append": ("text",),
    "insert_after": ("anchor", "text"),
    "replace": ("old", "new"),
    "delete": (),
}
"""The verbs that change a file, and what each needs."""
VERBS = ("say", "sleep", *EDITS, "run", "commit", "cherry_pick")


@dataclass(frozen=True)
class Step:
    """One thing to do: the verb, what it is done to, and the other keys of its table."""

    verb: str
    target: Any
    more: Mapping[str, Any] = field(default_factory=dict)


def read_script(scripts: Path, issue: str, attempt: int) -> tuple[Step, ...]:
    """The steps for the `attempt`-th try (1 the first) at `issue`.

    Raises Failure("no-script") when the folder holds none, Failure("bad-script") naming the file and the step.
    """
    file = scripts / f"{issue}.toml"
    if file.parent != scripts or not file.is_file():
        raise Failure("no-script", f"{scripts} holds no script for {issue}", mend=f"write {file}")
    attempts = read_toml(file).get("attempt", [])
    if not attempts:
        raise Failure("bad-script", f"{file} has no [[attempt]]", mend=f"edit {file}")
    number = min(attempt, len(attempts))
    tables = attempts[number - 1].get("step", [])
    return tuple(_step(table, f"{file}: attempt {number}, step {place}") for place, table in enumerate(tables, 1))


def _step(table: Mapping[str, Any], where: str) -> Step:
    verbs = [verb for verb in VERBS if verb in table]
    if len(verbs) != 1:
        raise Failure(
            "bad-script", f"{where}: needs exactly one of {', '.join(VERBS)}", why=f"it has {verbs or 'none'}"
        )
    verb = verbs[0]
    missing = [key for key in EDITS.get(verb, ()) if not isinstance(table.get(key), str)]
    if missing:
        raise Failure("bad-script", f"{where}: {verb} needs the text {' and '.join(missing)}")
    if not isinstance(table[verb], _SHAPES.get(verb, str)) or table[verb] is True:
        raise Failure("bad-script", f"{where}: {verb} cannot be {table[verb]!r}")
    return Step(verb, table[verb], {key: value for key, value in table.items() if key != verb})


_SHAPES: Mapping[str, Any] = {"sleep": (int, float), "run": list, "cherry_pick": list}
