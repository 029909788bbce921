"""Which checks a change must pass, and under which name their verdict is kept: pure.

A change of documentation alone leaves out the checks that say `on = "code"`; what is switched off in the
configuration is left out of every gate and named in the evidence. A verdict holds for one tree under exactly these
checks on this tool chain: `environment` tells what else decides (system, the programs that the checks start).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from analyzer.globs import PatternSet
from coordinator.gate_settings import Check, GateSettings, Review


@dataclass(frozen=True)
class Choice:
    """The checks to run, the reviewer, and why others are left out (name -> reason)."""

    checks: tuple[Check, ...]
    review: Review
    left_out: Mapping[str, str]


def choose(settings: GateSettings, changed: Iterable[str]) -> Choice:
    """What a change of these paths must pass. A change of nothing known counts as code."""
    paths = list(changed)
    docs = PatternSet(settings.docs)
    docs_only = bool(paths) and all(docs.match(path) is not None for path in paths)
    left_out = dict.fromkeys(settings.disabled, "switched off in the configuration")
    if docs_only:
        left_out |= {check.name: "only documentation changed" for check in settings.checks if check.on == "code"}
    return Choice(tuple(check for check in settings.checks if check.name not in left_out), settings.review, left_out)


def gate_key(choice: Choice, environment: str) -> str:
    """Identifies a gate: a verdict holds for a tree under exactly these checks in this environment."""
    parts = [[asdict(check) for check in choice.checks], asdict(choice.review), environment]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def batches(checks: Sequence[Check]) -> list[tuple[Check, ...]]:
    """The checks in order; neighbours that may run side by side are in one batch."""
    found: list[tuple[Check, ...]] = []
    for check in checks:
        if check.parallel and found and found[-1][-1].parallel:
            found[-1] = (*found[-1], check)
        else:
            found.append((check,))
    return found
