"""Git commands that are unsafe where several agents share one checkout, its index and its branch. Pure, and light.

There a command that is harmless in a worktree of one's own throws away what somebody else is writing, sweeps what he
has staged into a commit, or moves the branch under him. So commits are made by `agent-coord commit` alone, one at a
time and of one's own files; what writes files by their names is held against the locks like any other write.
"""

from __future__ import annotations

from coordinator.guard.writers import Targets, has_flag, plain

COMMIT = "agent-coord commit -m TEXT FILE…"

_ALL = frozenset((".", "./", ":/", "*", "\0*\0", ":", ":/*", ":!"))
_INDEX = f"all agents here share one index; `{COMMIT}` commits your own files and nothing else"
_BRANCH = "all agents here stand on this branch; stay on it and add commits to it"
_FILES = "it writes files that others may be at; edit your own files, and commit them"

_REFUSED = {
    "commit": _INDEX,
    "reset": f"{_INDEX}, and `git restore --staged FILE` takes a file out of it",
    "switch": _BRANCH,
    "rebase": _BRANCH,
    "bisect": _BRANCH,
    "merge": _FILES,
    "pull": _FILES,
    "cherry-pick": _FILES,
    "revert": _FILES,
    "am": _FILES,
    "read-tree": _INDEX,
    "update-index": _INDEX,
    "checkout-index": _FILES,
    "submodule": _FILES,
    "push": "the branch holds what others have not finished; a person publishes it",
}


def read_shared(name: str, words: list[str]) -> tuple[Targets, str]:
    """What `git NAME WORDS` writes besides, and why it is refused in a shared checkout ("" when it is not)."""
    if name == "add":
        sweeps = has_flag(words, "Aup", "--all", "--update", "--patch") or any(word in _ALL for word in words)
        return [], _INDEX if sweeps else ""
    if name == "checkout":
        named = words[words.index("--") + 1 :] if "--" in words else []
        return [(word, True) for word in named], "" if named else f"{_BRANCH}; files are named after `--`"
    if name == "restore":
        staged = has_flag(words, "S", "--staged") and not has_flag(words, "W", "--worktree")
        if staged:
            return [], _INDEX if any(word in _ALL for word in words) else ""
        return [(word, True) for word in plain(words, "s")], ""
    return [], _REFUSED.get(name, "")
