"""Several agents in one checkout: each a shell script that asks the real tool hook before every write."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from coordinator.guard.posts import hook_command
from tests.support.projects import Place, make_place

PRELUDE = """
set -eu
ac() {{ {python} -m agent_coord "$@"; }}
ask() {{
    printf '{{"session_id":"s","hook_event_name":"PreToolUse","cwd":"%s",' "$PWD" > "$AGENT_COORD_BRIEFING.call"
    printf '"tool_name":"%s","tool_input":{{"%s":"%s"}}}}' "$@" >> "$AGENT_COORD_BRIEFING.call"
    {hook} < "$AGENT_COORD_BRIEFING.call"
}}
edit() {{
    ask Write file_path "$1" || return $?
    mkdir -p "$(dirname "$1")"
    printf '%s\n' "$2" > "$1"
}}
shell() {{ ask Bash command "$1"; }}
commit() {{ ac commit -m "$1" "$2"; }}
meet() {{ touch "{meeting}/$1"; until [ -e "{meeting}/$2" ]; do sleep 0.05; done; }}
. "{scripts}/$1.$2.sh"
"""


def make_shared(
    folder: Path,
    issues: int,
    *,
    wait: float = 20.0,
    attempts: int = 3,
    more: str = "",
    files: dict[str, str] | None = None,
) -> Place:
    """A project whose agents share the checkout; issues are s-1, s-2, …; each attempt plays a script of `script`."""
    tracker = "".join(
        f'{{"id":"s-{n}","title":"Part {n}","status":"open","priority":2,"issue_type":"task"}}\n'
        for n in range(1, issues + 1)
    )
    place = make_place(folder, {".beads/issues.jsonl": tracker} | (files or {}))
    ours = place.root / ".agent-worktrees"
    (ours / "scripts").mkdir()
    (ours / "meeting").mkdir()
    prelude = ours / "scripts" / "prelude.sh"
    prelude.write_text(
        PRELUDE.format(
            python=shlex.quote(sys.executable),
            hook=shlex.join(hook_command("pre-tool-use")),
            meeting=ours / "meeting",
            scripts=ours / "scripts",
        )
    )
    (ours / "config.toml").write_text(
        '[pool]\nsize = 3\nminimum = 1\nmaximum = 4\n[database]\nprovider = "none"\n'
        f'[agents]\ndefault = "shell"\nisolation = "shared"\nlock_seconds = {wait}\nattempts = {attempts}\n'
        f'[agents.programs.shell]\nkind = "command"\nargv = ["sh", "{prelude}", "{{issue}}", "{{attempt}}"]\n{more}'
    )
    place.json("init")
    return place


def script(place: Place, issue: str, *attempts: str) -> None:
    """What the agent at the issue does, attempt by attempt."""
    for number, text in enumerate(attempts, start=1):
        (place.root / ".agent-worktrees" / "scripts" / f"{issue}.{number}.sh").write_text(text)
