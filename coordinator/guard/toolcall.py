"""What a tool call of Claude Code or Codex (as both describe it to a hook) is about to write. Pure, and light.

A tool that is not known to write passes: reading, searching and talking are none of the guard's business. What
cannot be read at all is refused, since both programs take a hook that fails for one that agrees.
"""

from __future__ import annotations

from coordinator.guard.deeds import GONE, Deed, Deeds
from coordinator.guard.writers import envelope
from resources.system.quick_json import read_json

_FILE_TOOLS = frozenset(
    ("Write", "Edit", "MultiEdit", "NotebookEdit", "write_file", "edit_file", "create_file", "replace")
)
_FILE_KEYS = ("file_path", "notebook_path", "path", "destination", "target_file")
_SHELL_TOOLS = frozenset(("Bash", "shell", "local_shell", "run_shell_command", "exec_command", "PowerShell"))
_ENDS = ("write_file", "edit_file", "create_file", "move_file", "delete_file", "replace_in_file")
"""How the writing tools of file servers (`mcp__NAME__write_file`) are called."""


class UnreadableCallError(Exception):
    """The call is not what the contract says; the text tells how."""


def read_call(text: bytes, cwd: str, variables: dict[str, str]) -> tuple[str, Deeds]:
    """The folder of the call (its own, else `cwd`) and what it writes. Raises UnreadableCallError."""
    try:
        call = read_json(text)
    except ValueError as error:
        raise UnreadableCallError(f"the call is no JSON ({error})") from error
    name, given = (call.get("tool_name"), call.get("tool_input")) if isinstance(call, dict) else (None, None)
    if not isinstance(name, str) or not name or not isinstance(given, dict):
        raise UnreadableCallError("the call names no tool or no input")
    if call.get("hook_event_name", "PreToolUse") != "PreToolUse":
        raise UnreadableCallError(f"{call['hook_event_name']} is not PreToolUse")
    folder = call.get("cwd") or cwd
    if not isinstance(folder, str):
        raise UnreadableCallError("the call's folder is no text")
    if name in _SHELL_TOOLS:
        return folder, _shell(_command(given), folder, variables)
    return folder, Deeds([Deed(folder, path, extent) for path, extent in _files(name, given)], [])


def _shell(command: str, cwd: str, variables: dict[str, str]) -> Deeds:
    from coordinator.guard.commands import Reading
    from coordinator.guard.shell import UnreadableError

    try:
        found = Reading(cwd, variables).read(command)
    except UnreadableError as error:
        raise UnreadableCallError(f"the command cannot be read ({error}); write it plainer") from error
    return Deeds(found.deeds, found.refusals, found.shared)


def _files(name: str, given: dict) -> list[tuple[str, bool | str]]:
    if name == "apply_patch":
        found = envelope(_command(given))
    elif name in _FILE_TOOLS or name.endswith(_ENDS):
        extent = GONE if name.endswith("delete_file") else False
        found = [
            (given[key], extent) for key in (*_FILE_KEYS, "source") if isinstance(given.get(key), str) and given[key]
        ]
    else:
        return []
    if not found:
        raise UnreadableCallError(f"{name} names no file")
    return found


def _command(given: dict) -> str:
    found = next((given[key] for key in ("command", "cmd", "patch", "input") if given.get(key)), None)
    if isinstance(found, list) and all(isinstance(word, str) for word in found):
        # ["bash", "-lc", "…"], or a plain list of words
        return (
            found[-1]
            if len(found) > 2 and found[1].startswith("-") and "c" in found[1]
            else " ".join(map(_quoted, found))
        )
    if not isinstance(found, str):
        raise UnreadableCallError("the call holds no command")
    return found


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
