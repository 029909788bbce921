"""The pool follows the work: more slots while issues wait that could start, fewer when some stood idle for long.

What is wanted is the pool's decision (`resources.worktrees.sizing`); here it learns who waits for nothing but a slot,
and how many of them have a seat. Slots take seconds to make and may run a set-up command, so another process does it
(`agent-coord pool scale-up`), one at a time.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from coordinator.bootstrap import Project
from coordinator.crowd import BY_HAND, NO_SLOT, crowd_of, free
from coordinator.tasks import claims
from resources.monitor.sample import current_levels
from resources.system.errors import Failure
from resources.system.files import lock_is_held
from resources.system.process import leave_running

EVERY = 5.0
"""Seconds between looks: a slot takes longer than that to be of use."""


class PoolSize:
    """Follows the work of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._looked = time.monotonic()

    def follow(self, seats: int) -> None:
        """Look again, now and then: what cannot be asked or started now is tried the next time."""
        if time.monotonic() - self._looked > EVERY:
            self._looked = time.monotonic()
            with suppress(Failure, OSError):
                fit_pool(self._project, seats)


def fit_pool(project: Project, seats: int) -> int:
    """Have the pool made larger or smaller in the background when it should be; returns by how many slots."""
    repository = project.repository
    if lock_is_held(repository.state / "pool.lock"):
        return 0
    with project.ledger.read() as snapshot:
        tasks = claims.all_tasks(snapshot)
    crowd = crowd_of(task.state for task in tasks if task.slot and task.program != BY_HAND)
    waiting = min(free(seats, crowd).agents, sum(task.why == NO_SLOT for task in tasks))
    over = any(reading.level == "critical" for reading in current_levels(repository))
    wanted = project.pool.wanted_change(waiting, over=over)
    if wanted:
        word = "scale-up" if wanted > 0 else "scale-down"
        argv = [sys.executable, "-I", "-m", "agent_coord", "--repo", str(repository.root), "--quiet"]
        argv += ["--config", str(project.config.file)] if project.config.file.exists() else []
        leave_running([*argv, "pool", word, str(abs(wanted))], cwd=repository.root)
        project.say(f"the pool is made {'larger' if wanted > 0 else 'smaller'} by {abs(wanted)}")
    return wanted
