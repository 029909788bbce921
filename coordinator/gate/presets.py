"""The checks that a repository's own files ask for: pure.

`init` writes them into the configuration, for the user to see and edit; nothing is guessed at run time. Only what the
files declare is asked: a linter that is configured, a script that exists, tests that are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from coordinator.gate_settings import Check

Read = Callable[[str], str]
"""The text of a file at the root of the repository, "" when there is none."""


@dataclass(frozen=True)
class Preset:
    """The checks of one stack, and the files that say so."""

    name: str
    checks: tuple[Check, ...]
    because: str


def detect(tree: Iterable[str], read: Read) -> list[Preset]:
    """The presets that fit a repository with these paths, by name; a Makefile speaks when nothing else does."""
    paths = frozenset(tree)
    stacks = (_python, _node, _go, _rust, _gleam)
    found = [preset for stack in stacks if (preset := stack(paths, read)) is not None and preset.checks]
    if not found and (make := _make(paths, read)) is not None:
        found = [make]
    return found


def all_checks(presets: Sequence[Preset]) -> tuple[Check, ...]:
    """The checks of all presets; names that two of them use get the preset's name in front."""
    names = [check.name for preset in presets for check in preset.checks]
    return tuple(
        check if names.count(check.name) == 1 else Check(f"{preset.name}-{check.name}", check.run, check.timeout)
        for preset in presets
        for check in preset.checks
    )


def _check(name: str, command: str, timeout: float = 1800.0) -> Check:
    return Check(name, tuple(command.split()), timeout)


def _python(paths: frozenset[str], read: Read) -> Preset | None:
    if "pyproject.toml" not in paths or "uv.lock" not in paths:
        return None
    project = read("pyproject.toml")
    checks = []
    if "[tool.ruff" in project or "ruff.toml" in paths:
        checks.append(_check("lint", "uv run --locked ruff check ."))
    for tool in ("mypy", "pyright"):
        if f"[tool.{tool}" in project:
            checks.append(_check(tool, f"uv run --locked {tool}"))
    if any(re.search(r"(^|/)test_[^/]*\.py$|_test\.py$", path) for path in paths):
        checks.append(_check("tests", "uv run --locked pytest -q"))
    return Preset("python-uv", tuple(checks), "pyproject.toml and uv.lock")


_LOCKS = (
    ("pnpm-lock.yaml", "pnpm", "pnpm install --frozen-lockfile"),
    ("yarn.lock", "yarn", "yarn install --immutable"),
    ("bun.lock", "bun", "bun install --frozen-lockfile"),
    ("bun.lockb", "bun", "bun install --frozen-lockfile"),
    ("package-lock.json", "npm", "npm ci"),
)


def _node(paths: frozenset[str], read: Read) -> Preset | None:
    lock = next((entry for entry in _LOCKS if entry[0] in paths), None)
    if "package.json" not in paths or lock is None:
        return None
    try:
        scripts = json.loads(read("package.json")).get("scripts", {})
    except (ValueError, AttributeError):
        return None
    checks = [
        _check(name, f"{lock[1]} run {name}") for name in ("lint", "typecheck", "build", "test") if name in scripts
    ]
    install = (_check("install", lock[2]),) if checks else ()
    return Preset("node", (*install, *checks), f"package.json and {lock[0]}")


def _go(paths: frozenset[str], read: Read) -> Preset | None:
    if "go.mod" not in paths:
        return None
    commands = (("build", "go build ./..."), ("vet", "go vet ./..."), ("tests", "go test ./..."))
    return Preset("go", tuple(_check(*command) for command in commands), "go.mod")


def _rust(paths: frozenset[str], read: Read) -> Preset | None:
    if "Cargo.toml" not in paths:
        return None
    locked = " --locked" if "Cargo.lock" in paths else ""
    checks = [_check("format", "cargo fmt --check")] if {"rustfmt.toml", ".rustfmt.toml"} & paths else []
    checks += [_check("build", f"cargo build --all-targets{locked}"), _check("tests", f"cargo test{locked}")]
    return Preset("rust", tuple(checks), "Cargo.toml")


def _gleam(paths: frozenset[str], read: Read) -> Preset | None:
    if "gleam.toml" not in paths:
        return None
    commands = (("format", "gleam format --check src test"), ("build", "gleam build"), ("tests", "gleam test"))
    return Preset("gleam", tuple(_check(*command) for command in commands), "gleam.toml")


def _make(paths: frozenset[str], read: Read) -> Preset | None:
    targets = set(re.findall(r"^([a-z][\w-]*):", read("Makefile"), re.MULTILINE)) if "Makefile" in paths else set()
    checks = tuple(_check(name, f"make {name}") for name in ("lint", "test") if name in targets)
    return Preset("make", checks, "the targets of the Makefile") if checks else None


def as_toml(presets: Sequence[Preset]) -> str:
    """The checks as tables for the configuration."""
    parts = []
    for check in all_checks(presets):
        run = json.dumps(list(check.run))
        parts.append(f"\n[[gate.checks]]\nname = {json.dumps(check.name)}\nrun = {run}\ntimeout = {check.timeout}\n")
    return "".join(parts)
