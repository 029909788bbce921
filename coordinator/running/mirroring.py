"""Keeps an Agent Mail server up to date while the coordinator runs, where the configuration names one.

What was sent while no coordinator ran, or while the server was away, is told when both are there.
"""

from __future__ import annotations

from contextlib import closing

from coordinator.bootstrap import Project
from coordinator.mail.agent_mail import AgentMail
from coordinator.mail.mirror import Mirror
from coordinator.running.rounds import Round
from resources.state.sqlite import SqliteLedger

EVERY = 2.0
"""Seconds between looks; one that finds nothing new is a read of the ledger."""


def mirroring(project: Project) -> Round | None:
    """The round that mirrors, None when nothing is to be mirrored; it looks once more when it is closed."""
    settings = project.config.mail
    if not settings.mirror:
        return None

    def look() -> None:
        with closing(SqliteLedger(project.repository.state)) as ledger:
            mirror = Mirror(ledger, AgentMail(settings), settings.mirror, str(project.repository.root))
            for complaint in mirror.look():
                project.say(f"not mirrored: {complaint}")

    return Round("mail mirror", look, project.say, EVERY, finish=look)
