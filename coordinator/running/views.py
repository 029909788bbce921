"""What an attempt's slot shows: the files that its issue will touch and what these need, where that hides enough."""

from __future__ import annotations

from functools import partial

from analyzer.scopes.imports import closure
from analyzer.scopes.scope import Scope
from coordinator.bootstrap import Project
from resources.system.git import tracked_files
from resources.worktrees.view import View, resolve


def view_of(project: Project, scope: Scope | None, base: str) -> View | None:
    """The view for work within `scope` on the commit `base`; None: everything."""
    settings = project.config.pool
    if settings.view == "full" or scope is None or project.config.shared:
        return None
    tree = tracked_files(project.repository.root, base)
    start = [file.path for file in scope.files] + list(scope.write)
    needed = closure(start, partial(read_main, project), tree, always=settings.always)
    return resolve(
        settings.view, tree, directories=needed, patterns=scope.write, always=settings.always,
        hide_at_least=settings.hide_at_least,
    )  # fmt: skip


def read_main(project: Project, path: str) -> str | None:
    """The text of a file in the main checkout: near enough to the base for a view, and it costs no process."""
    try:
        return (project.repository.root / path).read_text(errors="replace")
    except OSError:
        return None
