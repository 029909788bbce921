"""A reviewer's word on a change whose checks have passed.

The reviewer is any program: it is given a prompt (or the diff as a file) and prints one JSON object,

    {"approved": true | false, "findings": [{"path", "line", "what"} | "text", …]}

alone or as the last one in its output (agents like to talk around it). Without a readable object it is asked once more
in stricter words; then the change is refused: an unread change does not land.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.gate.checks import CheckResult, seen_by_checks
from coordinator.gate_settings import Review
from resources.system.files import replace_file
from resources.system.process import run_bounded

NAME = "review"
_STRICTER = (
    "\n\nYour last answer could not be read. Print exactly one JSON object with the keys approved (true or false) and "
    "findings (a list), and nothing else: no prose, no code fence."
)


@dataclass(frozen=True)
class Reviewed:
    """What is reviewed: `diff` is a file."""

    issue: str
    title: str
    diff: Path


@dataclass(frozen=True)
class Opinion:
    """What the reviewer said; `findings` are sentences."""

    approved: bool
    findings: tuple[str, ...]


def prompt(change: Reviewed) -> str:
    """What the reviewer is asked."""
    return (
        f"Review the change for {change.issue} ({change.title}). Its diff is in the file {change.diff}; the working "
        "directory holds the merged tree. Look for defects, weakened or skipped tests, and work that the issue does "
        'not ask for. Answer with one JSON object: {"approved": true or false, "findings": [{"path": "...", '
        '"line": 1, "what": "..."}]}. Approve only what you would land yourself.'
    )


def opinion_in(output: str) -> Opinion | None:
    """The last readable opinion in a program's output, None without one."""
    decoder, found, at = json.JSONDecoder(), None, output.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(output, at)
        except ValueError:
            at = output.find("{", at + 1)
            continue
        found = _opinion(value) or found
        at = output.find("{", end)
    return found


def _opinion(value: Any) -> Opinion | None:
    if not isinstance(value, dict) or not isinstance(value.get("approved"), bool):
        return None
    findings = value.get("findings", [])
    if not isinstance(findings, list):
        return None
    return Opinion(value["approved"], tuple(map(_sentence, findings)))


def _sentence(finding: Any) -> str:
    if not isinstance(finding, dict):
        return str(finding)
    place = ":".join(str(finding[key]) for key in ("path", "line") if finding.get(key))
    what = str(finding.get("what") or finding.get("message") or finding)
    return f"{place}: {what}" if place else what


def ask(review: Review, change: Reviewed, tree: Path, environment: Mapping[str, str], logs: Path) -> CheckResult:
    """Ask the reviewer; the answer as the last check of the gate."""
    seconds, log = 0.0, logs / f"{NAME}.log"
    for stricter in ("", _STRICTER):
        words = {"{prompt}": prompt(change) + stricter, "{diff}": str(change.diff), "{issue}": change.issue}
        argv = [_filled(word, words) for word in review.run]
        done = run_bounded(argv, cwd=tree, env=seen_by_checks(environment), timeout=review.timeout)
        seconds += done.seconds
        replace_file(log, done.out + done.err)
        opinion = opinion_in(done.out.decode(errors="replace"))
        if opinion is not None:
            said = "\n".join(opinion.findings) or ("approved" if opinion.approved else "refused without a finding")
            return CheckResult(NAME, opinion.approved, 0, round(seconds, 3), str(log), said)
    said = f"the reviewer gave no readable verdict in two tries (exit code {done.code}); an unread change does not land"
    return CheckResult(NAME, False, done.code, round(seconds, 3), str(log), f"{said}\n{done.complaint}")


def _filled(word: str, values: Mapping[str, str]) -> str:
    for key, value in values.items():
        word = word.replace(key, value)
    return word
