"""A guard posted in a slot: the scope file, the list of paths that need no question, and git's hooks.

All of it lies in the slot's own git folder (`<git folder>/agent-coord/`, for the owner alone) and is reached by a
`core.hooksPath` of this one worktree, so that no other worktree changes. That setting replaces the project's own
hooks, so each of them is called from ours; a project that sets `core.hooksPath` itself (husky does) may make its
hooks later than we look, and gets a pass-through for every hook that git knows.

Nothing is taken away when the attempt ends: its fence is no longer live then, and a guard whose attempt is over
refuses everything.

In a shared checkout there is one git folder for all. A berth's files lie in a folder of its own among our state, and
its hooks are reached by a setting in the environment of its agent alone (`resources.worktrees.slots.Slot.admin`).
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.globs import is_literal
from coordinator.guard.grants import ALLOWED
from coordinator.guard.places import SCHEMA, git_folder
from coordinator.guard.ref_guard import MARK
from coordinator.guard.rule import Rule
from coordinator.guard.settings import ScopeSettings
from coordinator.mail.alarm import FILE
from resources.system.files import replace_file
from resources.system.git import folds_case, git
from resources.system.repository import Repository
from resources.worktrees.checkout import slot_git
from resources.worktrees.slots import Held, Slot, branches_of

FOLDER = "agent-coord"
SCOPE_FILE = "scope.json"
GUARDED = ("reference-transaction", "pre-commit")
"""The hooks in which we have a say; the others are only passed on."""

GIT_HOOKS = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "prepare-commit-msg", "commit-msg", "post-commit",
    "pre-merge-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "post-rewrite", "pre-auto-gc",
)  # fmt: skip


@dataclass(frozen=True)
class Post:
    """What the guard of one attempt is told: the slot as leased, the base branch, the write set, is it stacked."""

    held: Held
    base_branch: str
    write: Sequence[str] = ()
    stacked: bool = False
    lock_seconds: float = 0.0
    """How long a tool call waits for a file, in a shared checkout."""


def hook_command(name: str) -> list[str]:
    """The command line of one of our hooks: started without the folder of installed packages, which costs 10 ms."""
    launcher = Path(__file__).resolve().parents[2] / "agent_coord.py"
    return [sys.executable, "-I", "-S", str(launcher), "hook", name]


def tool_hook() -> list[str]:
    """The command line of the tool-call hook, as an agent's program is told it.

    Programs take every exit code but 2 for consent: of an interpreter that is gone or is killed, too.
    """
    dead = "echo 'agent-coord: the guard did not answer, so nothing is written: agent-coord doctor' >&2"
    return ["sh", "-c", f"{shlex.join(hook_command('pre-tool-use'))} || {{ [ $? -eq 2 ] || {dead}; exit 2; }}"]


def admin_folder(slot: Path) -> Path:
    """Where the guard of a slot keeps its files."""
    return Path(git_folder(str(slot))) / FOLDER


def post_guard(repository: Repository, settings: ScopeSettings, post: Post) -> Path:
    """Write scope file and hooks for an attempt and switch them on; returns the scope file.

    Raises Failure when git or the file system does not let us.
    """
    slot = post.held.slot
    admin = slot.admin
    admin.mkdir(exist_ok=True, parents=True, mode=0o700)
    scope = _scope(repository, settings, post, admin)
    known = () if slot.is_berth else post.write  # a lock is asked for each time: it may have been given back
    plain = [pattern for pattern in known if is_literal(pattern) and "[" not in pattern]
    replace_file(admin / ALLOWED, "".join(f"{path}\n" for path in plain), mode=0o600)
    replace_file(admin / "base", post.held.base + "\n", mode=0o600)
    _write_hooks(repository, slot, scope)
    (repository.state / FILE).touch()
    replace_file(admin / SCOPE_FILE, json.dumps(scope, indent=1), mode=0o600)
    if not slot.is_berth:
        _switch_on(slot.path, admin / "hooks")
    return admin / SCOPE_FILE


def rule_for(settings: ScopeSettings, agent: str, issue: str, *, folds: bool) -> Rule:
    """The rule under which an agent's work on an issue is judged."""
    lists = (settings.always, settings.protected, settings.shared)
    return Rule(settings.enforce, agent, issue, *map(list, lists), folds)


def _scope(repository: Repository, settings: ScopeSettings, post: Post, admin: Path) -> dict[str, object]:
    held = post.held
    rule = rule_for(settings, held.lease.agent, held.lease.issue, folds=folds_case(repository.root))
    return {
        "schema": SCHEMA, "slot": held.slot.name, "path": str(held.slot.path.resolve()), "root": str(repository.root),
        "common": str(repository.common), "state": str(repository.state), "bell": str(repository.state / FILE),
        "admin": str(admin), "base": held.base,
        "base_branch": post.base_branch, "refs": f"refs/heads/{branches_of(held.slot.name)}", "fence": held.lease.fence,
        "write": list(post.write), "stacked": post.stacked, "lock_seconds": post.lock_seconds, **rule._asdict(),
    }  # fmt: skip


def _switch_on(slot: Path, hooks: Path) -> None:
    wanted = str(hooks)
    found = slot_git(slot, "config", "--worktree", "--get", "core.hooksPath", check=False, read=True).text
    if found != wanted:
        slot_git(slot, "config", "--worktree", "core.hooksPath", wanted)


def projects_hooks(repository: Repository) -> tuple[str, bool]:
    """The project's own folder of hooks (relative: to the top of a worktree), and whether it is a setting."""
    lines = git(repository.root, "config", "--show-scope", "--get-all", "core.hooksPath", check=False, read=True).lines
    found = [line.partition("\t")[2] for line in lines if not line.startswith("command\t")]
    ours = f"/{FOLDER}/hooks"
    own = [path for path in found if path and not path.endswith(ours)]
    return (str(Path(own[-1]).expanduser()), True) if own else (str(repository.common / "hooks"), False)


def _write_hooks(repository: Repository, slot: Slot, scope: Mapping[str, object]) -> None:
    admin, folder = slot.admin, slot.admin / "hooks"
    theirs, configured = projects_hooks(repository)
    names = set(GIT_HOOKS) if configured else {path.name for path in Path(theirs).glob("*") if not path.suffix}
    wanted = dict.fromkeys(names, "pass-on") | {name: name for name in GUARDED}
    wanted |= {"prepare-commit-msg": "prepare-commit-msg"} if slot.is_berth else {}
    values = {
        "@ADMIN@": shlex.quote(str(admin)), "@THEIRS@": shlex.quote(theirs), "@REFS@": str(scope["refs"]),
        "@SLOT@": slot.name, "@MARK@": shlex.quote(f"{MARK}: {scope['issue']}"),
    }  # fmt: skip
    folder.mkdir(exist_ok=True, mode=0o700)
    for old in folder.iterdir():
        if old.name not in wanted:
            old.unlink()
    for name, script in wanted.items():
        text = (Path(__file__).parent / "hooks" / f"{script}.sh").read_text()
        for mark, value in values.items():
            text = text.replace(mark, value)
        text = text.replace("@ASK@", shlex.join(hook_command(f"git-{name}"))).replace("@NAME@", name)
        replace_file(folder / name, text, mode=0o700)
