"""A repository in which a real agent program works, led to a model of ours."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.model import Model, Turn
from tests.support.programs import arguments, environment, program
from tests.support.projects import Place, make_place


@contextmanager
def place_with(
    name: str, folder: Path, turns: Sequence[Turn], *, settings: str = "", files: dict[str, str] | None = None
) -> Generator[tuple[Place, Model]]:
    """A repository whose issue a-1 is worked on by the program `name`, whose model says `turns`."""
    path = str(program(name))
    with Model({"a-1": turns}) as model:
        place = make_place(folder / "a project", files)
        argv = json.dumps([path, *arguments(name, model.url)])
        config = place.root / ".agent-worktrees" / "config.toml"
        text = config.read_text().replace(
            'default = "scripts"', f'default = "{name}"\nrefused_seconds = 0.5\n{settings}'
        )
        config.write_text(f'{text}[agents.programs.{name}]\nkind = "{name}"\nargv = {argv}\n')
        tomllib.loads(config.read_text())
        place.environment = environment(model.url, folder / "home")
        place.json("init")
        try:
            yield place, model
        finally:
            place.run("cleanup", "--yes")


def ended(place: Place) -> list[dict]:
    return [one["data"] for one in place.events("attempt.ended")]
