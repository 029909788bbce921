"""Joins the parts: the only place that picks the ledger, the databases, the tracker and the adapters.

A `Project` is a repository with everything that the commands work on. Opening one reads the
configuration and the ledger; Postgres is started when a database is first needed, never before.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from analyzer.planning.facts import Facts
from analyzer.planning.policy import Policy, policy_from
from analyzer.sources import read_facts, tracker_file, tracker_version
from coordinator.agents.adapter import Adapter
from coordinator.agents.claude import Claude
from coordinator.agents.codex import Codex
from coordinator.agents.command import Command
from coordinator.agents.guard import Guard
from coordinator.agents.scripted import Scripted
from coordinator.berths import Berths
from coordinator.config import Config, read_config
from coordinator.guard.posts import tool_hook
from coordinator.mail.reservations import FOLDS
from coordinator.tasks.tracker import Tracker, open_tracker
from resources.databases.databases import Databases, open_databases
from resources.state.sqlite import SqliteLedger
from resources.system.errors import Failure
from resources.system.files import replace_file
from resources.system.git import current_branch, folds_case, resolve
from resources.system.repository import Repository, branch_tip, find_repository
from resources.worktrees.pool import Pool


@dataclass
class Project:
    """A repository under coordination. `say` narrates on standard error."""

    repository: Repository
    config: Config
    ledger: SqliteLedger
    say: Callable[[str], None] = field(default=lambda line: None)
    _facts: tuple[tuple[object, ...], Facts] | None = None

    @cached_property
    def uid(self) -> str:
        """The random id that marks everything of this project as ours."""
        return self._meta("project")

    @cached_property
    def base(self) -> str:
        """The branch that work lands on."""
        return self.config.project.base or self._meta("base_branch")

    def base_tip(self) -> str:
        """The commit that the base branch stands on, "" when it is gone."""
        branch = self.base
        return branch_tip(self.repository, branch) or resolve(self.repository.root, f"refs/heads/{branch}") or ""

    def _meta(self, key: str) -> str:
        with self.ledger.read() as snapshot:
            row = snapshot.one("meta-get", key=key)
        if row is None:
            raise Failure("not-initialised", f"the ledger does not know its {key}", mend="agent-coord init")
        return str(row["value"])

    @cached_property
    def databases(self) -> Databases | None:
        """The databases of the slots, None when the configuration wants none."""
        return self.more_databases()

    def more_databases(self) -> Databases | None:
        """Another connection to the same databases, for another thread."""
        settings = replace(
            self.config.resources.database, slots=self.config.pool.maximum + max(1, self.config.merge.workers)
        )
        if settings.provider == "none":
            return None
        home = self.repository.state / "postgres"
        return open_databases(settings, home=home, project=self.repository.root.name, owner=self.uid)

    @cached_property
    def pool(self) -> Pool:
        """The slots, or the berths of a shared checkout."""
        kind = Berths if self.config.shared else Pool
        return kind(self.repository, self.ledger, self.config.pool, self.databases, self.say)

    @cached_property
    def tracker(self) -> Tracker:
        """The backlog, for writing."""
        file = tracker_file(self.repository)
        return open_tracker(self.repository.root, file, self.repository.state, write=self.config.tracker.write)

    def mirror(self, write: Callable[[Tracker], None]) -> None:
        """Write into the backlog what the ledger has decided. That it cannot be written is told and stops nothing."""
        try:
            write(self.tracker)
        except Failure as failure:
            self.say(f"the tracker was not written: {failure.render()}")

    @property
    def logs(self) -> Path:
        """Where the output of agents and checks is kept."""
        return self.repository.root / self.config.pool.folder / "logs"

    def facts(self) -> Facts:
        """The backlog, the history and the tree as they are now; read again only when one of them has changed."""
        version = self._facts_version()
        if self._facts is None or self._facts[0] != version:
            self._facts = (version, read_facts(self.repository))
        return self._facts[1]

    def _facts_version(self) -> tuple[object, ...]:
        return (*tracker_version(self.repository), self.base_tip())

    @cached_property
    def policy(self) -> Policy:
        """How the planner weighs overlaps."""
        return policy_from(self.config.plan, self.config.file)

    def adapter(self, name: str) -> Adapter:
        """The program called `name`, ready to be started. Raises Failure("unknown-agent")."""
        program = self.config.program(name)
        root = self.repository.root
        guard = Guard(tuple(tool_hook()))
        mcp = root / program.mcp if program.mcp else None
        match program.kind:
            case "claude":
                return Claude(name, program.argv, guard, mcp, program.disallow)
            case "codex":
                return Codex(name, program.argv, guard, mcp)
            case "scripted":
                return Scripted(name, (root / program.scripts).resolve())
            case _:
                return Command(name, program.argv, program.resume)

    def close(self) -> None:
        """Give connections back."""
        databases = self.__dict__.get("databases")
        if databases is not None:
            databases.close()
        self.ledger.close()


def open_project(start: Path, config: Path | None = None, say: Callable[[str], None] | None = None) -> Project:
    """The project around `start`. Raises Failure when it is no repository, not initialised, or badly configured."""
    repository = find_repository(start)
    settings = read_config(repository, config)
    return Project(repository, settings, SqliteLedger(repository.state), say or (lambda line: None))


def first_config(repository: Repository, declared: Callable[[Repository], str]) -> str:
    """The configuration that `init` writes into a repository that has none."""
    return (Path(__file__).parent / "default.toml").read_text() + declared(repository)


def init_project(
    start: Path,
    config: Path | None = None,
    say: Callable[[str], None] | None = None,
    declared: Callable[[Repository], str] = lambda repository: "",
) -> Project:
    """Make the ledger and the configuration unless they are there. Safe to repeat.

    `declared` gives the tables of a new configuration that the repository's own files ask for.
    """
    repository = find_repository(start)
    settings = read_config(repository, config)
    base = settings.project.base or current_branch(repository.root)
    if base is None:
        raise Failure(
            "detached-head",
            "HEAD is detached: which branch shall be landed on?",
            mend="git switch main, then agent-coord init",
        )
    if resolve(repository.root, f"refs/heads/{base}") is None:
        raise Failure(
            "no-commit", f"the branch {base} has no commit yet, so that nothing could begin on it",
            mend='git commit --allow-empty -m "Begin", then agent-coord init',
        )  # fmt: skip
    ledger, folds = SqliteLedger.create(repository.state), folds_case(repository.root)
    with ledger.write() as tx:
        for key, value in (("project", secrets.token_hex(6)), ("base_branch", base)):
            if tx.one("meta-get", key=key) is None:
                tx.change("meta-put", key=key, value=value)
        tx.change("meta-put", key=FOLDS, value=str(int(folds)))
    if not settings.file.exists():
        replace_file(settings.file, first_config(repository, declared))
        settings = read_config(repository, config)
    return Project(repository, settings, ledger, say or (lambda line: None))
