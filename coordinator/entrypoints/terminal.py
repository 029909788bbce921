"""What the commands share: the global options, the answer on stdout, the narration on stderr."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coordinator.bootstrap import Project, init_project, open_project
from coordinator.gate.presets import as_toml, detect
from resources.system.git import tracked_files
from resources.system.repository import Repository


@dataclass
class Terminal:
    """One call of a command: where it works and how it answers."""

    repo: Path = field(default_factory=Path.cwd)
    config: Path | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    colour: bool = True

    def say(self, line: str) -> None:
        """Narrate on standard error, unless --quiet."""
        if not self.quiet:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def answer(self, value: dict[str, Any], text: str) -> None:
        """Print the answer: `value` with the schema number under --json, else `text`."""
        if self.json:
            sys.stdout.write(json.dumps({"schema": 1, **value}, indent=2, default=str) + "\n")
        elif text:
            sys.stdout.write(text + "\n")
        sys.stdout.flush()

    @property
    def width(self) -> int:
        """Characters that a line of the answer may have: the terminal's, or 120 where there is none."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else 120

    def open(self) -> Project:
        """The project that the command works on. Raises Failure("not-initialised") and others."""
        return open_project(self.repo, self.config, self.say)

    def init(self) -> Project:
        """The project, made when it is not there yet."""
        return init_project(self.repo, self.config, self.say, declared_checks)


def declared_checks(repository: Repository) -> str:
    """The checks that the repository's files ask for, as tables of the configuration."""

    def read(path: str) -> str:
        file = repository.root / path
        return file.read_text(errors="replace") if file.is_file() else ""

    presets = detect(tracked_files(repository.root), read)
    if not presets:
        return ""
    because = "; ".join(f"{preset.name}, because of {preset.because}" for preset in presets)
    return f"\n# Found by `agent-coord init`: {because}. Edit as you like.\n{as_toml(presets)}"


TERMINAL = Terminal()
"""The terminal of this process; the application's callback fills it from the global options."""
