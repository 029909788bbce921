"""The product's commands as a user types them: each a process of its own, in an environment without ours."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resources.system.process import Completed, clean_environment, run

LONGEST = 3600.0
"""Seconds after which a command is given up."""


def argv(*words: str) -> list[str]:
    """How `words` (the first one names the command) are started with this interpreter."""
    return [sys.executable, "-I", "-m", "agent_coord", *words]


def command(root: Path, *words: str) -> Completed:
    """Run a command in the repository `root`, whatever its exit code."""
    return run(argv(*words), cwd=root, env=environment(), timeout=LONGEST, check=False)


def ask(root: Path, *words: str, may_fail: bool = False) -> dict[str, Any]:
    """The JSON answer of a command. Raises SystemExit with its complaint when it failed."""
    done = command(root, *words, "--json")
    if done.code != 0 and not may_fail:
        raise SystemExit(f"error: {' '.join(words)} ended with code {done.code}\n{done.complaint}")
    return json.loads(done.text)


def environment() -> Mapping[str, str]:
    """Ours without what a slot of the product, or somebody's database, would have put there."""
    foreign = ("AGENT_COORD_", "PG", "DATABASE_URL")
    return {name: value for name, value in clean_environment().items() if not name.startswith(foreign)}
