"""[gate]: what a change must pass before it lands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from resources.system.errors import Failure
from resources.system.tables import from_table

DOCS = ("**/*.md", "**/*.rst", "**/*.adoc", "docs/**", "LICENSE*")


@dataclass(frozen=True)
class Check:
    """One entry of [[gate.checks]]: a command that must exit 0 in the merged tree, within `timeout` seconds."""

    name: str
    run: tuple[str, ...]
    timeout: float = 600.0
    parallel: bool = False
    """It may run beside its neighbours in the list that say so too."""
    on: str = "any"
    """"code": it is left out when a change touches documentation alone."""
    min_coverage: float = 0.0
    """Percent that its report must show; 0 asks for none."""
    coverage_report: str = ""
    """Where the report is (Cobertura XML, lcov, coverage.py JSON); empty: in what the check prints."""

    def __post_init__(self) -> None:
        if not self.name or not self.run:
            raise ValueError("a check needs a name and a command in `run`")
        if self.on not in ("any", "code"):
            raise ValueError(f'on must be "any" or "code", not {self.on!r}')
        if not 0 <= self.min_coverage <= 100:
            raise ValueError("min_coverage is a percentage, 0 to 100")


@dataclass(frozen=True)
class Review:
    """[gate.review]: a program that reads the change after the checks have passed; none when `run` is empty.

    `run` knows {prompt} {diff} (a file) {issue} {briefing}; it prints one JSON object with `approved` and `findings`.
    """

    run: tuple[str, ...] = ()
    timeout: float = 900.0


@dataclass(frozen=True)
class GateSettings:
    """[gate]: the checks in order, which of them are switched off, what counts as documentation, the reviewer.

    `reruns` is how often a red check is repeated; `weakened` what is done about a change that loses assertions in
    `tests` or touches `protected` files.
    """

    checks: tuple[Check, ...] = ()
    commit_names_issue: bool = True
    docs: tuple[str, ...] = DOCS
    disabled: tuple[str, ...] = ()
    resolutions: str = "accept"
    """What becomes of an issue whose agent has shown that no change is needed: "accept" closes it, "person" asks."""
    review: Review = field(default_factory=Review)
    reruns: int = 1
    weakened: str = "look"
    tests: tuple[str, ...] = ("test/**", "tests/**", "**/test_*", "**/*_test.*", "**/*.test.*", "**/*.spec.*")
    protected: tuple[str, ...] = ("Makefile", "**/conftest.py", "pytest.ini", "tox.ini", ".github/**", ".ci/**")

    def __post_init__(self) -> None:
        if self.weakened not in ("look", "tell", "off"):
            raise ValueError(f'weakened must be "look", "tell" or "off", not {self.weakened!r}')
        if self.reruns < 0:
            raise ValueError("reruns must be 0 or more")
        if self.resolutions not in ("accept", "person"):
            raise ValueError(f'resolutions must be "accept" or "person", not {self.resolutions!r}')


def read_gate(table: Mapping[str, Any], path: Path) -> GateSettings:
    """The table [gate]. Raises Failure naming file and key."""
    plain = dict(table)
    entries = plain.pop("checks", [])
    if not isinstance(entries, list):
        raise Failure("bad-value", f"{path}: [gate] checks must be a list of tables", mend=f"edit {path}")
    checks = tuple(_check(entry, number, path) for number, entry in enumerate(entries, 1))
    review = from_table(Review, plain.pop("review", {}), file=path, name="gate.review")
    plain_settings = from_table(GateSettings, plain, file=path, name="gate")
    names = [check.name for check in checks]
    for name in plain_settings.disabled:
        if name not in names:
            raise Failure(
                "bad-value", f"{path}: [gate] disabled names {name!r}, which is no check",
                why=f"there are: {', '.join(names) or 'none'}", mend=f"edit {path}",
            )  # fmt: skip
    if len(set(names)) < len(names):
        raise Failure("bad-value", f"{path}: two of [[gate.checks]] have one name", mend=f"edit {path}")
    return replace(plain_settings, checks=checks, review=review)


def _check(entry: Mapping[str, Any], number: int, path: Path) -> Check:
    try:
        return from_table(Check, entry, file=path, name=f"gate.checks {number}")
    except TypeError as error:
        raise Failure(
            "bad-value", f"{path}: [[gate.checks]] {number} needs `name` and `run`", mend=f"edit {path}"
        ) from error
