"""The configuration: the reference file equals the code, and bad input is told with its place."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from analyzer.planning.policy import PlanSettings
from coordinator.config import (
    PRESETS,
    TABLES,
    AgentSettings,
    MergeSettings,
    ProjectSettings,
    TrackerSettings,
    read_config,
)
from coordinator.gate_settings import GateSettings, Review
from coordinator.guard.settings import ScopeSettings
from coordinator.mail.agent_mail import MailSettings
from resources.databases.values import DatabaseSettings
from resources.settings import Limits, PoolSettings
from resources.system.errors import Failure
from resources.system.repository import Repository
from resources.system.tables import defaults

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "project": ProjectSettings, "pool": PoolSettings, "database": DatabaseSettings, "limits": Limits,
    "plan": PlanSettings, "scope": ScopeSettings, "agents": AgentSettings,
    "gate": GateSettings, "merge": MergeSettings, "mail": MailSettings, "tracker": TrackerSettings,
}  # fmt: skip


def read(tmp_path: Path, text: str):
    file = tmp_path / "config.toml"
    file.write_text(text)
    return read_config(Repository(tmp_path, tmp_path / ".git", tmp_path), file)


def test_the_reference_configuration_shows_every_key_with_its_default() -> None:
    shown = tomllib.loads((ROOT / "config.toml").read_text())
    programs = shown["agents"].pop("programs")
    review = shown["gate"]["review"]
    shown["gate"]["review"] = Review(tuple(review["run"]), review["timeout"])
    assert set(shown) == set(TABLES) == set(SETTINGS)
    for name, kind in SETTINGS.items():
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in defaults(kind).items()}
        assert shown[name] == plain, name
        assert set(shown[name]) == {field.name for field in fields(kind)}
    assert {name: tuple(table["argv"]) for name, table in programs.items()} == {
        name: program.argv for name, program in PRESETS.items()
    }


def test_the_file_that_init_writes_is_valid(tmp_path: Path) -> None:
    config = read(tmp_path, (ROOT / "coordinator" / "default.toml").read_text())
    assert config.agents.default == "claude"


@pytest.mark.parametrize(
    ("text", "reference", "told"),
    [
        ("[pool]\nsizes = 3", "unknown-key", "did you mean `size`?"),
        ("[pol]\nsize = 3", "unknown-key", "did you mean `pool`?"),
        ("[pool]\nsize = 'four'", "bad-value", "must be int"),
        ("[pool]\nsize = true", "bad-value", "must be int"),
        ("[pool]\nview = 'half'", "bad-value", "view must be"),
        ("pool = 3", "bad-value", "must be a table"),
        ("[scope]\nenforce = 'hard'", "bad-value", "enforce must be one of"),
        ("[scope]\nalways = ['../x']", "bad-value", "climbs"),
        ("[agents]\nattempts = 0", "bad-value", "attempts"),
        ("[agents.programs.x]\nkind = 'shell'", "bad-value", "agents.programs.x"),
        ("[[gate.checks]]\nname = 'tests'", "bad-value", "name"),
        ("[gate]\ndisabled = ['lint']", "bad-value", "lint"),
        ("[gate.review]\nrunn = ['x']", "unknown-key", "did you mean `run`?"),
        ("[pool]\nsize = = 3", "bad-config", "line 2"),
    ],
)
def test_bad_input_is_told_with_file_and_key(tmp_path: Path, text: str, reference: str, told: str) -> None:
    with pytest.raises(Failure) as caught:
        read(tmp_path, text)
    failure = caught.value
    assert failure.reference == reference
    assert str(tmp_path / "config.toml") in failure.what + failure.mend
    assert told in f"{failure.what} {failure.why}"


def test_checks_and_programs_are_read(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        '[agents]\ndefault = "mine"\n[agents.programs.mine]\nargv = ["mine", "{prompt}"]\n'
        '[[gate.checks]]\nname = "tests"\nrun = ["make", "test"]\ntimeout = 5\n',
    )
    assert config.program("mine").argv == ("mine", "{prompt}")
    assert config.gate.checks[0].timeout == 5.0
    with pytest.raises(Failure, match="no agent program"):
        config.program("yours")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[scope]\nenforce = "locked"\n', 'isolation = "shared"'),
        ('[agents]\nisolation = "shared"\n[scope]\nwall = "landlock"\n', "puts them together"),
        ('[agents]\nisolation = "both"\n', "slots"),
        ("[agents]\nlock_seconds = 60.0\n", "0 to 45"),
    ],
)
def test_what_contradicts_the_isolation_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Failure) as refusal:
        read(tmp_path, text)
    assert said in refusal.value.render()


def test_a_shared_checkout_brings_locks_along(tmp_path: Path) -> None:
    scope = read(tmp_path, '[agents]\nisolation = "shared"\n[scope]\nenforce = "off"\nwall = "auto"\n').scope
    assert (scope.enforce, scope.wall) == ("locked", "none")
    assert ".agent-worktrees/**" in scope.protected
