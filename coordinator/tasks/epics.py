"""Epics are never worked on; they are done when their children are: pure."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.issues import Bond, Issue

EPIC = "epic"


def finished_epics(issues: Sequence[Issue]) -> list[str]:
    """The open epics that have children, all of them closed; an inner epic closes before the outer one."""
    children: dict[str, list[Issue]] = {}
    for issue in issues:
        for dependency in issue.dependencies:
            if dependency.bond is Bond.PARENT:
                children.setdefault(dependency.target, []).append(issue)
    return [
        issue.id
        for issue in issues
        if issue.kind == EPIC and issue.is_open and issue.id in children
        if not any(child.is_open for child in children[issue.id])
    ]
