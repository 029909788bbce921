"""[scope]: how far an agent's writes reach, and what stands in their way."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.guard.rule import LOCKED, MODES

WALLS = ("none", "landlock", "bwrap", "auto")

SHARED = (
    "**/{package,composer,deno,tsconfig,package-lock,npm-shrinkwrap}.json", "**/*.{lock,lockb}",
    "**/{pnpm-lock,pubspec}.yaml", "**/{Cargo,pyproject,gleam,manifest}.toml", "**/go.{mod,sum,work}",
    "**/requirements*.txt", "**/setup.{py,cfg}", "**/{Gemfile,Pipfile,mix.exs,pom.xml,build.gradle,build.gradle.kts}",
    "**/{CHANGELOG,CHANGES,HISTORY,NEWS,Changelog,changelog}{,.md,.rst,.txt}",
)  # fmt: skip
"""Manifests, lock files and change logs: nearly every work touches one, and no prediction names them."""


@dataclass(frozen=True)
class ScopeSettings:
    """The table [scope]."""

    enforce: str = "reserved-by-others"
    always: tuple[str, ...] = ()
    shared: tuple[str, ...] = SHARED
    protected: tuple[str, ...] = (".beads/**",)
    wall: str = "none"
    wall_writes: tuple[str, ...] = ("~/.cache", "~/.claude", "~/.claude.json", "~/.codex", "~/.npm")

    def __post_init__(self) -> None:
        from analyzer.globs import normalise
        from resources.system.errors import Failure

        if self.enforce not in (*MODES, LOCKED):
            raise ValueError(f"enforce must be one of {', '.join(MODES)}, not {self.enforce!r}")
        if self.wall not in WALLS:
            raise ValueError(f"wall must be one of {', '.join(WALLS)}, not {self.wall!r}")
        for pattern in (*self.always, *self.shared, *self.protected):
            try:
                normalise(pattern)
            except Failure as failure:
                raise ValueError(f"{failure.what}: {failure.why}") from failure
