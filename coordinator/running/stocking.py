"""Keeps spare databases ready while the coordinator runs.

Who takes a spare must not wait for the next one to be made. The pool looks too when it grows or shrinks, and the daemon
at each of its ticks, so work done by hand finds spares as well.
"""

from __future__ import annotations

from coordinator.bootstrap import Project
from coordinator.running.rounds import Round

EVERY = 2.0
"""Seconds between looks; one that finds nothing to do costs 5 ms."""


def stocking(project: Project) -> Round | None:
    """The round that makes spares, with a connection of its own; None where there are no databases."""
    databases = project.more_databases()
    if databases is None:
        return None
    return Round("spare databases", databases.tend, project.say, EVERY, finish=databases.close)
