"""Git commands that lose or share work, each refused with the safe way to the same end. Pure, and light.

What counts as unsafe: whatever throws away work that no commit holds, rewrites what others build on, touches what
all worktrees share (stash, configuration, registry, other people's refs), or goes round the hooks. An option that
cannot be read (it comes out of a variable) is taken for the worst only where the command is dangerous with it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable

from coordinator.guard.deeds import GIT
from coordinator.guard.shared_git import read_shared
from coordinator.guard.writers import has_flag, patched, plain

Found = namedtuple("Found", "folder targets refusals shared", defaults=(([], []),))
Found.__doc__ = """`folder` as `-C` gives it ("" none), what is written as (word, extent), refusals as sentences.

`shared`: more (targets, refusals), where several agents work in one checkout."""

_READING = frozenset(
    [
        "status",
        "log",
        "diff",
        "show",
        "ls-files",
        "ls-tree",
        "cat-file",
        "rev-parse",
        "rev-list",
        "blame",
        "grep",
        "describe",
        "shortlog",
        "for-each-ref",
        "merge-base",
        "name-rev",
        "show-ref",
        "diff-tree",
        "diff-index",
        "diff-files",
        "check-ignore",
        "check-attr",
        "var",
        "version",
        "help",
        "whatchanged",
        "range-diff",
        "cherry",
        "show-branch",
        "count-objects",
        "fsck",
        "verify-commit",
        "merge-tree",
        "hash-object",
        "archive",
        "ls-remote",
    ]
)
_EVERYTHING = frozenset((".", "./", ":/", "*", "\0*\0", ":", ":/*"))
_READ_ONLY_STASH = frozenset(("list", "show"))
_OVER = frozenset(("--abort", "--continue", "--skip", "--quit", "--edit-todo", "--show-current-patch"))
_VALUED = ("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env", "--super-prefix")
_READING_CONFIG = (
    "--get", "--get-all", "--get-regexp", "--get-urlmatch", "-l", "--list", "--show-origin", "get", "list",
    "--get-color",
)  # fmt: skip

COMMIT_INSTEAD = "commit what you have on your branch instead; every commit of it is kept"


def read_git(words: list[str | None], body: str = "") -> Found:
    """What `git WORDS` writes and why it is refused; None stands for a word that cannot be known."""
    known = [word if word is not None else "\0\0" for word in words]
    folder, refusals, rest = _global(known)
    if not rest:
        return Found(folder, [], refusals)
    name, arguments = rest[0], rest[1:]
    why = _UNSAFE[name](arguments) if name in _UNSAFE else ""
    targets = _targets(name, arguments, body) + ([] if name in _READING else [(".", GIT)])
    more, also = read_shared(name, arguments)
    shared = (more, [f"git {name}: {also}"] if also and not why else [])
    return Found(folder, targets, [*refusals, f"git {name}: {why}"] if why else refusals, shared)


def _global(words: list[str]) -> tuple[str, list[str], list[str]]:
    """The options before the command: the folder, refusals, the rest from the command on."""
    folder, refusals = "", []
    while words and words[0].startswith("-"):
        name, equals, value = words[0].partition("=")
        words = words[1:]
        if name in _VALUED and not equals:
            value, words = (words[0], words[1:]) if words else ("", [])
        if name == "-C":
            folder = value if value.startswith("/") or not folder else f"{folder}/{value}"
        elif name in ("-c", "--config-env") and value.lower().startswith(("core.hookspath", "core.worktree", "alias.")):
            refusals.append(f"git {name} {value.partition('=')[0]}: the hooks of this slot stay as they are")
        elif name in ("--git-dir", "--work-tree"):
            refusals.append(f"git {name}: work in your slot, where git finds its own folder")
    return folder, refusals, words


def _targets(name: str, words: list[str], body: str) -> list[tuple[str, bool | str]]:
    if name == "apply":
        return patched(body)
    if name == "rm" and "--cached" not in words:
        return [(word, has_flag(words, "r")) for word in plain(words)]
    if name == "mv":
        return [(word, True) for word in plain(words)]
    return []


def _stash(words: list[str]) -> str:
    if words[:1] and words[0] in _READ_ONLY_STASH:
        return ""
    return f"all worktrees share one stash; {COMMIT_INSTEAD}"


def _reset(words: list[str]) -> str:
    if any(word in ("--hard", "--merge", "--keep") for word in words):
        return f"it throws away work that no commit holds; {COMMIT_INSTEAD}, or `git restore FILE` for one file"
    return ""


def _rebase(words: list[str]) -> str:
    if any(word in _OVER for word in words):
        return ""
    return "it rewrites commits that others may build on; `git merge` the base branch, the coordinator lands merges too"


def _clean(words: list[str]) -> str:
    if has_flag(words, "f", "--force") and not has_flag(words, "n", "--dry-run"):
        return "it deletes files that no commit holds; `git clean -n` lists them, remove your own by name"
    return ""


def _checkout(words: list[str]) -> str:
    if has_flag(words, "f", "--force", "--discard-changes") or any(word in _EVERYTHING for word in words):
        return f"it throws away uncommitted work; {COMMIT_INSTEAD}, or `git restore FILE` for one file"
    return ""


def _restore(words: list[str]) -> str:
    staged = has_flag(words, "S", "--staged") and not has_flag(words, "W", "--worktree")
    if not staged and any(word in _EVERYTHING for word in words):
        return f"it throws away all uncommitted work; {COMMIT_INSTEAD}, or name the one file"
    return ""


def _push(words: list[str]) -> str:
    forced = has_flag(words, "fd", "--force", "--delete", "--mirror", "--prune", "--no-verify", "--all")
    if forced or any(word.startswith(("--force", "+", ":")) for word in words):
        return "it overwrites what others have; the coordinator lands your commits, nothing needs to be pushed"
    return ""


def _commit(words: list[str]) -> str:
    valued = "mFcCtS"
    bundles = [word for word in words if word[:1] == "-" != word[1:2]]
    # In `-nm text` n is a flag, in `-mn` it belongs to the message.
    silent = any("n" in word[1 : 1 + min((word[1:].find(one) for one in valued if one in word[1:]), default=99)]
                 for word in bundles)  # fmt: skip
    if silent or "--no-verify" in words:
        return "the checks before a commit are not skipped; mend what they say, or `agent-coord scope widen`"
    return ""


def _no_verify(words: list[str]) -> str:
    return "the hooks are not skipped; mend what they say" if "--no-verify" in words else ""


def _config(words: list[str]) -> str:
    if any(word.lower().startswith(("core.hookspath", "core.worktree", "extensions.")) for word in words):
        return "" if any(word in _READING_CONFIG for word in words) else "the hooks of this slot stay as they are"
    reads = any(word in _READING_CONFIG for word in words) or len(plain(words, "f")) < 2
    writes = any(
        word.startswith(("--unset", "--add", "--replace", "--remove", "--rename", "-e", "--edit")) for word in words
    )
    if (reads and not writes) or "--worktree" in words:
        return ""
    return "it changes the configuration of every worktree; `git config --worktree NAME VALUE` changes yours"


def _sparse(words: list[str]) -> str:
    if words[:1] in (["list"], ["check-rules"]):
        return ""
    return "the coordinator sets what a slot shows; `agent-coord scope widen PATTERN --why TEXT` shows more"


def _worktree(words: list[str]) -> str:
    return "" if words[:1] == ["list"] else "the pool's worktrees are the coordinator's; stay in yours"


def _update_ref(words: list[str]) -> str:
    names = [word for word in words if word.startswith("refs/") or word == "HEAD" or "\0" in word]
    if "--stdin" in words or any(not name.startswith("refs/heads/agent/") for name in names):
        return "refs are moved by commits on your own branch, no other way"
    return ""


def _branch(words: list[str]) -> str:
    if has_flag(words, "DdMmfC", "--delete", "--force", "--move"):
        return "branches of others are not deleted or moved; the coordinator removes yours once it has landed"
    return ""


def _reflog(words: list[str]) -> str:
    return "it removes the way back to lost commits; leave it" if words[:1] in (["expire"], ["delete"]) else ""


def _never(why: str) -> Callable[[list[str]], str]:
    def always(_: list[str]) -> str:
        return why

    return always


_UNSAFE: dict[str, Callable[[list[str]], str]] = {
    "stash": _stash, "reset": _reset, "rebase": _rebase, "clean": _clean, "checkout": _checkout, "switch": _checkout,
    "restore": _restore, "push": _push, "commit": _commit, "merge": _no_verify, "am": _no_verify, "config": _config,
    "sparse-checkout": _sparse, "worktree": _worktree, "update-ref": _update_ref, "branch": _branch, "reflog": _reflog,
    "symbolic-ref": lambda words: _update_ref(words) if len(plain(words, "m")) > 1 else "",
    "filter-branch": _never("it rewrites history that others build on"),
    "filter-repo": _never("it rewrites history that others build on"),
    "replace": _never("every worktree would see the replaced object"),
    "gc": _never("the coordinator keeps the repository; an agent's gc can lose what other worktrees hold"),
    "prune": _never("it deletes objects that other worktrees may hold"),
}  # fmt: skip
