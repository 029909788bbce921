"""Guards prove themselves before an agent starts: a write that is forbidden must be refused by each of them.

A hook that is not executable, an interpreter that moved, a git that ignores the setting: each of these lets
everything pass in silence, and every agent program takes a hook that fails for one that agrees. So each guard is
asked about a write that no attempt may ever make, through the very command or git call by which it is reached.
A wall is asked the same, by the plain way and round it through another process's root, and must let work through.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from coordinator.guard.places import VARIABLE
from coordinator.guard.posts import SCOPE_FILE, admin_folder, tool_hook
from coordinator.guard.sign import DENY
from coordinator.guard.walls import temporary_folder, walled
from resources.system.errors import Failure
from resources.system.git import git, resolve
from resources.system.process import Completed, clean_environment, run

PROOF_REF = "refs/agent-coord/proof"
"""A ref that no slot owns; it is never made."""


def prove(slot: Path, admin: Path | None = None, given: Mapping[str, str] | None = None) -> None:
    """Raise Failure("guard-not-proven") unless every guard of the slot refuses what it must.

    `admin` is the folder of a berth's guard, `given` what its agent finds in its environment.
    """
    scope = (admin or admin_folder(slot)) / SCOPE_FILE
    environment = clean_environment({**(given or {}), VARIABLE: str(scope)})
    _prove_sign(slot, scope, environment)
    _prove_refs(slot, environment)
    _prove_commits(slot, scope, environment)


def _prove_sign(slot: Path, scope: Path, environment: Mapping[str, str]) -> None:
    # The guard's own file is out of every scope; where scopes are off, git safety still stands.
    write = {"tool_name": "Write", "tool_input": {"file_path": str(scope)}}
    stash = {"tool_name": "Bash", "tool_input": {"command": "git stash"}}
    call = stash if json.loads(scope.read_text())["mode"] == "off" else write
    text = json.dumps({"hook_event_name": "PreToolUse", "cwd": str(slot)} | call).encode()
    done = run(tool_hook(), env=environment, stdin=text, check=False, timeout=30)
    _require(done.code == DENY and bool(done.err), "the tool-call hook", done)


def _prove_refs(slot: Path, environment: Mapping[str, str]) -> None:
    done = run(["git", "update-ref", PROOF_REF, "HEAD"], cwd=slot, env=environment, check=False, timeout=30)
    made = resolve(slot, PROOF_REF) is not None
    if made:
        git(slot, "update-ref", "-d", PROOF_REF)
    _require(done.code != 0 and not made, "git's reference-transaction hook", done)


def _prove_commits(slot: Path, scope: Path, environment: Mapping[str, str]) -> None:
    # Without a scope nothing may be committed; that costs no commit to find out.
    hook, aside = scope.parent / "hooks" / "pre-commit", scope.with_suffix(".aside")
    scope.rename(aside)
    try:
        # As git does: a hook that cannot be executed does not exist.
        runs = os.access(hook, os.X_OK)
        done = run([str(hook)] if runs else ["true"], cwd=slot, env=environment, check=False, timeout=30)
    finally:
        aside.rename(scope)
    _require(done.code != 0, "git's pre-commit hook", done)


def prove_wall(kind: str, slot: Path, places: Sequence[str]) -> None:
    """Raise Failure("wall-not-proven") unless a wall of that kind keeps writes out and lets the slot's own through."""
    outside, inside = slot.parent / f".{slot.name}.proof", temporary_folder(slot) / "proof"
    script = 'for way in "$0" "/proc/$PPID/root$0"; do (: >"$way") 2>/dev/null; done; : >"$1"'
    try:
        argv = walled(kind, ("sh", "-c", script, str(outside), str(inside)), slot, places)
        done = run(argv, cwd=slot, check=False, timeout=30)
        through, works = outside.exists(), inside.exists()
    finally:
        outside.unlink(missing_ok=True)
        inside.unlink(missing_ok=True)
    if through or not works:
        raise Failure(
            "wall-not-proven",
            f"the wall {kind} {'let a forbidden write through' if through else 'lets no work through'}, "
            "so no agent is started",
            why=done.complaint,
            mend='set another [scope] wall in .agent-worktrees/config.toml; "none" starts agents without one',
        )


def _require(refused: bool, what: str, done: Completed) -> None:
    if not refused:
        raise Failure(
            "guard-not-proven",
            f"{what} did not refuse a forbidden write, so no agent is started",
            why=done.complaint or f"it ended with code {done.code} and said nothing",
            mend="agent-coord doctor; [scope] in .agent-worktrees/config.toml says what is enforced",
        )
