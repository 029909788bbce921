"""What `lint` answers: the verdicts on the issues, for people and for other programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from analyzer.planning.fitness import Level, Verdict
from analyzer.showing.layout import Look, clean

MANY = 12
"""Issues told in full before the rest is only counted."""
_STYLE = {Level.ERROR: "red", Level.WARN: "yellow", Level.NOTE: "dim"}


def lint_json(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The answer as JSON; `summary.findings` counts by rule the issues that each rule has something to say of."""
    return {
        "schema": 1,
        "issues": [
            {
                "id": verdict.issue.id,
                "fit": verdict.fit,
                "findings": [
                    {"rule": found.rule, "level": found.level.value, "what": found.what, "mend": found.mend}
                    for found in verdict.findings
                ],
            }
            for verdict in verdicts
        ],
        "summary": {
            "issues": len(verdicts),
            "fit": sum(verdict.fit for verdict in verdicts),
            "unfit": sum(not verdict.fit for verdict in verdicts),
            "findings": dict(_counts(verdicts).most_common()),
        },
    }


def _counts(verdicts: Sequence[Verdict]) -> Counter[str]:
    return Counter(rule for verdict in verdicts for rule in {found.rule for found in verdict.findings})


def lint_text(verdicts: Sequence[Verdict], look: Look) -> str:
    """The answer in words: how many are fit, what is missing most, and issue by issue what to mend."""
    fit = sum(verdict.fit for verdict in verdicts)
    head = look.style(f"{fit} of {len(verdicts)} issues are fit for an agent", "bold" if verdicts else "dim")
    found = [verdict for verdict in verdicts if verdict.findings]
    # What bars an issue comes before what is only a pity; within that the order of giving out.
    found.sort(key=lambda verdict: verdict.fit)
    lines = [head]
    if found:
        told = ", ".join(f"{rule} {count}" for rule, count in _counts(verdicts).most_common())
        lines.append(look.style(f"to mend: {told}", "dim"))
    shown = found if look.whole else found[:MANY]
    for verdict in shown:
        lines += ["", *_told(verdict, look)]
    if len(found) > len(shown):
        more = f"… and {len(found) - len(shown)} more issues (--verbose shows them, --json holds them)"
        lines += ["", look.style(more, "dim")]
    return "\n".join(lines) + "\n"


def _told(verdict: Verdict, look: Look) -> Iterator[str]:
    issue = verdict.issue
    mark = look.style("fit", "green") if verdict.fit else look.style("unfit", "red")
    yield f"{look.style(issue.id, 'bold')}  {mark}  P{issue.priority} {clean(issue.title)}".rstrip()
    rules = max(len(found.rule) for found in verdict.findings)
    for found in verdict.findings:
        level = look.style(f"{found.level.value:5}", _STYLE[found.level])
        yield f"  {level}  {found.rule:{rules}}  {clean(found.what)}"
        yield f"  {'':5}  {'':{rules}}  " + look.style(f"→ {clean(found.mend)}", "dim")
