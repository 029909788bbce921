"""config.toml -> frozen values.

A repository keeps its configuration at `.agent-worktrees/config.toml`; what it leaves out has the
defaults below. Each room declares its own table (resources: pool, database, limits; analyzer: plan), the
coordinator adds project, agents, gate, mail and tracker. An unknown key names the nearest known one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coordinator.gate_settings import GateSettings, read_gate
from coordinator.guard.rule import LOCKED
from coordinator.guard.settings import ScopeSettings
from coordinator.mail.agent_mail import MailSettings
from resources.settings import CONFIG, Limits, PoolSettings, ResourceSettings, read_settings
from resources.system.errors import Failure
from resources.system.repository import Repository
from resources.system.tables import from_table, read_toml, refuse_unknown

TABLES = ("project", "pool", "database", "limits", "plan", "scope", "agents", "gate", "merge", "mail", "tracker")


@dataclass(frozen=True)
class ProjectSettings:
    """[project]: what is landed on. An empty `base` means the branch that was checked out at `init`."""

    base: str = ""


@dataclass(frozen=True)
class Program:
    """[agents.programs.NAME]: how one agent program is started.

    kind "claude" and "codex": `argv` is the program and more arguments for it, `mcp` a file of MCP servers, `disallow`
    the tools taken away; kind "command": `argv`, and `resume` for a session that is gone on with, are templates with
    {prompt} {briefing} {issue} {slot} {attempt} {session}; kind "scripted": `scripts` is a folder.
    """

    kind: str = "command"
    argv: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    scripts: str = ""
    mcp: str = ""
    disallow: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.kind != "scripted" and not self.argv:
            raise ValueError(f"a {self.kind} program needs argv")
        for name, kinds in (("resume", ("command",)), ("mcp", ("claude", "codex")), ("disallow", ("claude",))):
            if getattr(self, name) and self.kind not in kinds:
                raise ValueError(f"{name} is for kind {' and '.join(kinds)}, not {self.kind}")


KINDS = ("claude", "codex", "command", "scripted")

PRESETS: Mapping[str, Program] = {
    "claude": Program("claude", ("claude",)),
    "codex": Program("codex", ("codex",)),
    "gemini": Program(
        argv=("gemini", "-p", "{prompt}", "-o", "stream-json", "--approval-mode", "yolo"),
        resume=("gemini", "-p", "{prompt}", "-o", "stream-json", "--approval-mode", "yolo", "--resume", "{session}"),
    ),
    "opencode": Program(
        argv=("opencode", "run", "--format", "json", "--auto", "{prompt}"),
        resume=("opencode", "run", "--format", "json", "--auto", "-s", "{session}", "{prompt}"),
    ),
    "aider": Program(argv=("aider", "--message-file", "{briefing}", "--yes-always", "--no-stream", "--no-pretty")),
    "cursor": Program(
        argv=("cursor-agent", "-p", "--output-format", "stream-json", "--force", "{prompt}"),
        resume=("cursor-agent", "-p", "--output-format", "stream-json", "--force", "--resume", "{session}", "{prompt}"),
    ),
}
"""Programs that need no configuration; a table of the same name replaces one."""


LONGEST_WAIT = 45.0
"""Seconds; a hook that takes longer than `agents.guard.TIMEOUT` lets the call through."""


@dataclass(frozen=True)
class AgentSettings:
    """[agents]: who works, how often an issue is tried, how long an attempt may take, in slots or in one checkout."""

    default: str = "claude"
    attempts: int = 3
    timeout_minutes: float = 60.0
    idle_minutes: float = 15.0
    refused_seconds: float = 60.0
    log_mb: float = 20.0
    isolation: str = "slots"
    lock_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.isolation not in ("slots", "shared"):
            raise ValueError(f'isolation must be "slots" or "shared", not {self.isolation!r}')
        if not 0 <= self.lock_seconds <= LONGEST_WAIT:
            raise ValueError(f"lock_seconds must be 0 to {LONGEST_WAIT:g}: programs give their hooks a minute")
        if self.attempts < 1:
            raise ValueError("attempts must be 1 or more")
        if self.log_mb < 1:
            raise ValueError("log_mb must be 1 or more")

    @property
    def log_bytes(self) -> int:
        """Bytes of a program's output that are kept."""
        return int(self.log_mb * 1_000_000)


@dataclass(frozen=True)
class MergeSettings:
    """[merge]: what may land, how many gates run at once, and which files a target's outcome depends on."""

    mode: str = "exact"
    workers: int = 0
    stack: int = 1
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.mode not in ("exact", "lanes+confirm", "lanes"):
            raise ValueError(f'mode must be "exact", "lanes+confirm" or "lanes", not {self.mode!r}')
        if self.workers < 0:
            raise ValueError("workers must be 0 (as measured) or more")
        if self.stack < 0:
            raise ValueError("stack must be 0 (off) or more")


@dataclass(frozen=True)
class TrackerSettings:
    """[tracker]: what is written back to the backlog."""

    write: bool = True
    close_epics: bool = True


@dataclass(frozen=True)
class Config:
    """Everything that a repository's configuration says. `file` is where it came from."""

    file: Path
    project: ProjectSettings = field(default_factory=ProjectSettings)
    resources: ResourceSettings = field(default_factory=ResourceSettings)
    plan: Mapping[str, Any] = field(default_factory=dict)
    scope: ScopeSettings = field(default_factory=ScopeSettings)
    agents: AgentSettings = field(default_factory=AgentSettings)
    programs: Mapping[str, Program] = field(default_factory=lambda: dict(PRESETS))
    gate: GateSettings = field(default_factory=GateSettings)
    merge: MergeSettings = field(default_factory=MergeSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    tracker: TrackerSettings = field(default_factory=TrackerSettings)

    @property
    def shared(self) -> bool:
        """Whether all agents work in one checkout."""
        return self.agents.isolation == "shared"

    @property
    def pool(self) -> PoolSettings:
        """The table [pool]."""
        return self.resources.pool

    @property
    def limits(self) -> Limits:
        """The table [limits]."""
        return self.resources.limits

    def program(self, name: str) -> Program:
        """The program called `name`. Raises Failure("unknown-agent")."""
        if name not in self.programs:
            known = ", ".join(sorted(self.programs))
            raise Failure(
                "unknown-agent",
                f"no agent program is called {name}",
                why=f"known: {known}",
                mend=f"add [agents.programs.{name}] to {self.file}",
            )
        return self.programs[name]


def read_config(repository: Repository, file: Path | None = None) -> Config:
    """The repository's configuration, or `file`. Raises Failure naming file, key and the nearest known key."""
    path = file or repository.root / CONFIG
    if file is not None and not file.exists():
        raise Failure("no-config", f"{file} does not exist", mend="pass an existing file, or leave --config out")
    tables = read_toml(path)
    refuse_unknown(tables, list(TABLES), file=path)
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise Failure("bad-value", f"{path}: {name} must be a table, not {table!r}", mend=f"edit {path}")
    agents = dict(tables.get("agents", {}))
    programs = dict(PRESETS) | _programs(agents.pop("programs", {}), path)
    read = Config(
        file=path,
        project=from_table(ProjectSettings, tables.get("project", {}), file=path, name="project"),
        resources=read_settings(repository, path),
        plan=tables.get("plan", {}),
        scope=from_table(ScopeSettings, tables.get("scope", {}), file=path, name="scope"),
        agents=from_table(AgentSettings, agents, file=path, name="agents"),
        programs=programs,
        gate=read_gate(tables.get("gate", {}), path),
        merge=from_table(MergeSettings, tables.get("merge", {}), file=path, name="merge"),
        mail=from_table(MailSettings, tables.get("mail", {}), file=path, name="mail"),
        tracker=from_table(TrackerSettings, tables.get("tracker", {}), file=path, name="tracker"),
    )
    return _fitting(read)


def _fitting(read: Config) -> Config:
    """The scopes as the isolation wants them. Raises Failure where they contradict it."""
    scope, folder = read.scope, read.pool.folder
    if not read.shared:
        if scope.enforce == LOCKED:
            raise _contradiction(read, 'enforce = "locked" belongs to [agents] isolation = "shared", and comes with it')
        return read
    if scope.wall not in ("none", "auto"):
        raise _contradiction(
            read, f'wall = "{scope.wall}" keeps agents apart, and isolation = "shared" puts them together'
        )
    ours = () if folder.startswith(("/", "..")) else (f"{folder}/**",)
    return replace(read, scope=replace(scope, enforce=LOCKED, wall="none", protected=(*scope.protected, *ours)))


def _contradiction(read: Config, what: str) -> Failure:
    return Failure("bad-value", f"{read.file}: [scope] {what}", mend=f"edit {read.file}")


def _programs(tables: Mapping[str, Any], path: Path) -> dict[str, Program]:
    return {
        name: from_table(Program, table, file=path, name=f"agents.programs.{name}") for name, table in tables.items()
    }
