"""Where a write leads: the scope file of a slot, and a target seen from there. Light: see `resources.state.peek`.

The scope file lies in the slot's own git folder, not in its tree: `<git folder>/agent-coord/scope.json`. It says
whose slot this is and under which policy; what the attempt holds stands in the ledger alone. A target is followed
as the system would follow it: relative to the folder of the call, `..` and `~` and links resolved. A name that is
itself a link counts twice, as the name and as what it leads to: `rm` takes the one, `>` writes the other.
"""

from __future__ import annotations

import os
from collections import namedtuple

from coordinator.guard.rule import Hold, Rule, same
from resources.system.boot import boot_id, boot_seconds, owner_gone
from resources.system.quick_json import read_json

FILE = os.path.join("agent-coord", "scope.json")
VARIABLE = "AGENT_COORD_SCOPE"
SCHEMA = 1

Spot = namedtuple("Spot", "path reason", defaults=("",))
Spot.__doc__ = """A place inside the slot (`path` relative to its top), or outside of it (`path` None) with the reason.

Outside without a reason is nobody's: temporary folders and devices."""

_DEVICES = ("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd/", "/proc/self/fd/")


class UnknownStateError(Exception):
    """What the guard must know is missing or cannot be read; the text says what. Then it refuses."""


def find_scope(cwd: str, environ: dict[str, str]) -> dict:
    """The scope file of the slot that the environment names, else of the one around `cwd`.

    Raises UnknownStateError where there is none or it cannot be read.
    """
    file = environ.get(VARIABLE, "") or _around(cwd)
    if not file:
        raise UnknownStateError(f"{cwd} is in no slot")
    return read_scope(file)


def read_scope(file: str) -> dict:
    """What a scope file says. Raises UnknownStateError."""
    try:
        with open(file) as stream:
            scope = read_json(stream.read())
    except (OSError, ValueError) as error:
        raise UnknownStateError(f"the scope of this slot cannot be read ({error})") from error
    if not isinstance(scope, dict) or scope.get("schema") != SCHEMA:
        raise UnknownStateError(f"{file} is no scope file of schema {SCHEMA}")
    return scope


def _around(cwd: str) -> str:
    folder = os.path.realpath(cwd)
    while True:
        dot_git = os.path.join(folder, ".git")
        if os.path.lexists(dot_git):
            return os.path.join(git_folder(folder), FILE)
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent


def git_folder(slot: str) -> str:
    """The git folder of a worktree, as its `.git` says."""
    dot_git = os.path.join(slot, ".git")
    if os.path.isdir(dot_git):
        return dot_git
    try:
        with open(dot_git) as stream:
            return os.path.join(slot, stream.read().removeprefix("gitdir:").strip())
    except OSError as error:
        raise UnknownStateError(f"{dot_git} cannot be read ({error})") from error


def rule_of(scope: dict) -> Rule:
    """The rule that a scope file holds. Raises UnknownStateError when a part is missing."""
    left_out = Rule._field_defaults
    try:
        return Rule(*(scope.get(name, left_out[name]) if name in left_out else scope[name] for name in Rule._fields))
    except KeyError as error:
        raise UnknownStateError(f"the scope of this slot lacks {error}") from error


def read_holds(scope: dict, paths: list[str] | None = None) -> list[Hold]:
    """The live reservations that can matter to `paths` (None: every one): their own, and all wider patterns.

    Where names of any case are one file, that is every one. Raises UnknownStateError when the ledger does not answer,
    or when the attempt that the scope belongs to is over.
    """
    everywhere = paths is None or scope.get("folds", False)
    values = {"everywhere": everywhere, "paths": quoted_list(paths or []), "issue": scope["issue"]}
    from resources.state.peek import Error, peek

    try:
        rows, leases = peek(scope["state"], "guard.sql", ("holds-at", "fences-live"), values)
        gone: dict[str, bool] = {}
        holds = [_hold(row) for row in rows if not _is_over(row, scope["issue"], gone)]
        fences = [row["fence"] for row in leases]
    except (Error, OSError, KeyError, ValueError) as error:
        raise UnknownStateError(f"the ledger does not answer ({error!r})") from error
    if scope["fence"] not in fences:
        raise UnknownStateError(f"the attempt at {scope['issue']} that this slot was given for is over")
    return holds


def quoted_list(words: list[str]) -> str:
    """The words as a JSON list, without `json`."""
    from _json import encode_basestring_ascii

    return f"[{','.join(map(encode_basestring_ascii, words))}]"


def _hold(row: dict) -> Hold:
    return Hold(
        row["pattern"], row["agent"], row["issue"], bool(row["shared"]), bool(row["predicted"]), row["expires_at"]
    )


def _is_over(row: dict, issue: str, gone: dict[str, bool]) -> bool:
    # One's own stays until it is given back: an agent outlives a coordinator that is started anew.
    if row["issue"] == issue != "":
        return False
    owner = row["owner"]
    if owner not in gone:
        known = read_json(owner)
        gone[owner] = owner_gone(known["host"], known["boot"], known["pid"], known["start"])
    return gone[owner] or (boot_id() in owner and row["expires"] < boot_seconds())


def spots(scope: dict, cwd: str, target: str) -> list[Spot]:
    """Where a write to `target`, named in folder `cwd`, leads: one place, or two when it is a link."""
    path = os.path.join(cwd, os.path.expanduser(target))
    if path.startswith(_DEVICES):
        return [Spot(None)]
    head, name = os.path.split(path.rstrip("/"))
    named = os.path.join(os.path.realpath(head), name) if name not in (".", "..", "") else os.path.realpath(path)
    return [_spot(scope, one) for one in dict.fromkeys((named, os.path.realpath(path)))]


def _spot(scope: dict, path: str) -> Spot:
    slot, folds = scope["path"], scope.get("folds", False)
    inside = _below(slot, path, folds)
    if inside is not None:
        if _below(".git", inside, folds) is not None:
            return Spot(None, "git's own files are written by git alone")
        return Spot(inside)
    for folder, what in ((scope["root"], "the main checkout"), (scope["common"], "the repository's git folder")):
        if _below(folder, path, folds) is not None:
            return Spot(None, f"it is in {what}, outside of your slot {slot}")
    if _is_temporary(path):
        return Spot(None)
    return Spot(None, f"it is outside of your slot {slot}")


def _below(folder: str, path: str, folds: bool) -> str | None:
    """The path as seen from the folder, "" the folder itself; None when it is outside."""
    depth, parts = folder.count("/") + 1, path.split("/")
    if same("/".join(parts[:depth]), folds) != same(folder, folds):
        return None
    return "/".join(parts[depth:])


def _is_temporary(path: str) -> bool:
    folders = ("/tmp", "/var/tmp", os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 -- it is asked about, not used
    return any(path.startswith(os.path.realpath(folder) + "/") for folder in folders)


def is_ignored(scope: dict, path: str) -> bool:
    """Whether git ignores the path in the slot, so that it can never land."""
    return ask_git(scope["path"], "check-ignore", "--quiet", "--", path)[0] == 0


def is_new(scope: dict, path: str) -> bool:
    """Whether git tracks nothing at a path of the slot or below it: whoever works there has made it."""
    magic = "top,literal,icase" if scope.get("folds", False) else "top,literal"
    if not path or ("icase" in magic and not path.isascii()):
        return False  # git folds ASCII alone
    code, tracked = ask_git(scope["path"], "ls-files", "-z", "--", f":({magic}){path}")
    return code == 0 and not tracked


def ask_git(folder: str, *arguments: str, index: str = "") -> tuple[int, str]:
    """Exit code and output of a git command that reads, by a bare fork: `subprocess` alone costs 10 ms.

    `index` is another index than the worktree's own: git commits from one of its making. Raises UnknownStateError
    where git cannot be run.
    """
    read, write = os.pipe()
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    clean |= {
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": "/dev/null",
    } | ({"GIT_INDEX_FILE": index} if index else {})
    actions = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)]
    argv = ["git", "-C", folder, "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        child = os.posix_spawnp("git", argv, clean, file_actions=actions)
    except OSError as error:
        raise UnknownStateError(f"git cannot be run ({error})") from error
    finally:
        os.close(write)
    with os.fdopen(read, "rb") as stream:
        out = stream.read().decode(errors="surrogateescape")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), out
