"""Reads the percentage of covered lines out of what test programs leave: pure.

Known forms: Cobertura XML (`line-rate`), lcov (`LF:`/`LH:`), coverage.py's JSON (`totals.percent_covered`), and what
coverage.py (`TOTAL … 87%`), Go (`coverage: 81.2% of statements`), Istanbul (`All files | 85.3 |`) and cargo-llvm-cov
(`TOTAL … 90.1%`) print. The last figure counts, because tools print their summary last.
"""

from __future__ import annotations

import json
import re

_PRINTED = re.compile(
    r"^TOTAL\b.*?(\d+(?:\.\d+)?)%[^%\n]*$"
    r"|coverage: (\d+(?:\.\d+)?)% of statements"
    r"|^All files\s*\|\s*(\d+(?:\.\d+)?)\s*\|",
    re.MULTILINE,
)
_RATE = re.compile(r"<coverage\b[^>]*\bline-rate=\"([\d.]+)\"")


def covered(text: str) -> float | None:
    """The percentage of covered lines, None when the text has none."""
    if (found := _RATE.search(text[:4000])) is not None:
        return float(found[1]) * 100
    if text.lstrip().startswith("{"):
        return _from_json(text)
    lines = [int(number) for number in re.findall(r"^LF:(\d+)$", text, re.MULTILINE)]
    if lines:
        hit = sum(int(number) for number in re.findall(r"^LH:(\d+)$", text, re.MULTILINE))
        return 100 * hit / max(1, sum(lines))
    printed = _PRINTED.findall(text)
    return float(next(group for group in printed[-1] if group)) if printed else None


def _from_json(text: str) -> float | None:
    try:
        totals = json.loads(text)["totals"]
        return float(totals.get("percent_covered", totals.get("lines", {}).get("pct")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
